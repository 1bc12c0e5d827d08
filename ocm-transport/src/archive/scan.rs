//! Finding all volumes of an archive, and making sure that they belong together.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use bytes::Bytes;

use super::{
    ArchiveError, publish,
    volume::{Checked, Medium, check, file_name, number_of},
};

/// The volumes of one archive, in order.
#[derive(Debug, Default)]
pub(super) struct VolumeSet {
    pub(super) media: Vec<Medium>,
    pub(super) checked: Vec<Checked>,
}

/// One volume that is right in itself.
struct Candidate {
    medium: Medium,
    checked: Checked,
}

impl Candidate {
    fn new(medium: Medium) -> Result<Self, ArchiveError> {
        Ok(Self { checked: check(&medium)?, medium })
    }
}

impl VolumeSet {
    /// Finds the archive in a directory, or the one to which a file belongs.
    pub(super) fn find(path: &Path) -> Result<Self, ArchiveError> {
        let metadata = fs::metadata(path).map_err(io("open", path))?;
        let (directory, name) = if metadata.is_dir() {
            (path.to_owned(), None)
        } else {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            (parent.unwrap_or(Path::new(".")).to_owned(), path.file_name())
        };
        match publish::settle(&directory) {
            // On media that cannot be written, the names stay as they are, and it is read so.
            Err(ArchiveError::Io { source, .. }) if is_read_only(&source) => {}
            settled => settled?,
        }
        let claimed = match name {
            Some(name) => name.to_str().and_then(number_of),
            None => Some(first_in(&directory)?),
        };
        let path = match (name, claimed) {
            (_, Some(number)) if publish::is_marked(&directory) || name.is_none() => {
                publish::path_of(&directory, number)
            }
            _ => path.to_owned(),
        };
        let medium = Medium::file(path.clone()).map_err(io("open", &path))?;
        let checked = check(&medium)?;
        if let Some(number) = claimed.filter(|number| *number != checked.record.volume) {
            return Err(ArchiveError::Swapped { path, number, found: checked.record.volume });
        }
        Self::gather(Candidate { medium, checked }, |number| {
            let path = publish::path_of(&directory, number);
            match Medium::file(path.clone()) {
                Ok(medium) => Ok(Ok(medium)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Err(path)),
                Err(source) => Err(ArchiveError::Io { action: "open", path, source }),
            }
        })
    }

    /// Takes volumes that lie in memory.
    pub(super) fn of_bytes(volumes: &[Bytes]) -> Result<Self, ArchiveError> {
        let directory = PathBuf::from("memory");
        let medium = |number: u32| {
            let path = directory.join(file_name(number));
            let bytes = volumes.get(number as usize - 1);
            Ok(bytes.map(|bytes| Medium::memory(path.clone(), bytes.clone())).ok_or(path))
        };
        let Ok(medium_of_first) = medium(1)? else {
            return Err(ArchiveError::NoArchive { directory });
        };
        let checked = check(&medium_of_first)?;
        Self::gather(Candidate { medium: medium_of_first, checked }, medium)
    }

    /// Collects the other volumes; `medium` says where each is, or where it should be.
    fn gather(
        anchor: Candidate,
        medium: impl Fn(u32) -> Result<Result<Medium, PathBuf>, ArchiveError>,
    ) -> Result<Self, ArchiveError> {
        let record = anchor.checked.record.clone();
        let (mut anchor, mut set) = (Some(anchor), Self::default());
        for number in 1..=record.volumes {
            let is_anchor = number == record.volume;
            let Candidate { medium, checked } = match anchor.take_if(|_| is_anchor) {
                Some(anchor) => anchor,
                None => Candidate::new(medium(number)?.map_err(|path| {
                    let volumes = record.volumes;
                    ArchiveError::Missing { path, number, volumes }
                })?)?,
            };
            let (path, found) = (medium.path.clone(), &checked.record);
            if found.set != record.set {
                let (found, expected) = (found.set.clone(), record.set);
                return Err(ArchiveError::Foreign { path, found, expected });
            }
            if found.volume != number {
                return Err(ArchiveError::Swapped { path, number, found: found.volume });
            }
            if found.volumes != record.volumes {
                let fault = "it counts other volumes than the others".to_owned();
                return Err(ArchiveError::Damaged { path, offset: 0, fault });
            }
            set.media.push(medium);
            set.checked.push(checked);
        }
        Ok(set)
    }
}

/// Returns the lowest number of a volume in `directory`.
fn first_in(directory: &Path) -> Result<u32, ArchiveError> {
    if publish::is_marked(directory) {
        return Ok(1);
    }
    let numbers = publish::numbers(directory).map_err(io("list", directory))?;
    let none = || ArchiveError::NoArchive { directory: directory.to_owned() };
    numbers.first().copied().ok_or_else(none)
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied)
}

fn io<'a>(action: &'static str, path: &'a Path) -> impl Fn(io::Error) -> ArchiveError + 'a {
    move |source| ArchiveError::Io { action, path: path.to_owned(), source }
}
