use std::{
    io::Cursor,
    time::{Duration, SystemTime},
};

use pgp::{
    composed::{Deserializable as _, SignedPublicKey, SignedPublicSubKey},
    packet::{PublicKey, PublicSubkey, Signature, SignatureType, SubpacketData},
    types::{Fingerprint, KeyDetails, KeyId, Tag},
};

/// Largest keyring that is read, in bytes.
const LIMIT: usize = 1 << 20;

/// How a block of keys begins, as text.
const BLOCK: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

/// Red Hat's release key 2, `567E 347A D004 4ADE 55BA 8A5F 199E 2F91 FD43 1D51`, and beta key 2,
/// `B08B 659E E86A F623 BC90 E8DB 938A 80CA F215 41EB`; neither expires.
///
/// Source: <https://access.redhat.com/security/team/key>, and the `cluster-update-keys` of every
/// OpenShift release.
const RED_HAT: &str = include_str!("keys/red-hat.asc");

/// The keys of OpenShift's build system, which signs OKD: `D047 61B1 1620 3B0C 0859 B616 28B7 6E05
/// B923 888E` until 2021, `20CC C7AD 272D CD3A A169 F12A 65C2 8371 F55D 29A9` until 2023, `FE52 6D8F
/// 6FED C123 BE21 9E45 CF4B 45E2 071F 0337` until 2025, and `6A95 88F0 7F2D 3AE7 973A D2A9 193E 53CC
/// D2E2 F7A4` until March 2027.
///
/// Source: <https://github.com/openshift/cluster-update-keys>.
const OPENSHIFT_CI: &str = include_str!("keys/openshift-ci.asc");

/// Keys that are trusted to sign releases.
#[derive(Debug, Clone)]
pub struct Keyring {
    keys: Vec<Key>,
}

/// Why a file holds no keyring.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// It holds no public key.
    #[error("there is no OpenPGP public key in it")]
    None,
    /// It is larger than any keyring.
    #[error("it is larger than {LIMIT} bytes")]
    TooLarge,
    /// It cannot be read.
    #[error("it cannot be read as OpenPGP public keys")]
    Unreadable(#[source] Box<pgp::errors::Error>),
    /// A key does not say of itself that it is one.
    #[error("key {key} carries no valid signature of its own")]
    Unbound {
        /// Its fingerprint.
        key: String,
    },
}

impl KeyringError {
    /// What may help against all of them.
    pub const HINT: &str = "the file is what `gpg --armor --export KEY` writes";
}

/// A key that can verify, and what its owner says of it.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) fingerprint: Fingerprint,
    pub(super) id: KeyId,
    pub(super) standing: Standing,
    /// When it ceases to be in force, if it does.
    pub(super) expires: Option<SystemTime>,
    material: Material,
}

/// Whether a key's signatures count at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    Revoked,
    /// It certifies other keys, or encrypts.
    NotForSigning,
}

#[derive(Debug, Clone)]
enum Material {
    Primary(PublicKey),
    Subkey(PublicSubkey),
}

impl Keyring {
    /// Returns the keys that Red Hat signs OpenShift releases with.
    ///
    /// # Panics
    ///
    /// Never: a test reads the constant.
    pub fn red_hat() -> Self {
        Self::read(RED_HAT.as_bytes()).expect("a test reads the constant")
    }

    /// Returns the keys that OpenShift's build system signs OKD releases with.
    ///
    /// # Panics
    ///
    /// Never: a test reads the constant.
    pub fn openshift_ci() -> Self {
        Self::read(OPENSHIFT_CI.as_bytes()).expect("a test reads the constant")
    }

    /// Reads the contents of a file: one key or several, armored or not.
    ///
    /// # Errors
    ///
    /// [`KeyringError`]. A file of which only a part can be read counts as unreadable: a key that
    /// is missing in silence would refuse releases later, for a reason nobody understands.
    pub fn read(bytes: &[u8]) -> Result<Self, KeyringError> {
        if bytes.len() > LIMIT {
            return Err(KeyringError::TooLarge);
        }
        let mut keys = Vec::new();
        for certificate in certificates(bytes)? {
            keys.extend(of_certificate(&certificate)?);
        }
        if keys.is_empty() { Err(KeyringError::None) } else { Ok(Self { keys }) }
    }

    /// Returns the fingerprints, in the order of the file.
    pub fn fingerprints(&self) -> Vec<String> {
        self.keys.iter().map(Key::name).collect()
    }

    /// Returns the key with that identifier. Two with the same are a forgery of one of them,
    /// which whoever wrote the keyring trusts as well.
    pub(super) fn find(&self, id: &KeyId) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(move |key| key.id == *id)
    }
}

impl Key {
    /// Returns the fingerprint as people write it.
    pub(super) fn name(&self) -> String {
        format!("{:X}", self.fingerprint)
    }

