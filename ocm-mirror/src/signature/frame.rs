use std::io;

use pgp::{
    errors::Error,
    packet::{Packet, PacketHeader},
    types::PacketLength,
};

use super::SignatureError;

/// Reads packets, of which each must be whole, and nothing may be between them.
///
/// Where one begins and ends is found here, as rPGP's parser takes a beginning that is cut off
/// for the end, and says of a body that is cut off no more than that something went wrong.
pub(super) fn packets(mut bytes: &[u8]) -> Result<Vec<Packet>, SignatureError> {
    let mut packets = Vec::new();
    while !bytes.is_empty() {
        let header = PacketHeader::try_from_reader(&mut bytes);
        let header = header.map_err(|error| refused(error.into()))?;
        let body = body(header.packet_length(), &mut bytes)?;
        packets.push(Packet::from_reader(header, body.as_slice()).map_err(refused)?);
    }
    Ok(packets)
}

/// Puts a body together, which may come in parts.
fn body(mut length: PacketLength, bytes: &mut &[u8]) -> Result<Vec<u8>, SignatureError> {
    let mut body = Vec::new();
    loop {
        let part = match length {
            PacketLength::Fixed(part) | PacketLength::Partial(part) => usize::try_from(part).ok(),
            PacketLength::Indeterminate => Some(bytes.len()),
        };
        let Some((part, rest)) = part.and_then(|part| bytes.split_at_checked(part)) else {
            return Err(SignatureError::Truncated);
        };
        body.extend_from_slice(part);
        *bytes = rest;
        if !matches!(length, PacketLength::Partial(_)) {
            return Ok(body);
        }
        length =
            PacketLength::try_from_reader(&mut *bytes).map_err(|error| refused(error.into()))?;
    }
}

fn refused(error: Error) -> SignatureError {
    if is_early_end(&error) {
        SignatureError::Truncated
    } else {
        SignatureError::Unreadable { source: Box::new(error) }
    }
}

fn is_early_end(error: &Error) -> bool {
    match error {
        Error::PacketIncomplete { .. } => true,
        Error::IO { source, .. } => source.kind() == io::ErrorKind::UnexpectedEof,
        Error::InvalidPacketContent { source } => is_early_end(source),
        _ => false,
    }
}
