use std::io::Write as _;

use flate2::{Compression, write::DeflateEncoder};
use ocm_oci::Digest;
use pgp::{
    composed::{ArmorOptions, Deserializable as _, SignedSecretKey},
    crypto::hash::HashAlgorithm,
    packet::{
        OnePassSignature, PacketTrait as _, SecretSubkey, Signature, SignatureConfig,
        SignatureType, Subpacket, SubpacketData,
    },
    types::{Duration, KeyDetails as _, KeyId, Password, SigningKey, Timestamp},
};

/// When everything is signed: 2026-01-01, in seconds since 1970.
const SIGNED_AT: u32 = 1_767_225_600;
/// How texts are hashed, as Red Hat does.
const HASH: HashAlgorithm = HashAlgorithm::Sha256;

/// Somebody who signs releases, in the way Red Hat does.
///
/// ```text
/// compressed data ─► one-pass note · literal data (JSON) · signature
/// ```
///
/// The keys are small and public, so whoever trusts one trusts everybody: they are for tests and
/// the demo. The same statement is the same signature, to the byte.
#[derive(Debug)]
pub struct ReleaseSigner {
    key: SignedSecretKey,
    with: With,
    /// Seconds after which a signature is no longer in force.
    lifetime: Option<u32>,
}

/// Which key of a signer signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum With {
    Primary,
    Subkey,
}

impl ReleaseSigner {
    /// Returns the one whose key tests are told to trust; it never expires.
    ///
    /// # Panics
    ///
    /// Never: a test reads the constant. The same holds for the others.
    pub fn trusted() -> Self {
        Self::read(include_str!("signer/keys/release.asc"))
    }

    /// Returns one with another key, as good as the first.
    pub fn stranger() -> Self {
        Self::read(include_str!("signer/keys/stranger.asc"))
    }

    /// Returns one whose key expired at the end of 2024.
    pub fn expired() -> Self {
        Self::read(include_str!("signer/keys/expired.asc"))
    }

    /// Returns one who has taken the key back.
    pub fn revoked() -> Self {
        Self::read(include_str!("signer/keys/revoked.asc"))
    }

    /// Returns one whose key only vouches for another, with which the signatures are made.
    pub fn with_subkey() -> Self {
        let signer = Self::read(include_str!("signer/keys/subkey.asc"));
        Self { with: With::Subkey, ..signer }
    }

    /// Returns the same, who signs with the key that only vouches for the other.
    pub fn certifier() -> Self {
        Self::read(include_str!("signer/keys/subkey.asc"))
    }

    fn read(armored: &str) -> Self {
        let (key, _headers) =
            SignedSecretKey::from_string(armored).expect("the constant is a secret key");
        Self { key, with: With::Primary, lifetime: None }
    }

    /// Signs what will not be in force for longer than so many seconds after 2026-01-01.
    #[must_use]
    pub fn with_lifetime(self, seconds: u32) -> Self {
        Self { lifetime: Some(seconds), ..self }
    }

    /// Returns the public key, armored: what goes into the file that
    /// `OCP_SIGNATURE_VERIFICATION_PK` names.
    ///
    /// # Panics
    ///
    /// Never: the key is whole.
    pub fn public_key(&self) -> String {
        let public = self.key.to_public_key();
        public.to_armored_string(ArmorOptions::default()).expect("a key that was read is written")
    }

    /// Returns the fingerprint of the key that signs, in upper case.
    pub fn fingerprint(&self) -> String {
        match self.subkey() {
            Some(subkey) => format!("{:X}", subkey.fingerprint()),
            None => format!("{:X}", self.key.primary_key.fingerprint()),
        }
    }

    /// Signs that `release` is what `identity` names: a reference with a tag.
    pub fn sign(&self, release: &Digest, identity: &str) -> Vec<u8> {
        self.sign_text(Self::statement(release, identity).as_bytes())
    }

    /// Returns what is signed, in the words that Red Hat uses.
    pub fn statement(release: &Digest, identity: &str) -> String {
        let identity = serde_json::Value::from(identity);
        format!(
            r#"{{"critical": {{"image": {{"docker-manifest-digest": "{release}"}}, "type": "atomic container signature", "identity": {{"docker-reference": {identity}}}}}, "optional": {{"creator": "ocm-testkit"}}}}"#
        )
    }

    /// Signs any text.
    pub fn sign_text(&self, text: &[u8]) -> Vec<u8> {
        compressed(&self.sign_plainly(text))
    }

    /// Signs any text, and leaves the message as it is, before it is deflated by
    /// [`compress`](Self::compress).
    ///
    /// # Panics
    ///
    /// Never: a key without a password signs anything.
    pub fn sign_plainly(&self, text: &[u8]) -> Vec<u8> {
        let (signature, note) = match self.subkey() {
            Some(subkey) => self.signature(subkey, text),
            None => self.signature(&self.key.primary_key, text),
        };
        let mut message = Vec::new();
        note.to_writer_with_header(&mut message).expect("memory takes whatever is written");
        message.extend(literal(text));
        signature.to_writer_with_header(&mut message).expect("memory takes whatever is written");
        message
    }

    /// Deflates a message, as it is published.
    pub fn compress(message: &[u8]) -> Vec<u8> {
        compressed(message)
    }

    /// Returns the subkey, where that is what signs.
    fn subkey(&self) -> Option<&SecretSubkey> {
        let subkey = self.key.secret_subkeys.first().filter(|_| self.with == With::Subkey);
        subkey.map(|subkey| &subkey.key)
    }

    fn signature(&self, key: &impl SigningKey, text: &[u8]) -> (Signature, OnePassSignature) {
        let (kind, algorithm, id) = (SignatureType::Binary, key.algorithm(), key.legacy_key_id());
        let mut config = SignatureConfig::v4(kind, algorithm, HASH);
        config.hashed_subpackets = self.said(id);
        let signature = config.sign(key, &Password::empty(), text);
        let note = OnePassSignature::v3(kind, HASH, algorithm, id);
        (signature.expect("a key without a password signs anything"), note)
    }

    /// Returns what a signature says of itself.
    fn said(&self, key: KeyId) -> Vec<Subpacket> {
        let at = SubpacketData::SignatureCreationTime(Timestamp::from_secs(SIGNED_AT));
        let until = self.lifetime.map(Duration::from_secs);
        let until = until.map(SubpacketData::SignatureExpirationTime);
        let said = [Some(at), Some(SubpacketData::IssuerKeyId(key)), until].into_iter().flatten();
        said.map(|data| Subpacket::regular(data).expect("it is short")).collect()
    }
}

/// Wraps a text, by hand: the library would date it with the clock.
fn literal(text: &[u8]) -> Vec<u8> {
    let name = b"release.json";
    let mut body = vec![b'b'];
    body.extend(u8::try_from(name.len()).unwrap_or_default().to_be_bytes());
    body.extend(name);
    body.extend(SIGNED_AT.to_be_bytes());
    body.extend(text);
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[0xae], length.as_slice(), body.as_slice()].concat()
}

/// Wraps a message; the wrapping has no length of its own, as Red Hat's has none.
fn compressed(message: &[u8]) -> Vec<u8> {
    let mut deflate = DeflateEncoder::new(vec![0xa3, 1], Compression::best());
    deflate.write_all(message).expect("memory takes whatever is written");
    deflate.finish().expect("memory takes whatever is written")
}
