use std::str::FromStr;

use clap::{Args, builder::NonEmptyStringValueParser};
use ocm_config::Pattern;
use ocm_graph::{MissingPaths, Refusal};
use ocm_mirror::{GraphDataOrigin, PathRules};
use ocm_oci::ImageRef;

use super::{Switch, values::image};

/// The word for no image; no image can be called that, as in a Dockerfile.
const SCRATCH: &str = "scratch";
/// The word for all risks.
const ALL: &str = "all";

/// Flags about releases.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReleaseArgs {
    #[command(flatten)]
    pub(crate) paths: PathArgs,
    /// Take the release that `platform.release` names, and those of OKD, even without a good
    /// signature
    #[arg(long, default_value_t = Switch::Off, help_heading = "Releases")]
    pub(crate) ignore_release_signature: Switch,
    /// Mirror payloads from 4.21 on even without the sigstore signature that nodes ask for
    #[arg(long, default_value_t = Switch::Off, help_heading = "Releases")]
    pub(crate) allow_unsigned_release: Switch,
    /// Build the image of the update graph (`graph: true`) upon this one, which has `bash` and
    /// `cp`, or upon nothing: `scratch`, where ocm is linked statically and the cluster has
    /// machines like this one [default: that of the image that `--graph-data` names, or Red Hat's
    /// ubi9/ubi]
    #[arg(long, value_name = "IMAGE", help_heading = "Releases")]
    pub(crate) graph_base_image: Option<BaseImage>,
    /// Take the data of the update graph from here: an address, a file `graph-data.tar.gz`, the
    /// directory of an earlier archive, or an earlier graph image, `docker://IMAGE` [default: Red
    /// Hat's, or that beside `UPDATE_URL_OVERRIDE`]
    #[arg(long, value_name = "WHERE", help_heading = "Releases")]
    pub(crate) graph_data: Option<GraphDataOrigin>,
}

/// What an image is built upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BaseImage {
    /// Another image.
    Named(ImageRef),
    /// Nothing.
    Scratch,
}

impl FromStr for BaseImage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            SCRATCH => Ok(Self::Scratch),
            text => image(text).map(Self::Named),
        }
    }
}

/// Which upgrades are not to be relied on.
#[derive(Debug, Clone, Args)]
pub(crate) struct RefusedArgs {
    /// Do not rely on upgrades with this risk, or with `all` on any that has one; may be repeated
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        value_parser = NonEmptyStringValueParser::new(),
        help_heading = "Releases"
    )]
    refuse_risk: Vec<String>,
}

/// Flags about upgrade paths.
#[derive(Debug, Clone, Args)]
pub(crate) struct PathArgs {
    #[command(flatten)]
    refused: RefusedArgs,
    /// Fail where there is no upgrade path, instead of taking both of its ends
    #[arg(long, default_value_t = Switch::Off, help_heading = "Releases")]
    require_path: Switch,
}

impl RefusedArgs {
    /// Returns what is refused.
    pub(crate) fn refusal(&self) -> Refusal {
        match self.refuse_risk.as_slice() {
            [] => Refusal::Nothing,
            names if names.iter().any(|name| name == ALL) => Refusal::Everything,
            names => Refusal::Named(names.iter().cloned().collect()),
        }
    }
}

impl PathArgs {
    /// Returns what is made of paths that are risky, or are not there; and which versions count as
    /// the newest or the oldest of a channel, if not all.
    pub(crate) fn rules(&self, ends: Option<Pattern>) -> PathRules {
        let refusal = self.refused.refusal();
        let is_required = self.require_path.is_on();
        let missing_paths = if is_required { MissingPaths::Fail } else { MissingPaths::Warn };
        PathRules { refusal, missing_paths, ends }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_goes_before_names() {
        let refusal = |names: &[&str]| {
            let refuse_risk = names.iter().map(ToString::to_string).collect();
            RefusedArgs { refuse_risk }.refusal()
        };
        let named =
            |names: &[&str]| Refusal::Named(names.iter().map(ToString::to_string).collect());
        assert_eq!(refusal(&[]), Refusal::Nothing);
        assert_eq!(refusal(&["B", "A", "B"]), named(&["A", "B"]));
        assert_eq!(refusal(&["A", "all"]), Refusal::Everything);
        assert_eq!(refusal(&["ALL"]), named(&["ALL"]));
    }
}
