use flate2::{Decompress, FlushDecompress, Status};
use pgp::{
    packet::{CompressedData, OnePassSignature, OpsVersionSpecific, Packet, Signature},
    ser::Serialize as _,
    types::{CompressionAlgorithm, KeyId},
};

use super::{SignatureError, frame::packets};

/// Largest message that is read, in bytes, before and after it is inflated: real ones have 900.
pub(super) const LIMIT: usize = 256 << 10;

/// A text, and the signatures over it: the inner first, as they follow the text.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) text: Vec<u8>,
    pub(super) signatures: Vec<Signed>,
}

/// One signature.
#[derive(Debug)]
pub(super) struct Signed {
    /// The key that the message names before the text, as others look it up too.
    pub(super) key: KeyId,
    pub(super) signature: Signature,
}

impl Message {
    /// Reads a message whole; nothing in it is verified yet.
    ///
    /// rPGP's own reader of messages is not used: it refuses signatures of version 3, with which
    /// releases were signed until 2022, and leaves the order of reading and verifying to its
    /// caller.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, SignatureError> {
        match bytes {
            [] => return Err(SignatureError::Empty),
            bytes if bytes.len() > LIMIT => return Err(SignatureError::TooLarge),
            bytes if is_page(bytes) => return Err(SignatureError::Page),
            _ => {}
        }
        let outer = packets(bytes)?;
        let packets = match outer.as_slice() {
            [Packet::CompressedData(compressed)] => packets(&inflate(compressed)?)?,
            _ => outer,
        };
        Self::of(packets)
    }

    /// Takes the packets of a message apart: notes, text, signatures.
    fn of(packets: Vec<Packet>) -> Result<Self, SignatureError> {
        let (mut notes, mut text, mut signatures) = (Vec::new(), None, Vec::new());
        for packet in packets {
            match (packet, &text) {
                (Packet::OnePassSignature(note), None) => notes.push(note),
                (Packet::LiteralData(literal), None) => text = Some(literal.data().to_vec()),
                (Packet::Signature(signature), Some(_)) => signatures.push(signature),
                _ => return Err(malformed("something else is in it, or in another order")),
            }
        }
        let Some(text) = text else { return Err(SignatureError::Truncated) };
        if notes.is_empty() && signatures.is_empty() {
            return Err(SignatureError::Unsigned);
        }
        if signatures.len() < notes.len() {
            return Err(SignatureError::Truncated);
        }
        if signatures.len() > notes.len() || notes.last().is_some_and(OnePassSignature::is_nested) {
            return Err(malformed("it has another number of signatures than it announces"));
        }
        // The signature of the last note comes first.
        let pairs = notes.into_iter().rev().zip(signatures);
        let signatures = pairs.map(|(note, signature)| signed(&note, signature));
        Ok(Self { text, signatures: signatures.collect::<Result<_, _>>()? })
    }
}

fn malformed(what: &'static str) -> SignatureError {
    SignatureError::Malformed { what }
}

/// An OpenPGP packet never begins like a text.
fn is_page(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"<")
}

/// Inflates to the end, which must be there, and nothing may come after it.
fn inflate(packet: &CompressedData) -> Result<Vec<u8>, SignatureError> {
    let written = packet.to_bytes();
    let written = written.map_err(|source| SignatureError::Unreadable { source: source.into() })?;
    let Some((algorithm, deflated)) = written.split_first() else {
        return Err(SignatureError::Truncated);
    };
    let has_header = match CompressionAlgorithm::from(*algorithm) {
        CompressionAlgorithm::Uncompressed => return Ok(deflated.to_vec()),
        CompressionAlgorithm::ZIP => false,
        CompressionAlgorithm::ZLIB => true,
        _ => return Err(malformed("it is compressed in a way that nobody uses")),
    };
    let mut inflated = Vec::with_capacity(LIMIT + 1);
    let mut decompress = Decompress::new(has_header);
    let status = decompress.decompress_vec(deflated, &mut inflated, FlushDecompress::Finish);
    match status {
        Err(_corrupt) => Err(malformed("its compression is broken")),
        Ok(_) if inflated.len() > LIMIT => Err(SignatureError::TooLarge),
        Ok(Status::StreamEnd) if decompress.total_in() == deflated.len() as u64 => Ok(inflated),
        Ok(Status::StreamEnd) => Err(malformed("something comes after it")),
        Ok(Status::Ok | Status::BufError) => Err(SignatureError::Truncated),
    }
}

/// Pairs a signature with the note before the text, which must announce this and no other: who
/// believes the note alone must come to the same result.
fn signed(note: &OnePassSignature, signature: Signature) -> Result<Signed, SignatureError> {
    let key = match note.version_specific() {
        OpsVersionSpecific::V3 { key_id } => *key_id,
        _ => return Err(malformed("it is of an unknown version")),
    };
    let is_announced = signature.config().is_some_and(|config| {
        config.typ == note.typ()
            && config.hash_alg == note.hash_algorithm()
            && config.pub_alg == note.public_key_algorithm()
    });
    if is_announced {
        Ok(Signed { key, signature })
    } else {
        Err(malformed("its signature is not the one announced"))
    }
}
