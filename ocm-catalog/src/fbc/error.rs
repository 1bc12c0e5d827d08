use std::fmt;

/// Why a part of a file is no object of a catalog that can be used, and where it stands.
#[derive(Debug, thiserror::Error)]
#[error("could not read {object} at line {line} of `{path}`")]
pub struct DocumentError {
    /// The file.
    pub path: String,
    /// The line at which the document begins, from 1.
    pub line: usize,
    /// What it is, as far as it says so.
    pub object: ObjectName,
    /// What is wrong with it.
    #[source]
    pub fault: ObjectFault,
}

/// What an object of a catalog is, as far as it says so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ObjectName {
    /// Its schema, such as `olm.bundle`.
    pub schema: String,
    /// The package that it belongs to.
    pub package: String,
    /// Its name.
    pub name: String,
}

/// What can be wrong with an object of a catalog.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectFault {
    /// It is no JSON.
    #[error("it is not JSON")]
    Json(#[source] serde_json::Error),
    /// It is no YAML.
    #[error("it is not YAML")]
    Yaml(#[source] serde_yaml::Error),
    /// It is something else than an object.
    #[error("it is not an object")]
    NoObject,
    /// It does not say what it is.
    #[error("it has no `schema`")]
    NoSchema,
    /// It does not say which package it belongs to.
    #[error("it has no `package`")]
    NoPackage,
    /// It belongs to a package with a name that no directory can have.
    #[error("the name of its package cannot be that of a directory")]
    PackageName,
    /// It has no name.
    #[error("it has no `name`")]
    NoName,
    /// A key that may be there once is there twice, be it in another case.
    #[error("it has `{key}` twice")]
    Twice {
        /// The key.
        key: &'static str,
    },
    /// The value of a key is no text.
    #[error("its `{key}` is no text")]
    NoText {
        /// The key.
        key: &'static str,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// A part of it does not have the form that its schema prescribes.
    #[error("its `{key}` cannot be read")]
    Part {
        /// The key.
        key: &'static str,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// There are more rules about files that are none of the catalog than are looked at.
    #[error("its rules are longer than {} KiB", super::ignore::LONGEST >> 10)]
    ManyRules,
    /// It stands in the catalog twice.
    #[error("it is in `{first}` as well")]
    Duplicate {
        /// The other file, or the same.
        first: String,
    },
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.schema.is_empty() {
            return f.write_str("an object");
        }
        write!(f, "`{}`", self.schema)?;
        if !self.name.is_empty() {
            write!(f, " `{}`", self.name)?;
        }
        if !self.package.is_empty() && self.schema != "olm.package" {
            write!(f, " of package `{}`", self.package)?;
        }
        Ok(())
    }
}
