//! `import`: a shop's past, from any CSV that a mapping describes.

mod classify;
mod mapping;
mod run;

use anyhow::{Context, Result};
use clap::Args;
use std::io::Read;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct ImportArgs {
    /// CSV, plain or gzip
    file: PathBuf,
    /// A mapping file, or one that is shipped: online_retail, shopify_orders, woocommerce_orders
    #[arg(long)]
    mapping: String,
    /// Where rejected rows go, with line number and reason; by default beside the data
    #[arg(long)]
    rejects: Option<PathBuf>,
}

pub fn import(folder: &Path, arguments: &ImportArgs) -> Result<()> {
    let mapping = mapping::Mapping::read(&arguments.mapping)?;
    let bytes = std::fs::read(&arguments.file).with_context(|| format!("{} can't be read", arguments.file.display()))?;
    let digest = blake3::hash(&bytes).to_hex()[..16].to_owned();
    let input: Box<dyn Read> = if bytes.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::read::MultiGzDecoder::new(bytes.as_slice()))
    } else {
        Box::new(bytes.as_slice())
    };
    let history = classify::classify(&mapping, input)?;
    std::fs::create_dir_all(folder)?;
    let rejects = arguments.rejects.clone().unwrap_or_else(|| folder.join(format!("rejected-{digest}.csv")));
    write_rejects(&rejects, &history.rejected)?;
    let (rows, rejected) = (history.rows, history.rejected.len() as u64);
    println!("{rows} rows: {} accepted, {rejected} rejected (see {})", rows - rejected, rejects.display());
    run::run(folder, &mapping, &digest, history)
}

fn write_rejects(path: &Path, rejected: &[classify::Rejected]) -> Result<()> {
    let mut file = csv::Writer::from_path(path).with_context(|| format!("{} can't be written", path.display()))?;
    file.write_record(["line", "reason", "row"])?;
    for row in rejected {
        file.write_record([row.row.to_string().as_str(), row.reason.as_str(), row.text.as_str()])?;
    }
    file.flush()?;
    Ok(())
}