    pub(super) fn verify(
        &self,
        signature: &Signature,
        text: &[u8],
    ) -> Result<(), pgp::errors::Error> {
        match &self.material {
            Material::Primary(key) => signature.verify(key, text),
            Material::Subkey(key) => signature.verify(key, text),
        }
    }
}

fn certificates(bytes: &[u8]) -> Result<Vec<SignedPublicKey>, KeyringError> {
    let unreadable = |error| KeyringError::Unreadable(Box::new(error));
    let mut read = Vec::new();
    match str::from_utf8(bytes) {
        Ok(text) => {
            // Files are put together with `cat`.
            for (start, _) in text.match_indices(BLOCK) {
                let block = text.get(start..).unwrap_or_default();
                // The checksum at its end is no matter: keys carry signatures of their own.
                let keys = SignedPublicKey::from_armor_many_buf(Cursor::new(block));
                let (keys, _headers) = keys.map_err(unreadable)?;
                for key in keys {
                    read.push(key.map_err(unreadable)?);
                }
            }
        }
        Err(_binary) => {
            for key in SignedPublicKey::from_bytes_many(bytes).map_err(unreadable)? {
                read.push(key.map_err(unreadable)?);
            }
        }
    }
    Ok(read)
}

/// Returns the keys of a certificate, each as its owner says last.
fn of_certificate(certificate: &SignedPublicKey) -> Result<Vec<Key>, KeyringError> {
    let (key, details) = (&certificate.primary_key, &certificate.details);
    // Others may have signed the key too; what they say of it is not the owner's word.
    let of_users = details.users.iter().flat_map(|user| {
        let is_own = |signature: &&Signature| {
            signature.typ() != Some(SignatureType::CertRevocation)
                && signature.verify_certification(key, Tag::UserId, &user.id).is_ok()
        };
        user.signatures.iter().filter(is_own)
    });
    let direct = details.direct_signatures.iter().filter(|own| own.verify_key(key).is_ok());
    let last = of_users.chain(direct).max_by_key(|own| own.created());
    let Some(last) = last else {
        return Err(KeyringError::Unbound { key: format!("{:X}", key.fingerprint()) });
    };
    let is_revoked = details.revocation_signatures.iter().any(|own| own.verify_key(key).is_ok());
    let primary = Key {
        fingerprint: key.fingerprint(),
        id: key.legacy_key_id(),
        standing: match may_sign(last) {
            _ if is_revoked => Standing::Revoked,
            Some(false) => Standing::NotForSigning,
            Some(true) | None => Standing::Good,
        },
        expires: expiry(key, last),
        material: Material::Primary(key.clone()),
    };
    let subkeys = certificate.public_subkeys.iter().filter_map(|subkey| {
        let mut subkey = of_subkey(key, subkey)?;
        if is_revoked {
            subkey.standing = Standing::Revoked;
        }
        subkey.expires = [subkey.expires, primary.expires].into_iter().flatten().min();
        Some(subkey)
    });
    let subkeys: Vec<_> = subkeys.collect();
    Ok([primary].into_iter().chain(subkeys).collect())
}

/// Returns a key that belongs to `primary`; `None` where that is only claimed.
fn of_subkey(primary: &PublicKey, subkey: &SignedPublicSubKey) -> Option<Key> {
    let key = &subkey.key;
    let is_own = |signature: &&Signature| signature.verify_subkey_binding(primary, key).is_ok();
    let is_revocation = |own: &&Signature| own.typ() == Some(SignatureType::SubkeyRevocation);
    let (revocations, bindings): (Vec<_>, Vec<_>) =
        subkey.signatures.iter().filter(is_own).partition(is_revocation);
    let last = bindings.into_iter().max_by_key(|own| own.created())?;
    // It must agree to be a key of this owner, or anybody could claim it and what it signed.
    let agrees = last
        .embedded_signature()
        .is_some_and(|back| back.verify_primary_key_binding(key, primary).is_ok());
    Some(Key {
        fingerprint: key.fingerprint(),
        id: key.legacy_key_id(),
        standing: match may_sign(last) {
            _ if !revocations.is_empty() => Standing::Revoked,
            Some(true) if agrees => Standing::Good,
            _ => Standing::NotForSigning,
        },
        expires: expiry(key, last),
        material: Material::Subkey(key.clone()),
    })
}

/// Returns whether the owner says that a key may sign; `None` where nothing is said.
fn may_sign(own: &Signature) -> Option<bool> {
    let mut said = own.config()?.hashed_subpackets();
    said.find_map(|packet| match &packet.data {
        SubpacketData::KeyFlags(flags) => Some(flags.sign()),
        _ => None,
    })
}

fn expiry(key: &impl KeyDetails, own: &Signature) -> Option<SystemTime> {
    let after = own.key_expiration_time().map(|after| u64::from(after.as_secs()));
    let after = after.filter(|seconds| *seconds > 0)?;
    Some(SystemTime::from(key.created_at()) + Duration::from_secs(after))
}
