use bytes::Bytes;

use super::*;
use crate::archive::{ArchiveLayout, ArchiveReader, ArchiveWriter, Contents, LayoutError};

/// Contents that need as many of the smallest volumes as there are blocks.
fn contents(name: &str, blocks: usize) -> Contents {
    let mut contents = Contents::new(Digest::of(name.as_bytes()));
    contents.records.insert("plan.json".to_owned(), Bytes::from(vec![b' '; 512 * blocks]));
    contents
}

fn layout(contents: &Contents) -> ArchiveLayout {
    let LayoutError::TooSmall { least, .. } = ArchiveLayout::of(contents, Some(0)).unwrap_err()
    else {
        panic!("no volume has no bytes")
    };
    ArchiveLayout::of(contents, Some(least)).unwrap()
}

async fn archive(directory: &Path, contents: &Contents) {
    let writer = ArchiveWriter::create(directory, layout(contents), contents).await.unwrap();
    writer.seal().await.unwrap();
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A directory in which the machine stops while `newer` takes the place of `older`.
struct Scene {
    directory: tempfile::TempDir,
    older: Contents,
    newer: Contents,
    seal: Seal,
}

impl Scene {
    /// Stops when all of `newer` is on the disk, and nothing has its name.
    async fn new((older, newer): (usize, usize)) -> Self {
        let [directory, apart] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let (older, newer) = (contents("older", older), contents("newer", newer));
        archive(directory.path(), &older).await;
        archive(apart.path(), &newer).await;
        let volumes = numbers(apart.path()).unwrap();
        for number in &volumes {
            let from = apart.path().join(file_name(*number));
            fs::copy(from, directory.path().join(partial_name(*number))).unwrap();
        }
        let seal = Seal { set: newer.set.clone(), volumes: u32::try_from(volumes.len()).unwrap() };
        Self { directory, older, newer, seal }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn opens_as(&self, contents: &Contents) {
        let reader = ArchiveReader::open_blocking(self.path()).unwrap();
        assert_eq!(reader.set(), &contents.set);
    }

    /// Whether nothing but `newer` lies there.
    fn is_settled(&self) {
        let expected: Vec<_> = (1..=self.seal.volumes).map(file_name).collect();
        assert_eq!(names(self.path()), expected);
        self.opens_as(&self.newer);
    }
}

const COUNTS: [(usize, usize); 3] = [(1, 9), (9, 1), (5, 5)];

#[tokio::test]
async fn before_the_marker_the_older_set_counts() {
    for counts in COUNTS {
        let scene = Scene::new(counts).await;
        scene.opens_as(&scene.older);
        fs::write(scene.path().join(MARKER_PARTIAL), "{").unwrap();
        scene.opens_as(&scene.older);
        let before: Vec<_> = numbers(scene.path()).unwrap().into_iter().map(file_name).collect();
        let next = ArchiveWriter::create(scene.path(), layout(&scene.newer), &scene.newer).await;
        drop(next.unwrap());
        assert_eq!(names(scene.path()), before);
        scene.opens_as(&scene.older);
    }
}

#[tokio::test]
async fn after_the_marker_whoever_comes_next_goes_on() {
    for counts in COUNTS {
        for stop in 0.. {
            let scene = Scene::new(counts).await;
            mark(scene.path(), &scene.seal).unwrap();
            let steps = steps(scene.path(), &scene.seal).unwrap();
            for step in &steps[..stop] {
                step.take(scene.path()).unwrap();
            }
            if stop % 2 == 0 {
                scene.opens_as(&scene.newer);
            } else {
                let (layout, older) = (layout(&scene.older), &scene.older);
                drop(ArchiveWriter::create(scene.path(), layout, older).await.unwrap());
            }
            scene.is_settled();
            if stop == steps.len() {
                break;
            }
        }
    }
}

/// On media that cannot be written, the newer set is read under the names it has.
#[tokio::test]
async fn volumes_are_found_under_both_names() {
    let scene = Scene::new((3, 5)).await;
    mark(scene.path(), &scene.seal).unwrap();
    Step::Rename(2).take(scene.path()).unwrap();
    let paths: Vec<_> = (1..=3).map(|number| path_of(scene.path(), number)).collect();
    let expected = [partial_name(1), file_name(2), partial_name(3)];
    assert_eq!(paths, expected.map(|name| scene.path().join(name)));
}

/// A marker makes nothing visible but its own set.
#[tokio::test]
async fn a_marker_of_another_set_is_refused() {
    let scene = Scene::new((3, 3)).await;
    let seal = Seal { set: Digest::of(b"third"), volumes: 1 };
    mark(scene.path(), &seal).unwrap();
    let before = names(scene.path());
    let error = ArchiveReader::open_blocking(scene.path()).unwrap_err();
    assert!(matches!(error, ArchiveError::Foreign { .. }), "{error:?}");
    mark(scene.path(), &Seal { volumes: 100, ..scene.seal.clone() }).unwrap();
    let error = ArchiveReader::open_blocking(scene.path()).unwrap_err();
    assert!(matches!(error, ArchiveError::Missing { .. }), "{error:?}");
    for garbage in [Vec::new(), vec![b'x'; 10_000]] {
        fs::write(scene.path().join(MARKER), garbage).unwrap();
        let error = ArchiveReader::open_blocking(scene.path()).unwrap_err();
        assert!(matches!(error, ArchiveError::Damaged { .. }), "{error:?}");
    }
    assert_eq!(names(scene.path()), before);
}
