use std::{borrow::Cow, path::Path, time::SystemTime};

use ocm_config::ReleaseKind;
use ocm_oci::Digest;
use ocm_transport::Client;

use crate::{
    PathRules, UpdateGraphs,
    signature::{Filed, FiledError, Policy, Trust},
};

/// How releases are found, and which are believed to be some.
#[derive(Debug, Clone, Copy)]
pub struct Releasing<'a> {
    /// Who has update graphs.
    pub graphs: &'a dyn UpdateGraphs,
    /// What is made of paths that are risky, or are not there.
    pub paths: &'a PathRules,
    /// Signatures at hand.
    pub signatures: AtHand<'a>,
    /// Who asks stores for others; `None` where nothing may be asked, as with an archive.
    pub web: Option<&'a Client>,
    /// Whose word counts.
    pub trust: &'a ReleaseTrust,
    /// Whether those have to be signed that may be unsigned: the one that `platform.release`
    /// names, and those of OKD.
    pub unsigned: Policy,
    /// Whether payloads from 4.21 on must have the sigstore signature that nodes ask for.
    pub sigstore: Policy,
    /// The time by which keys and signatures are in force.
    pub now: SystemTime,
}

/// Signatures that need not be asked for.
#[derive(Debug, Clone, Copy)]
pub enum AtHand<'a> {
    /// In files of a directory, which need not exist.
    Directory(&'a Path),
    /// Carried along in an archive.
    Carried(&'a Filed),
}

impl<'a> AtHand<'a> {
    /// Returns those about `releases`, and perhaps others.
    pub(super) async fn about(self, releases: &[Digest]) -> Result<Cow<'a, Filed>, FiledError> {
        match self {
            Self::Directory(directory) => Ok(Cow::Owned(Filed::read(directory, releases).await?)),
            Self::Carried(filed) => Ok(Cow::Borrowed(filed)),
        }
    }
}

/// Whose word counts, for each kind of release.
#[derive(Debug, Clone)]
pub struct ReleaseTrust {
    /// For those of Red Hat OpenShift.
    pub ocp: Trust,
    /// For those of OKD.
    pub okd: Trust,
}

impl ReleaseTrust {
    /// Returns who is trusted with releases of that kind.
    pub fn of(&self, kind: ReleaseKind) -> &Trust {
        match kind {
            ReleaseKind::Ocp => &self.ocp,
            ReleaseKind::Okd => &self.okd,
        }
    }
}

impl Default for ReleaseTrust {
    /// Trusts those who publish releases.
    fn default() -> Self {
        Self { ocp: Trust::of(ReleaseKind::Ocp), okd: Trust::of(ReleaseKind::Okd) }
    }
}
