use std::{error::Error, iter};

use ocm_transport::{Kind as Cause, TransportError, Verb};
use serde::{Deserialize, Serialize};

/// Why an image is not at the destination: an error made data, so that it can be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What went wrong; programs act on this.
    pub code: Code,
    /// Where it went wrong.
    pub side: Side,
    /// The image, as written in the configuration.
    pub image: String,
    /// What was attempted, and then its causes; each once.
    pub chain: Vec<String>,
    /// What may help.
    pub hint: Option<String>,
}

/// What went wrong. Written by name, in one flat list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Code {
    /// The configuration names the image in a way that has no meaning.
    Reference,
    /// The archive does not hold the image.
    Archive,
    /// A manifest arrived whole and still makes no sense.
    Manifest,
    /// A catalog cannot be read, or does not have what was selected.
    Catalog,
    /// A release cannot be told: graphs do not have it, or its payload makes no sense.
    Release,
    /// An index has no image for a platform that is wanted.
    Platform,
    /// A release is not signed, or not by anybody trusted.
    Signature,
    /// An image that this one needs cannot be had.
    Needs,
    /// A place of the plan was not opened, or not for writing.
    Place,
    /// A file of this run could not be written or read.
    Workspace,
    /// A transport failed.
    #[serde(untagged)]
    Transport(Cause),
}

/// Which end of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Where content is read.
    Source,
    /// Where content is written.
    Destination,
}

impl Failure {
    /// Tells `error` and its causes, as something that happened on `side`.
    pub(crate) fn new(code: Code, side: Side, error: &dyn Error) -> Self {
        let mut chain: Vec<String> = Vec::new();
        for error in iter::successors(Some(error), |&error| error.source()) {
            let text = error.to_string();
            // Some libraries repeat their cause in their own text.
            if chain.last().is_none_or(|last| !last.ends_with(&text)) {
                chain.push(text);
            }
        }
        Self { code, side, image: String::new(), chain, hint: hint(code, side) }
    }

    /// Tells what is not there to begin with.
    pub(crate) fn without(code: Code, side: Side, what: String) -> Self {
        Self { code, side, image: String::new(), chain: vec![what], hint: hint(code, side) }
    }

    /// Names the image.
    #[must_use]
    pub(crate) fn of(self, image: &str) -> Self {
        Self { image: image.to_owned(), ..self }
    }

    /// Says what may help.
    #[must_use]
    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Tells `error` as something that happened on `side`, whatever was being done there.
    pub(crate) fn at(side: Side, error: &TransportError) -> Self {
        Self::new(Code::Transport(error.kind()), side, error)
    }
}

impl From<&TransportError> for Failure {
    /// Tells of an operation outside of a run, where what is fetched is of the source.
    fn from(error: &TransportError) -> Self {
        let is_read = error.operation().verb == Verb::Fetch;
        Self::at(if is_read { Side::Source } else { Side::Destination }, error)
    }
}

/// Says what a person can do about it.
fn hint(code: Code, side: Side) -> Option<String> {
    let flag = match side {
        Side::Source => "--src",
        Side::Destination => "--dest",
    };
    let Code::Transport(cause) = code else { return None };
    match cause {
        Cause::NotFound if side == Side::Source => {
            Some("check the name and the tag; nothing of that name is there".to_owned())
        }
        Cause::Auth => Some(format!(
            "log in (`podman login`), or name the file with the credentials with `--authfile` \
             or `{flag}-authfile`"
        )),
        Cause::Tls => Some(format!(
            "give the registry's certificate authority with `--ca-file`, or put it under \
             `certs.d`; `{flag}-tls-verify=false` trusts anything and allows plain HTTP"
        )),
        Cause::Unreachable => Some(
            "check the host name, the port, the network and, where there is one, the proxy \
             (`HTTPS_PROXY`, `NO_PROXY`)"
                .to_owned(),
        ),
        Cause::Stall => Some("raise `--image-timeout`, or try again later".to_owned()),
        Cause::Full => Some("make room there, and run the same command again".to_owned()),
        Cause::Corrupt => Some(
            "the bytes are not those that the digest promises: a broken proxy, disk or server"
                .to_owned(),
        ),
        Cause::Reset => {
            Some("the connection broke each time: run the same command again".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ocm_transport::{Mismatch, Operation, Retry};

    use super::*;

    #[test]
    fn a_chain_says_each_thing_once() {
        let operation = Operation {
            place: "quay.io".to_owned(),
            verb: Verb::Fetch,
            reference: "a/b@sha256:0".to_owned(),
        };
        let digest = ocm_oci::Digest::of(b"");
        let cause = Mismatch { expected: digest.clone(), actual: digest, received: 0 };
        let error = TransportError::new(operation, Cause::Corrupt, Retry::Again).caused_by(cause);
        let failure = Failure::at(Side::Source, &error).of("quay.io/a/b:1");
        assert_eq!(failure.chain.len(), 2);
        assert_eq!((failure.side, failure.code), (Side::Source, Code::Transport(Cause::Corrupt)));
        let json = serde_json::to_string(&failure).unwrap();
        assert!(json.contains(r#""code":"corrupt""#), "{json}");
        assert_eq!(serde_json::from_str::<Failure>(&json).unwrap(), failure);
    }
}
