use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;

use super::Signed;

impl Signed {
    /// Puts the message into `directory` under its [name](Self::file_name), for its owner to read
    /// and write, and returns where it is. What is there already, and is the same, stays.
    ///
    /// # Errors
    ///
    /// When the file cannot be written; what was there before is then as it was.
    ///
    /// # Cancel safety
    ///
    /// Whole or not at all: dropping the future does not stop it.
    pub async fn save(&self, directory: &Path) -> io::Result<PathBuf> {
        let (directory, path) = (directory.to_owned(), directory.join(self.file_name()));
        let message = self.message.clone();
        let saved = spawn_blocking(move || save(&directory, path, &message)).await;
        saved.map_err(io::Error::other)?
    }
}

fn save(directory: &Path, path: PathBuf, message: &Bytes) -> io::Result<PathBuf> {
    let is_as_long = fs::metadata(&path).is_ok_and(|there| there.len() == message.len() as u64);
    if is_as_long && fs::read(&path).is_ok_and(|there| there == **message) {
        return Ok(path);
    }
    fs::create_dir_all(directory)?;
    // Temporary files are made for their owner alone, which is how oc-mirror leaves these.
    let mut file = NamedTempFile::new_in(directory)?;
    file.write_all(message)?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(io::Error::from)?;
    Ok(path)
}
