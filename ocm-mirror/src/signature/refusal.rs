use ocm_transport::TransportError;

use super::SignatureError;
use crate::{Code, Failure, Side};

/// Why a release is not mirrored: nobody trusted says that it is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Something was found that does not count.
    #[error("signature of release `{release}`, {at}, does not count")]
    NotGood {
        /// The release, as people know it.
        release: String,
        /// Where it was found.
        at: String,
        /// Why it does not count.
        source: SignatureError,
    },
    /// No store has one.
    #[error("there is no signature of release `{release}` in {}", .stores.join(", "))]
    NotFound {
        /// The release.
        release: String,
        /// Where it was looked for.
        stores: Vec<String>,
    },
    /// None is at hand, and nothing else may be asked.
    #[error("there is no signature of release `{release}` in the archive")]
    NotFiled {
        /// The release.
        release: String,
    },
    /// A store does not answer.
    #[error("could not look for a signature of release `{release}`")]
    Unasked {
        /// The release.
        release: String,
        /// What went wrong.
        source: TransportError,
    },
}

impl Refusal {
    /// Returns what may help.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotGood { source, .. } => return source.hint().map(str::to_owned),
            Self::Unasked { source, .. } => return Failure::from(source).hint,
            Self::NotFound { .. } => {
                "nightly builds and builds of your own are not signed by Red Hat: name the signer's \
                 key with OCP_SIGNATURE_VERIFICATION_PK and the store with OCP_SIGNATURE_URL, or \
                 name the release in `platform.release` and use `--ignore-release-signature`"
            }
            Self::NotFiled { .. } => {
                "mirror to disk again with this configuration, and carry that archive over"
            }
        };
        Some(hint.to_owned())
    }

    fn release(&self) -> &str {
        match self {
            Self::NotGood { release, .. }
            | Self::NotFound { release, .. }
            | Self::NotFiled { release }
            | Self::Unasked { release, .. } => release,
        }
    }
}

impl From<&Refusal> for Failure {
    fn from(refusal: &Refusal) -> Self {
        let code = match refusal {
            Refusal::Unasked { source, .. } => Code::Transport(source.kind()),
            _ => Code::Signature,
        };
        let failure = Self::new(code, Side::Source, refusal).of(refusal.release());
        Self { hint: refusal.hint(), ..failure }
    }
}
