use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha512};

use crate::text::as_text;

/// The digest of some content; its identity everywhere in this workspace.
///
/// SHA-512 is boxed: inline it makes every error that names a digest large. So this type is
/// `Clone` and not `Copy`.
///
/// Source: <https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests>.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Digest {
    /// `sha256:` and 64 hexadecimal digits.
    Sha256([u8; 32]),
    /// `sha512:` and 128 hexadecimal digits.
    Sha512(Box<[u8; 64]>),
}

/// A function that makes digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// SHA-256: what nearly all content is named by, and what we use for what we build.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

/// Why some text is not a [`Digest`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// The part before the colon names no algorithm that is known here.
    #[error("digest `{text}` begins with neither `sha256:` nor `sha512:`")]
    Algorithm {
        /// What was given.
        text: String,
    },
    /// The part after the colon is not as many lower-case hexadecimal digits as it must be.
    #[error("digest `{text}` does not carry {wanted} lower-case hexadecimal digits")]
    Encoding {
        /// What was given.
        text: String,
        /// How many digits its algorithm has.
        wanted: usize,
    },
}

impl Digest {
    /// Returns the digest of `content`, by SHA-256.
    pub fn of(content: &[u8]) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(content);
        hasher.finish()
    }

    /// Returns which function made this.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Sha256(_) => Algorithm::Sha256,
            Self::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// Returns the digits after the colon: the name of a blob's file in a layout.
    pub fn hex(&self) -> String {
        let text = self.to_string();
        text.split_once(':').map(|(_, hex)| hex.to_owned()).unwrap_or_default()
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let encoding = |wanted| DigestError::Encoding { text: text.to_owned(), wanted };
        match text.split_once(':') {
            Some(("sha256", hex)) => unhex(hex).map(Self::Sha256).ok_or_else(|| encoding(64)),
            Some(("sha512", hex)) => {
                unhex(hex).map(|bytes| Self::Sha512(Box::new(bytes))).ok_or_else(|| encoding(128))
            }
            Some(_) | None => Err(DigestError::Algorithm { text: text.to_owned() }),
        }
    }
}

/// Reads exactly `N` bytes from lower-case hexadecimal: upper case would be a second name.
fn unhex<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let bytes: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some((nibble(*high)? << 4) | nibble(*low)?)).collect();
    bytes.filter(|_| rest.is_empty())?.try_into().ok()
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = match self {
            Self::Sha256(bytes) => bytes.as_slice(),
            Self::Sha512(bytes) => bytes.as_slice(),
        };
        // One write instead of one per byte: plans print a hundred thousand of these.
        let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).map_or('?', |b| char::from(*b));
        let mut text = String::with_capacity(7 + 2 * bytes.len());
        text.push_str(self.algorithm().as_str());
        text.push(':');
        text.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
        f.write_str(&text)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Algorithm {
    /// Returns its name, as it stands before the colon.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

as_text!(Digest, DigestError);

/// Computes a [`Digest`] over chunks as they pass, and counts them.
///
/// A clone is a checkpoint: the state at one offset, from which hashing can go on later.
#[derive(Debug, Clone)]
pub struct Hasher {
    state: State,
    offset: u64,
}

#[derive(Debug, Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// Begins at offset 0.
    pub fn new(algorithm: Algorithm) -> Self {
        let state = match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        };
        Self { state, offset: 0 }
    }

    /// Adds `chunk` to what is hashed.
    pub fn update(&mut self, chunk: &[u8]) {
        match &mut self.state {
            State::Sha256(state) => state.update(chunk),
            State::Sha512(state) => state.update(chunk),
        }
        self.offset = self.offset.saturating_add(chunk.len() as u64);
    }

    /// Returns how many bytes were added.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the digest of everything added.
    pub fn finish(self) -> Digest {
        match self.state {
            State::Sha256(state) => Digest::Sha256(state.finalize().into()),
            State::Sha512(state) => Digest::Sha512(Box::new(state.finalize().into())),
        }
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new(Algorithm::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digests of the empty string: FIPS 180-4 test vectors.
    const EMPTY: [&str; 2] = [
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
         47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    ];

    #[test]
    fn text_and_json_round_trip() {
        for text in EMPTY {
            let digest: Digest = text.parse().unwrap();
            assert_eq!(digest, Hasher::new(digest.algorithm()).finish());
            assert_eq!(digest.to_string(), text);
            let json = serde_json::to_string(&digest).unwrap();
            assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
        }
    }

    #[test]
    fn refuses_what_is_not_canonical() {
        let [sha256, sha512] = EMPTY;
        let (upper, long) = (sha256.to_uppercase(), format!("{sha256}0"));
        let crossed = sha512.replace("sha512", "sha256");
        for text in ["", "sha256:", "md5:00", "sha512:00", &upper, &long, &crossed] {
            assert!(text.parse::<Digest>().is_err(), "{text:?} was accepted");
        }
    }
}
