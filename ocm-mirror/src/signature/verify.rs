use std::{
    fmt,
    time::{Duration, SystemTime},
};

use ocm_oci::{Digest, ImageRef, RepoName};
use pgp::{
    crypto::hash::HashAlgorithm,
    packet::{Signature, SignatureConfig},
};

use super::{
    Keyring, SignatureError,
    keyring::{Key, Standing},
    message::{Message, Signed},
    statement::Statement,
};

/// What a signature must be of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The release image.
    pub digest: Digest,
    /// What it may have been signed as.
    pub repositories: Repositories,
}

/// Names that releases are signed by. `Display` lists them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repositories {
    /// Any: the key signs nothing but releases.
    Any,
    /// Those whose path is, or ends in, one of these, on whatever host.
    Ending(Vec<RepoName>),
}

/// A release image that somebody trusted has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The image, by its digest: what is pulled.
    pub digest: Digest,
    /// The name that was signed with it: what it is called. Its host is not where it is pulled.
    pub identity: ImageRef,
    /// Fingerprint of the key.
    pub signer: String,
    /// When, as the signer says.
    pub signed_at: Option<SystemTime>,
}

/// Verifies `message`: that a key of `keyring`, in force at `now`, signed what is `expected`.
///
/// Where several have signed one text, one of them is enough.
///
/// # Errors
///
/// A [`SignatureError`], in this order: what is wrong with the message, the key, the signature,
/// and only then the text, as nothing of it means anything before.
pub fn verify(
    message: &[u8],
    keyring: &Keyring,
    expected: &Expected,
    now: SystemTime,
) -> Result<Verified, SignatureError> {
    let Message { text, signatures } = Message::read(message)?;
    let mut refused = SignatureError::Unsigned;
    for signed in &signatures {
        match signer(&text, signed, keyring, now) {
            Ok(key) => {
                let signed_at = signed.signature.created().map(SystemTime::from);
                return accept(&text, (key, signed_at), expected);
            }
            // That one signer is unknown says less than what is wrong with a known one.
            Err(SignatureError::Untrusted { .. })
                if !matches!(refused, SignatureError::Unsigned) => {}
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// Reads the text that `key` has signed.
fn accept(
    text: &[u8],
    (key, signed_at): (&Key, Option<SystemTime>),
    Expected { digest, repositories }: &Expected,
) -> Result<Verified, SignatureError> {
    let Statement { digest: signed, identity } = Statement::read(text)?;
    if signed != *digest {
        return Err(SignatureError::OtherDigest { signed, expected: digest.clone() });
    }
    if !repositories.admit(identity.repository()) {
        return Err(SignatureError::OtherRepository {
            signed: identity.as_written().to_owned(),
            expected: repositories.to_string(),
        });
    }
    Ok(Verified { digest: signed, identity, signer: key.name(), signed_at })
}

/// Returns the key that has signed `text`.
fn signer<'a>(
    text: &[u8],
    Signed { key: id, signature }: &Signed,
    keyring: &'a Keyring,
    now: SystemTime,
) -> Result<&'a Key, SignatureError> {
    let config = signature.config();
    let config = config.ok_or(SignatureError::Malformed { what: "it is of an unknown version" })?;
    if !is_strong(config.hash_alg) {
        return Err(SignatureError::WeakHash { algorithm: config.hash_alg.to_string() });
    }
    let mut refused = SignatureError::Untrusted { key: id.to_string().to_uppercase() };
    for key in keyring.find(id) {
        match check(text, (signature, config), key, now) {
            Ok(()) => return Ok(key),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// Whether `key` has signed `text`, and both it and the signature are in force.
fn check(
    text: &[u8],
    (signature, config): (&Signature, &SignatureConfig),
    key: &Key,
    now: SystemTime,
) -> Result<(), SignatureError> {
    if let Err(error) = key.verify(signature, text) {
        return Err(if signature.signed_hash_value() == hash_prefix(text, config) {
            SignatureError::AlteredSignature { key: key.name(), source: Box::new(error) }
        } else {
            SignatureError::AlteredText { key: key.name() }
        });
    }
    match key.standing {
        Standing::Good => {}
        Standing::Revoked => return Err(SignatureError::KeyRevoked { key: key.name() }),
        Standing::NotForSigning => return Err(SignatureError::NotForSigning { key: key.name() }),
    }
    if let Some(at) = key.expires.filter(|at| *at <= now) {
        return Err(SignatureError::KeyExpired { key: key.name(), at });
    }
    match expiry(signature).filter(|at| *at <= now) {
        Some(at) => Err(SignatureError::Expired { at }),
        None => Ok(()),
    }
}

/// Whether nobody can make another text with the same hash.
fn is_strong(algorithm: HashAlgorithm) -> bool {
    use HashAlgorithm::{Sha3_256, Sha3_512, Sha256, Sha384, Sha512};
    matches!(algorithm, Sha256 | Sha384 | Sha512 | Sha3_256 | Sha3_512)
}

fn expiry(signature: &Signature) -> Option<SystemTime> {
    let after = signature.signature_expiration_time().map(|after| u64::from(after.as_secs()));
    let after = after.filter(|seconds| *seconds > 0)?;
    Some(SystemTime::from(signature.created()?) + Duration::from_secs(after))
}

/// Returns the first two bytes of the hash that should have been signed, which a signature
/// carries in clear: they tell an altered text from an altered signature.
fn hash_prefix(text: &[u8], config: &SignatureConfig) -> Option<[u8; 2]> {
    let mut hasher = config.hash_alg.new_hasher().ok()?;
    config.hash_data_to_sign(&mut hasher, text).ok()?;
    let length = config.hash_signature_data(&mut hasher).ok()?;
    hasher.update(&config.trailer(length).ok()?);
    hasher.finalize().first_chunk().copied()
}

impl Repositories {
    /// Whether a release may have been signed as `repository`.
    pub fn admit(&self, repository: &RepoName) -> bool {
        match self {
            Self::Any => true,
            Self::Ending(names) => names.iter().any(|name| repository.ends_with(name)),
        }
    }
}

impl fmt::Display for Repositories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any repository"),
            Self::Ending(names) => {
                let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
                f.write_str(&names.join(", "))
            }
        }
    }
}
