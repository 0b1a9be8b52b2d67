//! Packets (RFC 9580 section 4), and the armour that they may stand in (section 6).
//!
//! Stricter than the RFC where two readers could see two things: a packet has a definite length, nothing stands outside
//! an armoured block, and the last packet ends with the file.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pgp::packet::PacketHeader;
use pgp::types::{PacketLength, Tag};

use super::{Limits, OpenPgpError};

/// A packet as it was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet<'a> {
    pub(super) header: PacketHeader,
    pub(super) tag: Tag,
    pub(super) body: &'a [u8],
}

/// What an armoured block holds, by the words in its first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    Keys,
    Signatures,
}

impl Block {
    fn title(self) -> &'static str {
        match self {
            Self::Keys => "PGP PUBLIC KEY BLOCK",
            Self::Signatures => "PGP SIGNATURE",
        }
    }
}

/// Takes the packets of a file apart.
pub(super) fn packets(bytes: &[u8]) -> Result<Vec<Packet<'_>>, OpenPgpError> {
    let mut rest = bytes;
    let mut packets = Vec::new();
    while !rest.is_empty() {
        if packets.len() == Limits::PACKETS {
            return Err(OpenPgpError::TooManyPackets);
        }
        let header = PacketHeader::try_from_reader(&mut rest).map_err(|_| OpenPgpError::Packet)?;
        let PacketLength::Fixed(length) = header.packet_length() else {
            return Err(OpenPgpError::Packet);
        };
        let length = usize::try_from(length).map_err(|_| OpenPgpError::Packet)?;
        let (body, behind) = rest.split_at_checked(length).ok_or(OpenPgpError::Packet)?;
        rest = behind;
        let tag = header.tag();
        packets.push(Packet { header, tag, body });
    }
    Ok(packets)
}

/// Takes armour off, where there is some. Several blocks count as one.
pub(super) fn dearmour(bytes: &[u8], block: Block) -> Result<Cow<'_, [u8]>, OpenPgpError> {
    // RFC 9580 section 4.2: the first bit of a packet is one, and no byte of armour has it.
    if bytes.first().is_none_or(|byte| byte & 0x80 != 0) {
        return Ok(Cow::Borrowed(bytes));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| OpenPgpError::Armour("it is not text"))?;
    if text.contains("-----BEGIN PGP PRIVATE KEY BLOCK") {
        return Err(OpenPgpError::Secret);
    }
    let begin = format!("-----BEGIN {}-----", block.title());
    let end = format!("-----END {}-----", block.title());
    let mut lines = text.lines().map(str::trim_end);
    let mut found = Vec::new();
    let mut is_empty = true;
    while let Some(line) = lines.find(|line| !line.is_empty()) {
        if line != begin {
            return Err(OpenPgpError::Begin(begin));
        }
        is_empty = false;
        // Headers are for people: `Version`, `Comment`. An empty line ends them.
        let is_header = |line: &&str| !line.is_empty() && line.contains(':');
        match lines.find(|line| !is_header(line)) {
            Some("") => {}
            _ => return Err(OpenPgpError::Armour("no empty line follows its headers")),
        }
        found.extend(body(&mut lines, &end)?);
    }
    if is_empty {
        return Err(OpenPgpError::Begin(begin));
    }
    Ok(Cow::Owned(found))
}

fn body<'t>(lines: &mut impl Iterator<Item = &'t str>, end: &str) -> Result<Vec<u8>, OpenPgpError> {
    let mut base64 = String::new();
    for line in lines {
        if line == end {
            let decoded = BASE64.decode(&base64);
            return decoded.map_err(|_| OpenPgpError::Armour("it is not base64"));
        }
        // RFC 9580 section 6.1: a checksum that does not match is no reason to reject. It protects nothing.
        if !line.starts_with('=') {
            base64.push_str(line);
        }
    }
    Err(OpenPgpError::Armour("it has no last line"))
}
