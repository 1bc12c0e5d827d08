use ocm_oci::{Host, Platform};
use serde_json::{Value, json};

use crate::{Blob, Content, Files, Format, Published, Settings, chance::derive};

/// Where a catalog says in which directory its files are.
const LABEL: &str = "operators.operatorframework.io.index.configs.v1";

/// An image that all operators need.
const SHARED: &str = "operators/kube-rbac-proxy";

/// A catalog of operators, and all images that it leads to, some kilobytes each.
///
/// ```text
/// operators/catalog:v4.18                 the catalog: configs/<package>/catalog.json
/// operators/<package>-bundle@sha256:…     a bundle for each version, which names
/// operators/<package>@sha256:…            the operator of that version, and
/// operators/kube-rbac-proxy@sha256:…      one that all have
/// ```
///
/// The same package in the same version is the same in all catalogs of a seed and a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    seed: u64,
    registry: Host,
    format: Format,
    architectures: Vec<String>,
    packages: Vec<Package>,
    /// Beside those of packages.
    files: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Package {
    name: String,
    channels: Vec<(String, Vec<String>)>,
    naming: Naming,
    /// Packages that every version needs, each with a range of versions.
    required: Vec<(String, String)>,
}

/// How bundles name the operator that they bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Naming {
    /// By its digest.
    #[default]
    Digest,
    /// By a tag: `v` and the version.
    Tag,
    /// By that tag, and the digest.
    Both,
    /// Not at all: there is a name for it, and no image.
    Nothing,
}

/// A catalog that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeCatalog {
    image: Published,
    files: Vec<(String, String)>,
    related: Vec<Published>,
}

impl Catalog {
    /// Begins with no packages, for amd64 alone; references lead to `registry`.
    pub fn new(seed: u64, registry: &Host) -> Self {
        let (registry, architectures) = (registry.clone(), vec!["amd64".to_owned()]);
        let (packages, files) = Default::default();
        Self { seed, registry, format: Format::Oci, architectures, packages, files }
    }

    /// Adds a package with channels, each from its first version to its head; the first channel
    /// is the default one.
    #[must_use]
    pub fn with_package(mut self, name: &str, channels: &[(&str, &[&str])]) -> Self {
        let own = |versions: &[&str]| versions.iter().map(|&one| one.to_owned()).collect();
        let channels = channels.iter().map(|(channel, all)| ((*channel).to_owned(), own(all)));
        let (name, channels) = (name.to_owned(), channels.collect());
        let (naming, required) = Default::default();
        self.packages.push(Package { name, channels, naming, required });
        self
    }

    /// Makes the bundles of the package that was added last name their operators in this way.
    #[must_use]
    pub fn with_naming(mut self, naming: Naming) -> Self {
        if let Some(package) = self.packages.last_mut() {
            package.naming = naming;
        }
        self
    }

    /// Makes the bundles of the package that was added last require another one, in a range of
    /// versions such as `>=1.0.0`.
    #[must_use]
    pub fn with_requirement(mut self, package: &str, versions: &str) -> Self {
        if let Some(last) = self.packages.last_mut() {
            last.required.push((package.to_owned(), versions.to_owned()));
        }
        self
    }

    /// Adds a file below `/configs`.
    #[must_use]
    pub fn with_file(mut self, path: &str, text: impl Into<String>) -> Self {
        self.files.push((path.to_owned(), text.into()));
        self
    }

    /// Makes the catalog for one architecture, or for several: then it is an index.
    #[must_use]
    pub fn for_architectures(self, architectures: &[&str]) -> Self {
        Self { architectures: architectures.iter().map(|&one| one.to_owned()).collect(), ..self }
    }

    /// Writes the catalog's manifests in `format`.
    #[must_use]
    pub fn in_format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    /// Makes the catalog, and all that it leads to.
    pub fn made(&self, repository: &str, tag: &str) -> MadeCatalog {
        let shared = self.image(SHARED, "shared");
        let (mut related, mut files) = (vec![shared.clone()], Vec::new());
        for package in &self.packages {
            let mut text = text(&json!({ "schema": "olm.package", "name": package.name,
                "defaultChannel": package.channels.first().map(|(name, _)| name) }));
            let channels = package.channels.iter().map(|channel| package.channel(channel));
            text.extend(channels);
            for version in package.versions() {
                let [bundle, operator] = self.images(package, version);
                text.push_str(&self.bundle(package, version, [&bundle, &operator, &shared]));
                related.extend([bundle, operator]);
            }
            files.push((format!("{}/catalog.json", package.name), text));
        }
        files.extend(self.files.iter().cloned());
        MadeCatalog {
            image: Published::tagged(repository, tag, self.content(&files)),
            files,
            related,
        }
    }

