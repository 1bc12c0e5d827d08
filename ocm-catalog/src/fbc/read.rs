use std::collections::BTreeSet;

use memchr::memchr_iter;

use super::{
    body::{Body, Format},
    documents::{Content, Document, Documents},
    error::{DocumentError, ObjectFault, ObjectName},
    head::Head,
    ignore::{self, IgnoreRules},
    members::Members,
    yaml,
};
use crate::{images::related_images, model::Object};

/// The packages of which more is wanted than that they are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// All of them.
    All,
    /// Those of these names.
    Named(BTreeSet<String>),
    /// All of them, without the contents of their bundles: for an [`Outline`](crate::Outline).
    Outline,
    /// Of all of them what images their bundles need, and no contents: for an
    /// [`ImageList`](crate::ImageList).
    Images,
}

/// What was found in one file of a catalog. It holds nothing of what was not wanted.
#[derive(Debug)]
pub struct CatalogFile {
    pub(crate) path: String,
    pub(crate) found: Vec<Found>,
    /// The names of all packages of which there is something.
    pub(crate) packages: BTreeSet<String>,
    /// What cannot be read and belongs to what is wanted, or may do so.
    pub(crate) errors: Vec<DocumentError>,
    /// What cannot be read and does not.
    pub(crate) ignored: Vec<DocumentError>,
    /// Which files are none of the catalog's, if this one says so.
    pub(crate) rules: Option<IgnoreRules>,
}

/// An object that is wanted.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) head: Head,
    pub(crate) line: usize,
    pub(crate) object: Object,
}

impl Wanted {
    fn contains(&self, package: &str) -> bool {
        match self {
            Self::All | Self::Outline | Self::Images => true,
            Self::Named(names) => names.contains(package),
        }
    }

    /// Whether an object is: of a package that is, or of the whole catalog.
    fn has(&self, head: &Head) -> bool {
        self.contains(&head.package)
            || (head.package.is_empty() && !head.schema.starts_with("olm."))
    }
}

/// Reads a file of a catalog. `path` is relative to its root, with `/` between its parts.
///
/// Each file is read by itself, so that several can be at once; [`assemble`](crate::assemble)
/// makes a catalog of them. Of what is not wanted only the names of packages are kept. A file
/// `.indexignore` is one of them, and says which others are none.
pub fn read(path: &str, bytes: &[u8], wanted: &Wanted) -> CatalogFile {
    let mut reader = Reader { path, bytes, wanted, counted: (0, 1), broken: Vec::new() };
    let mut file = CatalogFile {
        path: path.to_owned(),
        found: Vec::new(),
        packages: BTreeSet::new(),
        errors: Vec::new(),
        ignored: Vec::new(),
        rules: IgnoreRules::of(path, bytes),
    };
    if file.rules.is_none() {
        for document in Documents::new(bytes) {
            reader.document(document, &mut file);
        }
    } else if bytes.len() > ignore::LONGEST {
        reader.refuse(1, &Head::default(), ObjectFault::ManyRules, false);
    }
    let is_fatal = reader.may_be_wanted(&file);
    for (error, ends_file) in reader.broken {
        let is_known = !error.object.schema.is_empty();
        let is_wanted = if is_known {
            wanted.contains(&error.object.package)
        } else {
            is_fatal || (ends_file && file.packages.len() > 1)
        };
        if is_wanted && *wanted != Wanted::Outline {
            file.errors.push(error);
        } else {
            file.ignored.push(error);
        }
    }
    file
}

/// Whether a directory can have that name: each package is written to one of its own.
fn is_file_name(name: &str) -> bool {
    let is_illegal = |c: char| matches!(c, '/' | '\\') || c.is_control();
    !matches!(name, "." | "..") && !name.contains(is_illegal)
}

struct Reader<'a> {
    path: &'a str,
    bytes: &'a [u8],
    wanted: &'a Wanted,
    /// How far lines were counted: a place in bytes, and its line.
    counted: (usize, usize),
    /// What cannot be read, and whether nothing can be that follows it.
    broken: Vec<(DocumentError, bool)>,
}

impl Reader<'_> {
    fn document(&mut self, document: Document<'_>, file: &mut CatalogFile) {
        let Document { place, content } = document;
        let line = self.line(place.start);
        let text = self.bytes.get(place).unwrap_or_default();
        let mut head = Head::default();
        let found = match content {
            Content::Json(members) => Head::of(&members).and_then(|known| {
                head = known;
                self.object(&head, &members, text, Format::Json)
            }),
            Content::Yaml => self.yaml(text, &mut head),
            Content::Broken(fault) => {
                self.refuse(line, &head, fault, true);
                return;
            }
        };
        if !head.package.is_empty() && !is_file_name(&head.package) {
            self.refuse(line, &head, ObjectFault::PackageName, false);
            return;
        }
        if !head.package.is_empty() && !file.packages.contains(&head.package) {
            file.packages.insert(head.package.clone());
        }
        match found {
            Ok(Some(object)) => file.found.push(Found { head, line, object }),
            Ok(None) => {}
            Err(fault) => self.refuse(line, &head, fault, false),
        }
    }

    /// Reads a YAML document: its head alone, if that can be done and shows that it is not wanted.
    fn yaml(&self, text: &[u8], head: &mut Head) -> Result<Option<Object>, ObjectFault> {
        if let Some(known) = Head::of_lines(text) {
            *head = known;
            if !self.wanted.has(head) {
                return Ok(None);
            }
        }
        let Some(json) = yaml::to_json(text)? else { return Ok(None) };
        let members = Members::of(&json).map_err(ObjectFault::Json)?;
        *head = Head::of(&members)?;
        self.object(head, &members, text, Format::Yaml)
    }

    fn object(
        &self,
        head: &Head,
        members: &Members<'_>,
        text: &[u8],
        format: Format,
    ) -> Result<Option<Object>, ObjectFault> {
        if !self.wanted.has(head) {
            return Ok(None);
        }
        let is_bundle = head.schema == "olm.bundle";
        let body = || match self.wanted {
            Wanted::Outline if is_bundle => Body::new(format, Vec::new()),
            Wanted::Images if is_bundle => related_images(members),
            Wanted::Images => Body::new(format, Vec::new()),
            _ => Body::new(format, text.to_vec()),
        };
        Object::read(head, members, body).map(Some)
    }

    fn refuse(&mut self, line: usize, head: &Head, fault: ObjectFault, ends_file: bool) {
        let Head { schema, package, name } = head.clone();
        let object = ObjectName { schema, package, name };
        let path = self.path.to_owned();
        self.broken.push((DocumentError { path, line, object, fault }, ends_file));
    }

    /// Whether something in the file that does not say what it is may belong to what is wanted:
    /// unless everything else in it, and its directory, belongs to something else.
    fn may_be_wanted(&self, file: &CatalogFile) -> bool {
        let directory = self.path.split_once('/').map(|(directory, _)| directory);
        let mut owners = file.packages.iter().map(String::as_str).chain(directory).peekable();
        owners.peek().is_none() || owners.any(|package| self.wanted.contains(package))
    }

    /// Returns the line of a place in the file; places are asked for in ascending order.
    fn line(&mut self, place: usize) -> usize {
        let (start, line) = self.counted;
        let between = self.bytes.get(start..place).unwrap_or_default();
        self.counted = (place, line + memchr_iter(b'\n', between).count());
        self.counted.1
    }
}
