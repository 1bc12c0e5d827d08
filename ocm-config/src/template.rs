use std::{fmt, str::FromStr};

use crate::{document::parse, fault::Faults};

/// The release that is meant where none is named: the newest when this was written.
const NEWEST: Minor = Minor { major: 4, minor: 21 };

/// The first release whose images are built on RHEL 9.
const RHEL9: Minor = Minor { major: 4, minor: 16 };

/// What an architect of a mirror begins with: an `ImageSetConfiguration` for releases of
/// OpenShift, with the names that catalogs really have.
///
/// ```
/// let template = ocm_config::Template::new(["4.18"])?.with_registry("registry.lab:5000");
/// assert!(template.to_yaml().contains("redhat-operator-index:v4.18"));
/// # Ok::<(), ocm_config::TemplateError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    releases: Vec<Minor>,
    registry: Option<String>,
}

/// Why there is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a minor version of OpenShift")]
pub struct TemplateError {
    /// What was given.
    pub text: String,
}

impl TemplateError {
    /// What to write instead.
    pub const HINT: &'static str = "write major and minor version, such as `4.18`";
}

/// A minor version of OpenShift: `4.18`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Minor {
    major: u32,
    minor: u32,
}

impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for Minor {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let number = |text: &str| {
            let is_plain = text.bytes().all(|b| b.is_ascii_digit());
            text.parse().ok().filter(|_| is_plain)
        };
        let read = |text: &str| {
            let (major, minor) = text.strip_prefix('v').unwrap_or(text).split_once('.')?;
            Some(Self { major: number(major)?, minor: number(minor)? })
        };
        // There were no channels before the fourth.
        let minor = read(text).filter(|minor| minor.major >= 4);
        minor.ok_or_else(|| TemplateError { text: text.to_owned() })
    }
}

impl Template {
    /// Makes one for these minor versions; for the newest where there is none.
    ///
    /// # Errors
    ///
    /// When one is no minor version.
    pub fn new<'v>(versions: impl IntoIterator<Item = &'v str>) -> Result<Self, TemplateError> {
        let versions: Result<Vec<Minor>, _> = versions.into_iter().map(str::parse).collect();
        let mut releases = versions?;
        releases.sort_unstable();
        releases.dedup();
        if releases.is_empty() {
            releases.push(NEWEST);
        }
        Ok(Self { releases, registry: None })
    }

    /// Names the registry that is mirrored to in the commands among the comments.
    #[must_use]
    pub fn with_registry(self, registry: impl Into<String>) -> Self {
        // It becomes part of a comment, which ends with the line.
        let registry: String = registry.into().chars().filter(|c| !c.is_control()).collect();
        Self { registry: Some(registry), ..self }
    }

    /// Returns it as YAML; what is usually forgotten is in it as comments.
    pub fn to_yaml(&self) -> String {
        let named: Vec<_> = self.releases.iter().map(ToString::to_string).collect();
        let registry = self.registry.as_deref().unwrap_or("REGISTRY:PORT");
        let mut text = format!(
            "\
# What to mirror for OpenShift {named}.
#
#   ocm config check imageset.yaml                 # what is wrong with it, and what it means
#   ocm -c imageset.yaml --workspace file:///srv/mirror docker://{registry}
#   ocm -c imageset.yaml file:///media/usb         # where there is no way to the registry
kind: ImageSetConfiguration
apiVersion: mirror.openshift.io/v2alpha1
# archiveSize: 4             # GiB, at most, of each volume of an archive
mirror:
  platform:
    channels:
",
            named = named.join(" and ")
        );
        text.extend(self.releases.iter().map(|release| {
            format!(
                "    \
    - name: stable-{release}      # the newest release of it; with a range, all of that
      # minVersion: {release}.1
      # maxVersion: {release}.2
"
            )
        }));
        text.push_str(
            "    \
    graph: true              # the update graph, for the OpenShift Update Service
    # architectures: [amd64] # or arm64, ppc64le, s390x, multi
  operators:
",
        );
        for release in &self.releases {
            text.push_str(&catalogs(*release));
        }
        text.push_str(&images(&self.releases));
        text
    }

    /// Returns it as JSON, in which there are no comments.
    ///
    /// # Errors
    ///
    /// None: a template is a configuration.
    pub fn to_json(&self) -> Result<String, Faults> {
        parse(self.to_yaml().as_bytes()).map(|parsed| parsed.image_set.to_json())
    }
}

