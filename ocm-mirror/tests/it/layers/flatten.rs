//! Reading from the top down sees what laying one layer upon another gives.

use std::collections::BTreeMap;

use ocm_mirror::{Below, LayersError};

use super::{
    read,
    sheet::{Gallery, Pack, Sheet},
    texts,
};

/// One entry of a layer that is made up.
#[derive(Debug, Clone)]
enum Made {
    File(String),
    Directory(String),
    Link(String),
    Gone(String),
    Emptied(String),
}

/// A file system: text of files, and `None` for what is something else.
#[derive(Debug, Default)]
struct Tree(BTreeMap<String, Option<String>>);

impl Tree {
    fn remove_under(&mut self, path: &str) {
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        self.0.retain(|one, _| !one.starts_with(&prefix));
    }

    fn remove(&mut self, path: &str) {
        self.remove_under(path);
        self.0.remove(path);
    }

    /// Makes what is above `path` directories.
    fn make_room(&mut self, path: &str) {
        let mut path = path;
        while let Some((parent, _)) = path.rsplit_once('/') {
            self.0.remove(parent);
            path = parent;
        }
    }

    fn put(&mut self, path: &str, text: Option<String>) {
        self.make_room(path);
        self.remove(path);
        self.0.insert(path.to_owned(), text);
    }

    /// Lays a layer upon what is here, as a runtime does.
    fn lay(&mut self, layer: &[Made], nth: usize) {
        for made in layer {
            match made {
                Made::Gone(path) => {
                    self.make_room(path);
                    self.remove(path);
                }
                Made::Emptied(path) => {
                    self.make_room(path);
                    self.0.remove(path);
                    self.remove_under(path);
                }
                _ => {}
            }
        }
        for made in layer {
            match made {
                Made::File(path) => self.put(path, Some(format!("{path} of {nth}"))),
                Made::Link(path) => self.put(path, None),
                Made::Directory(path) => {
                    self.make_room(path);
                    self.0.remove(path);
                }
                Made::Gone(_) | Made::Emptied(_) => {}
            }
        }
    }
}

/// Makes up a layer in which no name stands for two things.
fn make_up(random: &mut impl FnMut(usize) -> usize) -> Vec<Made> {
    let mut layer: Vec<Made> = Vec::new();
    let mut taken: Vec<(String, bool)> = Vec::new();
    for _ in 0..random(8) {
        let parts: Vec<_> = (0..=random(3)).map(|_| ["c", "a", "b"][random(3)]).collect();
        let path = parts.join("/");
        let parent = path.rsplit_once('/').map(|(parent, _)| parent.to_owned());
        let (made, stands_for) = match random(8) {
            0..=2 => (Made::File(path.clone()), Some((path, false))),
            3 => (Made::Link(path.clone()), Some((path, false))),
            4 => (Made::Directory(path.clone()), Some((path, true))),
            // A mark makes the place where it lies a directory.
            5 | 6 => (Made::Gone(path), parent.map(|parent| (parent, true))),
            _ => (Made::Emptied(path.clone()), Some((path, true))),
        };
        let is_below = |one: &str, two: &str| one.starts_with(&format!("{two}/"));
        let clashes = |(path, is_directory): &(String, bool)| {
            taken.iter().any(|(other, other_is)| {
                (other == path && !(*is_directory && *other_is))
                    || (is_below(path, other) && !other_is)
                    || (is_below(other, path) && !is_directory)
            })
        };
        if !stands_for.as_ref().is_some_and(clashes) {
            taken.extend(stands_for);
            layer.push(made);
        }
    }
    layer
}

fn sheet(layer: &[Made], nth: usize) -> Sheet {
    layer.iter().fold(Sheet::default(), |sheet, made| match made {
        Made::File(path) => sheet.file(path, &format!("{path} of {nth}")),
        Made::Directory(path) => sheet.directory(&format!("{path}/")),
        Made::Link(path) => sheet.link(path, "somewhere"),
        Made::Gone(path) => {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
            sheet.file(&format!("{parent}/.wh.{name}"), "")
        }
        Made::Emptied(path) => sheet.file(&format!("{path}/.wh..wh..opq"), ""),
    })
}

#[tokio::test]
async fn the_same_files_are_seen_as_in_a_container() -> Result<(), LayersError> {
    let mut state = 7_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(state >> 40).unwrap() % below
    };
    let mut files = 0;
    for round in 0..600 {
        let layers: Vec<_> = (0..=random(5)).map(|_| make_up(&mut random)).collect();
        let mut tree = Tree::default();
        layers.iter().enumerate().for_each(|(nth, layer)| tree.lay(layer, nth));
        let gallery = Gallery::default();
        let sheets: Vec<_> = layers.iter().enumerate().map(|(nth, one)| sheet(one, nth)).collect();
        let image = gallery.image(&sheets, Pack::Plain).await;
        for prefix in ["", "c", "c/a"] {
            let under = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
            let expected: BTreeMap<String, String> = tree
                .0
                .iter()
                .filter_map(|(path, text)| {
                    Some((path.strip_prefix(&under)?.to_owned(), text.clone()?))
                })
                .collect();
            files += expected.len();
            let seen = read(&gallery, &image, &Below::new(prefix)).await?;
            assert_eq!(texts(seen), expected, "{round}, below `{prefix}`: {layers:#?}");
        }
    }
    assert!(files > 1200, "only {files} files were seen: nothing was shown");
    Ok(())
}
