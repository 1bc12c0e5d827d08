//! What must be on a cluster for a bundle, and what a bundle brings to it.

use std::{borrow::Cow, fmt};

use serde::Deserialize;

use crate::range::OlmRange;

/// Most constraints within constraints: what is deeper is not looked at.
const MOST_DEPTH: usize = 16;

/// A kind of objects that a cluster can have, such as `Prometheus` in version `v1` of group
/// `monitoring.coreos.com`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct ApiKind {
    /// The group of the API.
    pub group: String,
    /// The version of the API.
    pub version: String,
    /// The kind.
    pub kind: String,
}

/// Something that a bundle requires.
///
/// Source: <https://olm.operatorframework.io/docs/concepts/olm-architecture/dependency-resolution/>.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Requirement {
    /// A bundle of a package, in one of some versions.
    Package {
        /// The package.
        package: String,
        /// The versions, as they are written.
        written: String,
        /// The versions, if that can be read.
        range: Option<OlmRange>,
    },
    /// A bundle that brings a kind.
    Kind(ApiKind),
    /// All of several.
    All(Vec<Self>),
    /// One of several at least.
    Any(Vec<Self>),
    /// Something of which it cannot be told here whether it is there.
    Unknown(String),
}

impl ApiKind {
    /// Reads one; `None` where it is none.
    pub(crate) fn read(value: &str) -> Option<Self> {
        serde_json::from_str(value).ok()
    }
}

/// A constraint in a property `olm.constraint`, or in another constraint.
#[derive(Deserialize)]
struct Constraint<'a> {
    #[serde(borrow)]
    package: Option<PackageRequired<'a>>,
    gvk: Option<ApiKind>,
    #[serde(borrow)]
    all: Option<Constraints<'a>>,
    #[serde(borrow)]
    any: Option<Constraints<'a>>,
}

#[derive(Deserialize)]
struct Constraints<'a> {
    #[serde(borrow, default)]
    constraints: Vec<Constraint<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PackageRequired<'a> {
    #[serde(borrow)]
    package_name: Cow<'a, str>,
    #[serde(borrow, default)]
    version_range: Cow<'a, str>,
}

impl Requirement {
    /// Reads what a property requires; `None` where it requires nothing.
    pub(crate) fn read(kind: &str, value: &str) -> Option<Self> {
        let read = match kind {
            "olm.package.required" => serde_json::from_str(value).map(Self::of_package),
            "olm.gvk.required" => serde_json::from_str(value).map(Self::Kind),
            "olm.constraint" => serde_json::from_str(value).map(|c| Self::of_constraint(c, 0)),
            _ => return None,
        };
        Some(read.unwrap_or_else(|error| Self::Unknown(format!("`{kind}` that is none: {error}"))))
    }

    fn of_package(PackageRequired { package_name, version_range }: PackageRequired<'_>) -> Self {
        let range = version_range.parse().ok();
        Self::Package { package: package_name.into(), written: version_range.into(), range }
    }

    fn of_constraint(constraint: Constraint<'_>, depth: usize) -> Self {
        let all = |list: Constraints<'_>| {
            let all = list.constraints.into_iter();
            all.map(|constraint| Self::of_constraint(constraint, depth + 1)).collect()
        };
        match constraint {
            _ if depth > MOST_DEPTH => Self::Unknown("constraints too deep in others".to_owned()),
            Constraint { package: Some(package), .. } => Self::of_package(package),
            Constraint { gvk: Some(kind), .. } => Self::Kind(kind),
            Constraint { all: Some(list), .. } => Self::All(all(list)),
            Constraint { any: Some(list), .. } => Self::Any(all(list)),
            // `cel`, an expression over the properties of bundles; and `not`, which adds nothing.
            _ => Self::Unknown(
                "a constraint that is an expression, or is of what must not be".to_owned(),
            ),
        }
    }

    /// Whether it is met, where `is_met` tells that of packages and kinds. What cannot be told is
    /// taken to be.
    pub(crate) fn is_met(&self, is_met: &impl Fn(&Self) -> bool) -> bool {
        match self {
            Self::All(all) => all.iter().all(|one| one.is_met(is_met)),
            Self::Any(any) => any.iter().any(|one| one.is_met(is_met)),
            Self::Unknown(_) => true,
            Self::Package { .. } | Self::Kind(_) => is_met(self),
        }
    }

    /// Returns the packages and kinds in it that are not met: of alternatives, those of the first
    /// for which all that is missing `can_be`.
    pub(crate) fn missing<'r>(
        &'r self,
        is_met: &impl Fn(&Self) -> bool,
        can_be: &impl Fn(&Self) -> bool,
    ) -> Vec<&'r Self> {
        match self {
            Self::All(all) => all.iter().flat_map(|one| one.missing(is_met, can_be)).collect(),
            Self::Any(any) if !self.is_met(is_met) => {
                let mut ways = any.iter().map(|one| one.missing(is_met, can_be));
                ways.find(|way| way.iter().all(|one| can_be(one))).unwrap_or_default()
            }
            Self::Package { .. } | Self::Kind(_) if !is_met(self) => vec![self],
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for ApiKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kind `{}` of `{}/{}`", self.kind, self.group, self.version)
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, all: &[Self], between: &str| {
            let texts: Vec<_> = all.iter().map(ToString::to_string).collect();
            f.write_str(&texts.join(between))
        };
        match self {
            Self::Package { package, written, .. } => write!(f, "package `{package}` {written}"),
            Self::Kind(kind) => kind.fmt(f),
            Self::All(all) => list(f, all, " and "),
            Self::Any(any) => list(f, any, " or "),
            Self::Unknown(what) => f.write_str(what),
        }
    }
}
