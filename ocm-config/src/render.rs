//! From the typed configuration to text that is read as the same.

pub(crate) mod json;
mod tree;
mod yaml;

pub(crate) use tree::package;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    image_set::{DeleteSet, ImageSet},
    tree::Tree,
};

/// Lines that stand before what is at a path, or at the end of its line.
#[derive(Debug, Default)]
pub(crate) struct Comments {
    /// Before the document.
    pub(crate) head: Vec<String>,
    /// Before the line of a path.
    pub(crate) before: BTreeMap<String, Vec<String>>,
    /// At the end of the line of a path.
    pub(crate) beside: BTreeMap<String, String>,
    /// After the document.
    pub(crate) tail: Vec<String>,
}

impl Comments {
    /// Adds a line above what is at a path.
    pub(crate) fn add_above(&mut self, path: &str, line: String) {
        if path.is_empty() {
            self.head.push(line);
        } else {
            self.before.entry(path.to_owned()).or_default().push(line);
        }
    }

    /// Adds a remark at the end of the line of what is at a path.
    pub(crate) fn add_beside(&mut self, path: &str, remark: String) {
        if self.beside.contains_key(path) {
            self.add_above(path, remark);
        } else {
            self.beside.insert(path.to_owned(), remark);
        }
    }

    /// Moves what is said of paths that `tree` has not up to what they would be part of.
    fn settle(mut self, tree: &Tree) -> Self {
        let mut paths = BTreeSet::new();
        tree.each_path("", &mut |path| {
            paths.insert(path.to_owned());
        });
        for (path, remark) in std::mem::take(&mut self.beside) {
            if paths.contains(&path) {
                self.beside.insert(path, remark);
            } else {
                self.add_above(&path, remark);
            }
        }
        for (path, lines) in std::mem::take(&mut self.before) {
            let mut path = path.as_str();
            while !path.is_empty() && !paths.contains(path) {
                path = path.rfind(['.', '[']).and_then(|at| path.get(..at)).unwrap_or_default();
            }
            for line in lines {
                self.add_above(path, line);
            }
        }
        self
    }
}

impl ImageSet {
    /// Returns the configuration as YAML of version v2alpha1, with the keys in the usual order.
    ///
    /// It is read as the same, places apart. What cannot be used is written as it was.
    pub fn to_yaml(&self) -> String {
        yaml::write(&tree::image_set(self), &Comments::default())
    }

    /// Returns the configuration as JSON, which is YAML too.
    pub fn to_json(&self) -> String {
        json::write(&tree::image_set(self))
    }

    pub(crate) fn to_commented_yaml(&self, comments: Comments) -> String {
        let tree = tree::image_set(self);
        yaml::write(&tree, &comments.settle(&tree))
    }
}

impl DeleteSet {
    /// Returns the configuration as YAML of version v2alpha1, as [`ImageSet::to_yaml`] does.
    pub fn to_yaml(&self) -> String {
        yaml::write(&tree::delete_set(self), &Comments::default())
    }

    /// Returns the configuration as JSON, which is YAML too.
    pub fn to_json(&self) -> String {
        json::write(&tree::delete_set(self))
    }

    pub(crate) fn to_commented_yaml(&self, comments: Comments) -> String {
        let tree = tree::delete_set(self);
        yaml::write(&tree, &comments.settle(&tree))
    }
}
