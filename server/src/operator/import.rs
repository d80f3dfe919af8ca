//! An import's file: one JSON object a line, read twice, so that a bad line changes nothing.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    mem,
    path::Path,
};

use super::client::Operator;
use crate::{
    account::{ImportSummary, Imported},
    limits,
};

/// The reason why a file was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read, or a line of it is bad: nothing was imported.
    #[error("{0}")]
    File(String),
    /// The import stopped on its way; those before are there, and a second import goes on.
    #[error("{0}")]
    Stopped(String),
}

/// Makes the users of a file, [`limits::IMPORT_USERS`] at a time. `progress` is told how many lines are done, of how
/// many.
///
/// # Errors
/// [`ImportError`], one line for the operator.
pub async fn import(
    operator: &Operator,
    file: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<ImportSummary, ImportError> {
    let mut total = 0;
    for user in lines(file)? {
        user?;
        total += 1;
    }
    let mut summary = ImportSummary::default();
    let mut done = 0;
    progress(done, total);
    let mut users = Vec::new();
    let mut lines = lines(file)?.peekable();
    while let Some(user) = lines.next() {
        users.push(user?);
        if users.len() < limits::IMPORT_USERS && lines.peek().is_some() {
            continue;
        }
        done += users.len() as u64;
        let part = operator.import(mem::take(&mut users)).await.map_err(ImportError::Stopped)?;
        summary.imported += part.imported;
        summary.existing.extend(part.existing);
        progress(done, total);
    }
    Ok(summary)
}

/// The users of a file. Empty lines are none.
fn lines(path: &Path) -> Result<impl Iterator<Item = Result<Imported, ImportError>>, ImportError> {
    let name = path.display().to_string();
    let opened = File::open(path).map_err(|error| ImportError::File(format!("{name}: {error}")))?;
    let mut file = BufReader::new(opened);
    let mut number = 0u64;
    Ok(std::iter::from_fn(move || {
        loop {
            number += 1;
            let bad = |why: String| Some(Err(ImportError::File(format!("{name}:{number}: {why}"))));
            let mut line = Vec::new();
            match read_line(&mut file, &mut line) {
                Err(error) => return bad(error.to_string()),
                Ok(0) => return None,
                Ok(_) if line.trim_ascii().is_empty() => {}
                Ok(_) => {
                    return Imported::read(line.trim_ascii()).map_or_else(bad, |user| Some(Ok(user)));
                }
            }
        }
    }))
}

/// Reads a line, or as much of it as shows that it is too long.
fn read_line(file: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    file.take(limits::IMPORT_LINE_BYTES as u64 + 2).read_until(b'\n', line)
}
