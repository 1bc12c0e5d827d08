use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{
    channel_graph::Entries,
    fbc::{Body, Head, Members, ObjectFault},
    requirement::{ApiKind, Requirement},
    version::{BundleVersion, VersionError},
};

/// The object that introduces a package: schema `olm.package`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    pub(crate) default_channel: String,
    pub(crate) body: Body,
}

/// A channel of a package: schema `olm.channel`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    pub(crate) entries: Entries,
    pub(crate) body: Body,
}

/// A bundle of a package: schema `olm.bundle`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    pub(crate) image: String,
    pub(crate) identities: Vec<Identity>,
    pub(crate) kinds: Vec<ApiKind>,
    pub(crate) requirements: Vec<Requirement>,
    pub(crate) body: Body,
}

/// What a bundle says it is, in a property `olm.package`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The package that it says it belongs to.
    pub package: String,
    /// Its version.
    pub version: Result<BundleVersion, VersionError>,
    /// Which build of that version it is, in words of JSON; empty where it does not say.
    pub release: String,
}

/// What is deprecated in a package: schema `olm.deprecations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deprecations {
    pub(crate) entries: Vec<Deprecated>,
    pub(crate) body: Body,
}

/// One thing that is deprecated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deprecated {
    /// What it is: `olm.package`, `olm.channel` or `olm.bundle`.
    pub schema: String,
    /// Its name; empty for the package.
    pub name: String,
    /// What people are told.
    pub message: String,
}

/// An object of any other schema, of which nothing more is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    pub(crate) schema: String,
    pub(crate) name: String,
    pub(crate) body: Body,
}

impl Definition {
    /// Returns the name of the default channel; empty where it has none.
    pub fn default_channel(&self) -> &str {
        &self.default_channel
    }

    /// Returns it as it is written.
    pub fn body(&self) -> &Body {
        &self.body
    }
}

impl Channel {
    /// Returns what is in it.
    pub fn entries(&self) -> &Entries {
        &self.entries
    }

    /// Returns it as it is written.
    pub fn body(&self) -> &Body {
        &self.body
    }
}

impl Bundle {
    /// Returns the reference of its image, as it is written.
    pub fn image(&self) -> &str {
        &self.image
    }

    /// Returns its version, if it says one that can be read.
    pub fn version(&self) -> Option<&BundleVersion> {
        self.identities.first()?.version.as_ref().ok()
    }

    /// Returns the kinds of objects that it brings to a cluster.
    pub fn kinds(&self) -> &[ApiKind] {
        &self.kinds
    }

    /// Returns what must be on a cluster for it.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// Returns what it says it is: of each property `olm.package`, of which there should be one.
    pub fn identities(&self) -> &[Identity] {
        &self.identities
    }

    /// Returns it as it is written.
    pub fn body(&self) -> &Body {
        &self.body
    }
}

impl Deprecations {
    /// Returns what is deprecated.
    pub fn entries(&self) -> &[Deprecated] {
        &self.entries
    }

    /// Returns it as it is written.
    pub fn body(&self) -> &Body {
        &self.body
    }
}

impl Other {
    /// Returns its schema.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// Returns its name; empty where it has none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns it as it is written.
    pub fn body(&self) -> &Body {
        &self.body
    }
}

/// An object, by its schema.
#[derive(Debug, Clone)]
pub(crate) enum Object {
    Package(Arc<Definition>),
    Channel(Arc<Channel>),
    Bundle(Arc<Bundle>),
    Deprecations(Arc<Deprecations>),
    Other(Arc<Other>),
}