/// Operators that nearly every cluster without internet has, and the other catalogs.
fn catalogs(release: Minor) -> String {
    let catalog = |name: &str| format!("registry.redhat.io/redhat/{name}:v{release}");
    let others = ["certified-operator-index", "community-operator-index"];
    let others = others.map(|name| format!("  # - catalog: {}\n", catalog(name))).concat();
    format!(
        "  \
  - catalog: {redhat}
    packages:
    - name: cincinnati-operator          # the OpenShift Update Service
      channels:
      - name: v1
    # - name: local-storage-operator
    #   channels:
    #   - name: stable
{others}",
        redhat = catalog("redhat-operator-index")
    )
}

/// Images that are missed when something has to be found out, and that nothing else names.
fn images(releases: &[Minor]) -> String {
    let mut text =
        "  # additionalImages:        # what is missed when something has to be found out\n"
            .to_owned();
    text.extend(releases.iter().map(|release| {
        // Before, it was built on the eighth version of the system.
        let system = if *release < RHEL9 { "" } else { "-rhel9" };
        let image = format!("registry.redhat.io/openshift4/ose-must-gather{system}:v{release}");
        format!("  # - name: {image}   # oc adm must-gather\n")
    }));
    text.push_str(
        "  \
  # - name: registry.redhat.io/rhel9/support-tools:latest      # oc debug node
  # - name: registry.redhat.io/ubi9/ubi:latest
",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_configurations() {
        for versions in [vec![], vec!["4.18"], vec!["4.20", "v4.18", "4.20"]] {
            let template = Template::new(versions).unwrap().with_registry("r.lab:5000/ocp\n- x");
            let yaml = template.to_yaml();
            let parsed = parse(yaml.as_bytes()).unwrap();
            assert_eq!(parsed.warnings, [], "{yaml}");
            assert!(parsed.image_set.mirror.item_faults().is_empty(), "{yaml}");
            assert!(yaml.contains("docker://r.lab:5000/ocp- x\n"), "{yaml}");
            let json = template.to_json().unwrap();
            let read = parse(json.as_bytes()).unwrap().image_set.mirror;
            assert_eq!(read.operators.len(), parsed.image_set.mirror.operators.len());
        }
    }

    /// What is commented out is right, too.
    #[test]
    fn what_is_commented_out_can_be_used() {
        let yaml = Template::new(["4.18", "4.20"]).unwrap().to_yaml();
        let (head, body) = yaml.split_once("kind:").unwrap();
        assert!(head.lines().all(|line| line.starts_with('#')));
        let body = body.lines().map(|line| {
            let indent = line.len() - line.trim_start().len();
            let rest = line.trim_start().strip_prefix("# ").unwrap_or(line.trim_start());
            format!("{}{rest}\n", " ".repeat(indent))
        });
        let text = format!("kind:{}", body.collect::<String>());
        let parsed = parse(text.as_bytes()).unwrap_or_else(|faults| panic!("{faults}\n{text}"));
        let mirror = &parsed.image_set.mirror;
        assert_eq!((mirror.operators.len(), mirror.additional_images.len()), (6, 4), "{text}");
        assert!(mirror.item_faults().is_empty());
        assert!(
            parsed.warnings.iter().all(|w| w.severity < crate::Severity::Warning),
            "{:?}",
            parsed.warnings
        );
    }

    #[test]
    fn only_minor_versions_of_openshift_are_taken() {
        for text in ["4", "4.18.1", "3.11", "stable-4.18", "4.x", "", "4.+1", "4.99999999999"] {
            assert_eq!(Template::new([text]).unwrap_err().text, text);
        }
    }
}
