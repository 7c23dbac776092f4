//! `quartermaster`: the whole shop in one binary.

mod cli;
mod demo;
mod import;
mod serve;
mod tools;

use clap::Parser;

fn main() -> anyhow::Result<()> {
    cli::Cli::parse().run()
}