impl Object {
    /// Reads what is needed of an object whose members are `members`, and keeps it as it is.
    pub(crate) fn read(
        head: &Head,
        members: &Members<'_>,
        body: impl FnOnce() -> Body,
    ) -> Result<Self, ObjectFault> {
        let is_olm = matches!(
            head.schema.as_str(),
            "olm.package" | "olm.channel" | "olm.bundle" | "olm.deprecations"
        );
        if is_olm && head.name.is_empty() && head.schema != "olm.deprecations" {
            return Err(ObjectFault::NoName);
        }
        if is_olm && head.package.is_empty() {
            return Err(ObjectFault::NoPackage);
        }
        Ok(match head.schema.as_str() {
            "olm.package" => {
                let default_channel = text(members, "defaultChannel")?;
                Self::Package(Arc::new(Definition { default_channel, body: body() }))
            }
            "olm.channel" => {
                let entries = part(members, "entries")?.unwrap_or_default();
                Self::Channel(Arc::new(Channel { entries, body: body() }))
            }
            "olm.bundle" => Self::Bundle(Arc::new(bundle(members, body)?)),
            "olm.deprecations" => {
                let entries: Option<Vec<DeprecationObject>> = part(members, "entries")?;
                let entries = entries.into_iter().flatten().map(Deprecated::from).collect();
                Self::Deprecations(Arc::new(Deprecations { entries, body: body() }))
            }
            schema => {
                let (schema, name) = (schema.to_owned(), head.name.clone());
                Self::Other(Arc::new(Other { schema, name, body: body() }))
            }
        })
    }
}

/// Reads a text, which is empty where it is absent.
fn text(members: &Members<'_>, key: &'static str) -> Result<String, ObjectFault> {
    let text = members.text(key).map_err(|source| ObjectFault::NoText { key, source })?;
    Ok(text.map(Cow::into_owned).unwrap_or_default())
}

/// Reads a part of an object; null is none.
fn part<T: DeserializeOwned>(
    members: &Members<'_>,
    key: &'static str,
) -> Result<Option<T>, ObjectFault> {
    let Some(raw) = members.get(key) else { return Ok(None) };
    serde_json::from_str(raw.get()).map_err(|source| ObjectFault::Part { key, source })
}

fn bundle(members: &Members<'_>, body: impl FnOnce() -> Body) -> Result<Bundle, ObjectFault> {
    let image = text(members, "image")?;
    let (mut identities, mut kinds, mut requirements) = (Vec::new(), Vec::new(), Vec::new());
    for Property { kind, value } in properties(members)? {
        let value = value.map_or("{}", RawValue::get);
        match &*kind {
            "olm.package" => identities.push(identity(value)?),
            "olm.gvk" => kinds.extend(ApiKind::read(value)),
            kind => requirements.extend(Requirement::read(kind, value)),
        }
    }
    Ok(Bundle { image, identities, kinds, requirements, body: body() })
}

/// A property of a bundle.
pub(super) struct Property<'a> {
    pub(super) kind: Cow<'a, str>,
    pub(super) value: Option<&'a RawValue>,
}

/// Reads the properties of a bundle; most of their bytes are passed over.
pub(super) fn properties<'a>(members: &Members<'a>) -> Result<Vec<Property<'a>>, ObjectFault> {
    let property = |one: &Members<'a>| {
        let kind = one.text("type")?.unwrap_or_default();
        Ok(Property { kind, value: one.get("value") })
    };
    let list = members.list("properties").and_then(|list| list.iter().map(property).collect());
    list.map_err(of_properties)
}

fn of_properties(source: serde_json::Error) -> ObjectFault {
    ObjectFault::Part { key: "properties", source }
}

fn identity(value: &str) -> Result<Identity, ObjectFault> {
    let value = Members::of(value.as_bytes()).map_err(of_properties)?;
    let text = |key| value.text(key).map(Option::unwrap_or_default).map_err(of_properties);
    let release = value.get("release").map_or("", RawValue::get);
    let release = if release == "null" { "" } else { release }.to_owned();
    Ok(Identity {
        package: text("packageName")?.into(),
        version: text("version")?.parse(),
        release,
    })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DeprecationObject {
    reference: ReferenceObject,
    message: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ReferenceObject {
    schema: String,
    name: String,
}

impl From<DeprecationObject> for Deprecated {
    fn from(DeprecationObject { reference, message }: DeprecationObject) -> Self {
        let ReferenceObject { schema, name } = reference;
        Self { schema, name, message }
    }
}
