use std::time::SystemTime;

use jiff::Timestamp;
use ocm_oci::{Digest, ReferenceError};

use super::message::LIMIT;

/// Why a release's signature does not count. Each is final: the same bytes are refused again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// There is nothing in it.
    #[error("signature is empty")]
    Empty,
    /// It is larger than any signature.
    #[error("signature is larger than {LIMIT} bytes, or claims to be")]
    TooLarge,
    /// It is a page for people.
    #[error("signature is a web page")]
    Page,
    /// It ends before the signature does.
    #[error("signature ends early")]
    Truncated,
    /// It is no OpenPGP message at all.
    #[error("signature is no OpenPGP message")]
    Unreadable {
        /// What the reader of such messages says.
        source: Box<pgp::errors::Error>,
    },
    /// It is an OpenPGP message, but not one text and its signatures.
    #[error("signature is not one signed text: {what}")]
    Malformed {
        /// What does not fit.
        what: &'static str,
    },
    /// It is a text that nobody signed.
    #[error("text is not signed")]
    Unsigned,
    /// The hash that was signed can be forged.
    #[error("signature is made with {algorithm}, which can be forged")]
    WeakHash {
        /// How the text was hashed.
        algorithm: String,
    },
    /// Who signed is not trusted.
    #[error("key {key} is not trusted")]
    Untrusted {
        /// Identifier of the key, the last 16 digits of its fingerprint.
        key: String,
    },
    /// The text is not the one that was signed.
    #[error("text is not the one that key {key} signed")]
    AlteredText {
        /// Fingerprint of the key.
        key: String,
    },
    /// The signature was not made by the key that it names.
    #[error("signature is not one of key {key}, which it names")]
    AlteredSignature {
        /// Fingerprint of the key.
        key: String,
        /// What the arithmetic says.
        source: Box<pgp::errors::Error>,
    },
    /// The signature is no longer in force.
    #[error("signature expired on {}", day(*.at))]
    Expired {
        /// When it ceased to be in force.
        at: SystemTime,
    },
    /// The key is no longer in force.
    #[error("key {key} expired on {}", day(*.at))]
    KeyExpired {
        /// Fingerprint of the key.
        key: String,
        /// When it ceased to be in force.
        at: SystemTime,
    },
    /// Its owner has taken the key back.
    #[error("key {key} was revoked")]
    KeyRevoked {
        /// Fingerprint of the key.
        key: String,
    },
    /// The key was made for something else.
    #[error("key {key} is not for signing")]
    NotForSigning {
        /// Fingerprint of the key.
        key: String,
    },
    /// What was signed says nothing about an image.
    #[error("signed text is no statement about an image")]
    Statement {
        /// What the reader of such statements says.
        source: serde_json::Error,
    },
    /// What was signed is a statement of another kind.
    #[error("signed text is of type `{found}`, not `{}`", super::statement::TYPE)]
    WrongType {
        /// Its type.
        found: String,
    },
    /// Another image was signed.
    #[error("signature is of `{signed}`, not of `{expected}`")]
    OtherDigest {
        /// What was signed.
        signed: Digest,
        /// What is to be mirrored.
        expected: Digest,
    },
    /// The signed name is none.
    #[error("signed name is none")]
    Identity {
        /// What is wrong with it.
        source: ReferenceError,
    },
    /// The image was signed as something else than a release.
    #[error("image was signed as `{signed}`, and not as one of {expected}")]
    OtherRepository {
        /// What it was signed as.
        signed: String,
        /// What releases are signed as.
        expected: String,
    },
}

impl SignatureError {
    /// Returns what may help.
    pub fn hint(&self) -> Option<&'static str> {
        let hint = match self {
            Self::Empty | Self::Page | Self::Truncated | Self::TooLarge => {
                "a proxy or the signature store answers with something else: open the address \
                 with curl, or put the file into `signatures/` of the working directory"
            }
            Self::Unreadable { .. } | Self::Malformed { .. } | Self::Unsigned => {
                "the file must be what the release's signer published, to the byte: binary, \
                 neither armored nor detached"
            }
            Self::Untrusted { .. } => {
                "if it is the key of a signer whom you trust, name the file with the public key \
                 in OCP_SIGNATURE_VERIFICATION_PK"
            }
            Self::AlteredText { .. } | Self::AlteredSignature { .. } => {
                "do not mirror this release from here: somebody, or a broken disk or proxy, has \
                 changed its signature"
            }
            Self::Expired { .. } | Self::KeyExpired { .. } => {
                "check the clock of this machine; if it is right, ask the signer for a new \
                 signature, or for the renewed key"
            }
            Self::KeyRevoked { .. } => "the signer has a new key, and new signatures",
            Self::OtherDigest { .. } | Self::OtherRepository { .. } => {
                "the signature is good, but of something else: it was filed under this release's \
                 digest by mistake, or by somebody who wants to pass that off as this"
            }
            Self::WeakHash { .. }
            | Self::NotForSigning { .. }
            | Self::Statement { .. }
            | Self::WrongType { .. }
            | Self::Identity { .. } => return None,
        };
        Some(hint)
    }
}

/// Returns the day, or the seconds since 1970 where no calendar reaches.
fn day(at: SystemTime) -> String {
    Timestamp::try_from(at)
        .map_or_else(|_beyond| format!("{at:?}"), |at| at.strftime("%Y-%m-%d").to_string())
}
