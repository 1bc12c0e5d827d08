//! `ocm graph copy-data`: what a graph image does in a cluster that was built upon nothing.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{args::GraphCopyDataArgs, exit::Exit, halt::Halt, report::Complaint};

/// How deep directories may nest; those of the data nest twice, and those of signatures thrice.
const NESTING: usize = 16;

/// Why the data is not where it is wanted.
#[derive(Debug, thiserror::Error)]
enum CopyError {
    #[error("could not read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("could not write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("directories below `{}` nest too deep", path.display())]
    TooDeep { path: PathBuf },
}

/// Copies it.
pub(super) fn run(args: &GraphCopyDataArgs) -> Result<Exit, Halt> {
    copy(&args.from, &args.to, NESTING).map_err(|error| Halt::from(Complaint::of(&error)))?;
    Ok(Exit::SUCCESS)
}

/// Copies the files and directories in `from` to `to`, over what is there.
fn copy(from: &Path, to: &Path, nesting: usize) -> Result<(), CopyError> {
    let read = |path: &Path| {
        let path = path.to_owned();
        move |source| CopyError::Read { path, source }
    };
    let left =
        nesting.checked_sub(1).ok_or_else(|| CopyError::TooDeep { path: from.to_owned() })?;
    fs::create_dir_all(to).map_err(|source| CopyError::Write { path: to.to_owned(), source })?;
    for entry in fs::read_dir(from).map_err(read(from))? {
        let entry = entry.map_err(read(from))?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().map_err(read(&from))?.is_dir() {
            copy(&from, &to, left)?;
        } else {
            fs::copy(&from, &to).map_err(|source| CopyError::Write { path: to, source })?;
        }
    }
    Ok(())
}
