//! The independent programs that tests talk to, fetched on first use into `target/peers` and kept until their list changes.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python of a virtual environment with `xtask/peers/requirements.txt` installed.
///
/// # Errors
/// When Python 3 is missing or a package cannot be fetched.
pub fn python() -> Result<PathBuf> {
    let home = home("python")?;
    let python = home.join("bin/python");
    let list = crate::root().join("xtask/peers/requirements.txt");
    once(&home, &list, || {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&list))
    })?;
    Ok(python)
}

/// The `node_modules` folder with what `xtask/peers/package.json` names; for `NODE_PATH`.
///
/// # Errors
/// When npm is missing or a package cannot be fetched.
pub fn node_modules() -> Result<PathBuf> {
    let home = home("node")?;
    let list = crate::root().join("xtask/peers/package.json");
    once(&home, &list, || {
        fs::copy(&list, home.join("package.json"))?;
        run(Command::new("npm").args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]).current_dir(&home))
    })?;
    Ok(home.join("node_modules"))
}

/// A Chromium: the one that `CHROMIUM` names, an installed one, or Debian's, installed now.
///
/// # Errors
/// When there is none and Debian's package cannot be installed.
pub fn chromium() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Ok(named.into());
    }
    let known = || {
        ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
            .map(PathBuf::from)
            .into_iter()
            .find(|path| path.exists())
    };
    if let Some(found) = known() {
        return Ok(found);
    }
    from_debian(&["chromium", "fonts-dejavu-core"])?;
    known().context("Chromium was installed but is not in /usr/bin; name it with the variable CHROMIUM")
}

/// Postgres with its own benchmark, which we are measured against. `POSTGRES_BIN` names another.
///
/// # Errors
/// When it isn't there and can't be installed.
pub fn postgres() -> Result<()> {
    if std::env::var_os("POSTGRES_BIN").is_some() || Path::new("/usr/lib/postgresql").exists() {
        return Ok(());
    }
    from_debian(&["postgresql"])
}

fn from_debian(packages: &[&str]) -> Result<()> {
    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").args(["-o", "DPkg::Lock::Timeout=300", "-qq"]);
        apt
    };
    run(apt().arg("update"))?;
    run(apt().args(["install", "--no-install-recommends", "--yes"]).args(packages))
}

fn home(name: &str) -> Result<PathBuf> {
    let home = crate::root().join("target/peers").join(name);
    fs::create_dir_all(&home).with_context(|| format!("{} can't be made", home.display()))?;
    Ok(home)
}

/// Does `install` unless it was done for the list as it is now.
fn once(home: &Path, list: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let wanted = fs::read_to_string(list).with_context(|| format!("{} can't be read", list.display()))?;
    let stamp = home.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|done| done == wanted) {
        return Ok(());
    }
    println!("fetching what {} names", list.display());
    install()?;
    fs::write(&stamp, wanted).with_context(|| format!("{} can't be written", stamp.display()))
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?} could not be run"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}
