//! Which version this is.

use std::env::consts::{ARCH, OS};

use serde_json::{Value, json};

use crate::{args::VersionFormat, console::Console};

/// Name of the program.
pub(crate) const NAME: &str = "ocm";
/// Its version.
pub(crate) const NUMBER: &str = env!("CARGO_PKG_VERSION");
/// Commit it was built from, where the build was told.
const COMMIT: Option<&str> = option_env!("OCM_GIT_COMMIT");
/// When it was built, where the build was told.
const DATE: Option<&str> = option_env!("OCM_BUILD_DATE");

/// Returns version, commit and platform.
pub(crate) fn long() -> String {
    match COMMIT {
        Some(commit) => format!("v{NUMBER} ({commit}, {})", platform()),
        None => format!("v{NUMBER} ({})", platform()),
    }
}

/// Says which version this is.
pub(crate) fn print(format: Option<VersionFormat>, console: &mut Console) {
    console.print(&match format {
        None => format!("{NAME} {}\n", long()),
        Some(VersionFormat::Json) => format!("{:#}\n", object()),
        Some(VersionFormat::Yaml) => yaml(&object()),
    });
}

/// The keys are those that oc-mirror prints, and scripts read.
fn object() -> Value {
    let mut numbers = NUMBER.split('.');
    let mut next = || numbers.next().unwrap_or_default();
    let (major, minor) = (next(), next());
    json!({ "clientVersion": {
        "major": major,
        "minor": minor,
        "gitVersion": format!("v{NUMBER}"),
        "gitCommit": COMMIT.unwrap_or_default(),
        "gitTreeState": "",
        "buildDate": DATE.unwrap_or_default(),
        "goVersion": "",
        "compiler": "rustc",
        "platform": platform(),
    } })
}

/// Writes two levels of texts, which need nothing of YAML but quotes as in JSON.
fn yaml(object: &Value) -> String {
    let field = |(key, value): (&String, &Value)| format!("  {key}: {value}\n");
    let section = |(name, fields): (&String, &Value)| {
        let fields: String = fields.as_object().into_iter().flatten().map(field).collect();
        format!("{name}:\n{fields}")
    };
    object.as_object().into_iter().flatten().map(section).collect()
}

/// Returns system and processor as Go calls them, which all of this field does.
fn platform() -> String {
    let processor = match ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "powerpc64" => "ppc64le",
        other => other,
    };
    let system = if OS == "macos" { "darwin" } else { OS };
    format!("{system}/{processor}")
}
