//! The command line.

use crate::{demo, export, import, reconcile, serve, tools, whatif};
use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Real-time inventory and order management.
#[derive(Parser)]
#[command(version, about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Args, Clone)]
pub struct Folder {
    /// Folder with everything the shop knows.
    #[arg(long, env = "QUARTERMASTER_DATA_DIR", default_value = "data", global = true)]
    pub data_dir: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API
    Serve {
        #[command(flatten)]
        folder: Folder,
        /// Address to listen on; loopback unless told otherwise
        #[arg(long, env = "QUARTERMASTER_LISTEN", default_value = "127.0.0.1:7700")]
        listen: SocketAddr,
        /// Requests a second that each key may make, twice as many at once; 0 takes the bound away
        #[arg(long, env = "QUARTERMASTER_REQUESTS_PER_SECOND", default_value_t = 10_000)]
        requests_per_second: u32,
        /// Let webhooks call private, loopback and link-local addresses
        #[arg(long, env = "QUARTERMASTER_ALLOW_PRIVATE_WEBHOOKS")]
        allow_private_webhooks: bool,
    },
    /// Trade a real retailer's orders on a compressed clock
    Demo(demo::DemoArgs),
    /// Bring in orders, items, locations, stock, suppliers, policies and purchase orders from CSV
    Import {
        #[command(flatten)]
        folder: Folder,
        #[command(flatten)]
        arguments: import::ImportArgs,
    },
    /// Write orders, stock, ledger, … as CSV or NDJSON
    Export {
        #[command(flatten)]
        folder: Folder,
        #[command(flatten)]
        arguments: export::ExportArgs,
    },
    /// Make, list and revoke API keys
    Keys {
        #[command(flatten)]
        folder: Folder,
        #[command(subcommand)]
        action: tools::KeysAction,
    },
    /// Follow events
    Events {
        #[command(flatten)]
        folder: Folder,
        #[command(subcommand)]
        action: tools::EventsAction,
    },
    /// Hold somebody else's stock count against ours
    Reconcile {
        #[command(flatten)]
        folder: Folder,
        #[command(flatten)]
        arguments: reconcile::ReconcileArgs,
    },
    /// Replay the log's demand against other policies, lead times or more demand
    #[command(name = "whatif")]
    WhatIf {
        #[command(flatten)]
        folder: Folder,
        #[command(flatten)]
        arguments: whatif::WhatIfArgs,
    },
    /// Prove every number from the log
    ///
    /// Checks the hash chain of the log, folds every event from the first, asks the invariants after it, and compares the result with the
    /// store. May run beside a live server. Exit code 1 says that something is wrong, and what to do.
    Verify {
        #[command(flatten)]
        folder: Folder,
        /// Print the report as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Make the store anew from the log
    ///
    /// The store holds lists, searches and the ledger; nothing is lost with it. Stop the server first.
    Rebuild {
        #[command(flatten)]
        folder: Folder,
    },
    /// Copy log, vault and keys while the server runs
    ///
    /// Example: quartermaster backup --data-dir shop backups/$(date +%F)
    Backup {
        #[command(flatten)]
        folder: Folder,
        /// New folder to copy to
        to: PathBuf,
    },
    /// Put a backup into a new folder
    ///
    /// The copy is verified and begins a new incarnation: numbers skip ahead, so that nothing gets the id of something that was lost.
    /// Example: quartermaster restore --data-dir again backups/2026-11-24
    Restore {
        #[command(flatten)]
        folder: Folder,
        /// Folder of the backup
        from: PathBuf,
    },
    /// Print the API's description (OpenAPI 3.1, JSON)
    Openapi,
}

impl Cli {
    /// # Errors
    /// With what went wrong and what to do.
    pub fn run(self) -> anyhow::Result<()> {
        // A server, a demo and an import end well though nobody reads what they say; the rest ends with its reader, as tools do.
        if !matches!(self.command, Command::Serve { .. } | Command::Demo(_) | Command::Import { .. }) {
            sigpipe::reset();
        }
        match self.command {
            Command::Serve { folder, listen, requests_per_second, allow_private_webhooks } => {
                serve::serve(folder.data_dir, listen, requests_per_second, allow_private_webhooks)
            }
            Command::Demo(arguments) => demo::demo(arguments),
            Command::Import { folder, arguments } => import::import(&folder.data_dir, &arguments),
            Command::Export { folder, arguments } => export::export(&folder.data_dir, &arguments),
            Command::Reconcile { folder, arguments } => reconcile::reconcile(&folder.data_dir, &arguments),
            Command::WhatIf { folder, arguments } => whatif::whatif(&folder.data_dir, &arguments),
            Command::Keys { folder, action } => tools::keys(&folder.data_dir, action),
            Command::Events { folder, action } => tools::events(&folder.data_dir, action),
            Command::Verify { folder, json } => tools::verify(&folder.data_dir, json),
            Command::Rebuild { folder } => tools::rebuild(&folder.data_dir),
            Command::Backup { folder, to } => tools::backup(&folder.data_dir, &to),
            Command::Restore { folder, from } => tools::restore(&folder.data_dir, &from),
            Command::Openapi => tools::openapi(),
        }
    }
}