    fn content(&self, files: &[(String, String)]) -> Content {
        let settings = Settings::named("catalog").with_label(LABEL, "/configs").with_command(&[
            "serve",
            "/configs",
            "--cache-dir=/tmp/cache",
        ]);
        let configs = files.iter().fold(Files::default(), |all, (path, text)| {
            all.with(format!("configs/{path}"), text.clone())
        });
        let cache = Files::default().with("tmp/cache/digest", "what was made of the files");
        let image = |architecture: &String| {
            let platform = Platform::new("linux", architecture.as_str());
            let program = Blob::layer(derive(self.seed, 9_000_000), 5000);
            let layers = vec![program, Blob::files(&configs), Blob::files(&cache)];
            let content = Content::configured(self.format, &platform, &settings, layers);
            (Some(platform), content)
        };
        let mut images: Vec<_> = self.architectures.iter().map(image).collect();
        match images.pop() {
            Some((_, image)) if images.is_empty() => image,
            last => Content::index(self.format, images.into_iter().chain(last).collect()),
        }
    }

    /// Makes the bundle of a version, and its operator.
    fn images(&self, package: &Package, version: &str) -> [Published; 2] {
        let (name, tag) = (&package.name, format!("v{version}"));
        let [bundle, operator] = [format!("operators/{name}-bundle"), format!("operators/{name}")]
            .map(|repository| self.image(&repository, &tag));
        let Published { repository, content, .. } = &operator;
        let operator = match package.naming {
            Naming::Digest | Naming::Nothing => operator,
            _ => Published::tagged(repository.as_str(), &tag, content.clone()),
        };
        [bundle, operator]
    }

    fn image(&self, repository: &str, version: &str) -> Published {
        let name = format!("{repository} {version}");
        let seed = name.bytes().fold(self.seed, |seed, byte| derive(seed, u64::from(byte)));
        let layers = vec![Blob::layer(derive(self.seed, 9_000_001), 3000), Blob::layer(seed, 2100)];
        let platform = Platform::new("linux", "amd64");
        let content = Content::image(Format::Docker, &platform, &name, layers);
        Published { tag: None, ..Published::tagged(repository, "none", content) }
    }

    fn bundle(&self, package: &Package, version: &str, images: [&Published; 3]) -> String {
        let [bundle, operator, shared] = images.map(|image| {
            let tag = image.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
            let digest = match package.naming {
                Naming::Tag if !tag.is_empty() => String::new(),
                _ => format!("@{}", image.content.digest()),
            };
            format!("{}/{}{tag}{digest}", self.registry, image.repository)
        });
        let named = |name: &str, image: &str| json!({ "name": name, "image": image });
        let operator = if package.naming == Naming::Nothing { String::new() } else { operator };
        let mut properties = vec![
            json!({ "type": "olm.package",
                "value": { "packageName": package.name, "version": version } }),
            json!({ "type": "olm.csv.metadata",
                "value": { "displayName": format!("The {} operator", package.name) } }),
        ];
        properties.extend(package.required.iter().map(|(name, versions)| {
            json!({ "type": "olm.package.required",
                "value": { "packageName": name, "versionRange": versions } })
        }));
        text(&json!({
            "schema": "olm.bundle",
            "name": package.bundle_name(version),
            "package": package.name,
            "image": bundle,
            "properties": properties,
            "relatedImages": [
                named("", &bundle), named("operator", &operator), named("proxy", &shared),
            ],
        }))
    }
}

impl Package {
    /// Returns the versions of all channels, each once, in the order they are first named.
    fn versions(&self) -> Vec<&str> {
        let mut versions: Vec<&str> = Vec::new();
        for version in self.channels.iter().flat_map(|(_, versions)| versions) {
            if !versions.contains(&version.as_str()) {
                versions.push(version);
            }
        }
        versions
    }

    fn bundle_name(&self, version: &str) -> String {
        format!("{}.v{version}", self.name)
    }

    fn channel(&self, (name, versions): &(String, Vec<String>)) -> String {
        let mut entries = Vec::new();
        for (nth, version) in versions.iter().enumerate() {
            let mut entry = json!({ "name": self.bundle_name(version) });
            let before = nth.checked_sub(1).and_then(|nth| versions.get(nth));
            if let (Some(before), Some(entry)) = (before, entry.as_object_mut()) {
                entry.insert("replaces".to_owned(), self.bundle_name(before).into());
            }
            entries.push(entry);
        }
        text(&json!({ "schema": "olm.channel", "name": name, "package": self.name,
            "entries": entries }))
    }
}

impl MadeCatalog {
    /// Returns the catalog's image.
    pub fn image(&self) -> &Published {
        &self.image
    }

    /// Returns the catalog's files: path below `/configs`, and text.
    pub fn files(&self) -> &[(String, String)] {
        &self.files
    }

    /// Returns the images that the catalog leads to: first the one that all operators need, then
    /// for each version its bundle and its operator.
    pub fn related(&self) -> &[Published] {
        &self.related
    }

    /// Returns all images, the catalog last.
    pub fn published(&self) -> Vec<Published> {
        self.related.iter().chain([&self.image]).cloned().collect()
    }
}

fn text(json: &Value) -> String {
    format!("{json:#}\n")
}
