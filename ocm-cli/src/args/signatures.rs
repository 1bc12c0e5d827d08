use clap::{Args, ValueEnum};
use ocm_mirror::{AttachingScope, Signatures};

use super::Switch;

/// Flags about signatures of images, and other statements about them.
#[derive(Debug, Clone, Args)]
pub(crate) struct SignatureArgs {
    /// Signatures, attestations and bills of materials of images: copy those there are, leave out
    /// images without a signature, or leave them all behind [default: copy]
    #[arg(
        long,
        value_name = "WHAT",
        value_enum,
        hide_possible_values = false,
        help_heading = "Mirroring"
    )]
    pub(crate) signatures: Option<SignaturesWord>,
    /// The same as `--signatures skip`
    #[arg(long, default_value_t = Switch::Off, help_heading = "Mirroring")]
    pub(crate) remove_signatures: Switch,
    /// Ask for the signatures of images that are at the destination already, too
    #[arg(long, default_value_t = Switch::Off, help_heading = "Mirroring")]
    pub(crate) refresh_signatures: Switch,
}

/// What becomes of signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignaturesWord {
    Copy,
    Require,
    Skip,
}

/// Two flags about signatures say the opposite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opposites;

impl SignatureArgs {
    /// Returns what becomes of signatures, and of which images.
    ///
    /// # Errors
    ///
    /// [`Opposites`], where signatures are both wanted and not.
    pub(crate) fn wanted(&self) -> Result<(Signatures, AttachingScope), Opposites> {
        let signatures = match (self.signatures, self.remove_signatures.is_on()) {
            (None | Some(SignaturesWord::Skip), true) | (Some(SignaturesWord::Skip), false) => {
                Signatures::Skip
            }
            (Some(SignaturesWord::Copy | SignaturesWord::Require), true) => return Err(Opposites),
            (Some(SignaturesWord::Require), false) => Signatures::Require,
            (Some(SignaturesWord::Copy) | None, false) => Signatures::Copy,
        };
        let scope = match (self.refresh_signatures.is_on(), signatures) {
            (true, Signatures::Skip) => return Err(Opposites),
            (true, _) => AttachingScope::All,
            (false, _) => AttachingScope::Missing,
        };
        Ok((signatures, scope))
    }
}
