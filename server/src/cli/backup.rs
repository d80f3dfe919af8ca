//! `kith backup` and `kith restore`.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use kith::{
    config::Config,
    operator::{
        self,
        backup::{Progress, Restored, Taken},
    },
};

use super::{Failure, find, print, run};

/// Makes a backup, and says what is in it.
pub(super) async fn backup(config: &Config, to: &Path, since: Option<&Path>) -> Result<(), Failure> {
    let server = find(config).await?;
    let bar = bar()?;
    bar.set_message("copying the database");
    let taken = server.backup(to, since, |progress| show(&bar, progress)).await;
    bar.finish_and_clear();
    let Taken { database_bytes, media, kept, damaged, names } = taken.map_err(run)?;
    print(&format!("{}: database of {database_bytes} bytes, {media} media ({kept} were there)\n", to.display()))?;
    told_of_damage("the backup is whole, but for", damaged, &names)
}

/// Makes a data directory out of a backup, and says what that means.
pub(super) fn restore(backup: &Path, to: &Path) -> Result<(), Failure> {
    let bar = bar()?;
    let restored = operator::backup::restore(backup, to, |progress| show(&bar, progress));
    bar.finish_and_clear();
    let Restored { at, database_bytes, media, damaged, names } = restored.map_err(run)?;
    let to = to.display();
    print(&format!(
        "{to}: database of {database_bytes} bytes, {media} media, as of {at}

All is as it was then. What happened since has not happened:
  devices that were signed out are signed in again, and their tokens open the server;
  passwords that were changed are the old ones, and those given out by kith user reset are as they were;
  accounts that were erased or suspended, and media that were removed, are there again;
  messages that were deleted, and members who were removed, are there again;
  what was written, changed or blocked since is gone.
If that matters, sign everybody out before the server is started:
  kith user sign-out --all --data {to}
\n"
    ))?;
    told_of_damage("all was restored, but for", damaged, &names)
}

fn told_of_damage(what: &str, damaged: u64, names: &[String]) -> Result<(), Failure> {
    if damaged == 0 {
        return Ok(());
    }
    let more = if damaged > names.len() as u64 { " and more" } else { "" };
    Err(run(format!("{what} {damaged} media that are damaged or cannot be read: {}{more}", names.join(" "))))
}

/// A bar for bytes, which draws nothing where standard error is no terminal.
fn bar() -> Result<ProgressBar, Failure> {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes}, {eta} left  {msg}").map_err(run)?;
    bar.set_style(style);
    Ok(bar)
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_message("");
    bar.set_length(progress.total);
    bar.set_position(progress.done);
}
