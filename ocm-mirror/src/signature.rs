//! Who says that a release is one: OpenPGP signatures over the digests of release images.
//!
//! ```text
//! message ─► one-pass note, text, signature ─► good? ─► trusted? ─► in force? ─► text ─► digest? repository?
//!            (often compressed)                                                  JSON
//! ```
//!
//! The whole message is read, within bounds, before anything of it is believed; each thing that
//! can be wrong with it is a [`SignatureError`] of its own. What is verified is that somebody
//! trusted signed *this digest*: the release is then pulled by it, and the name in the text only
//! names it.
//!
//! [`Lookup`] finds signatures: at hand first, then in the stores of those who sign.
//!
//! Source of the text's format: <https://github.com/containers/image/blob/v5.33.0/docs/containers-signature.5.md>.

mod error;
mod filed;
mod frame;
mod keyring;
mod lookup;
mod message;
mod refusal;
mod save;
mod statement;
mod trust;
mod verify;

pub use error::SignatureError;
pub use filed::{Filed, FiledError};
pub use keyring::{Keyring, KeyringError};
pub use lookup::{Asked, Lookup, Policy, Signed};
pub use refusal::Refusal;
pub use trust::{Store, StoreError, Trust};
pub use verify::{Expected, Repositories, Verified, verify};
