//! Notarization tickets: what Apple signs when its notary service let something pass, and what is stapled to it.
//!
//! The format has no specification. This one was derived from real tickets of 2020 to 2026 and is taken strictly: what does
//! not look like those is not believed. Little-endian:
//!
//! ```text
//! "s8ch" | u32 version = 1 | u32 certificates_len | u32 payload_len | SEQUENCE { leaf, authority } | payload | signature
//! payload: "g8tk" | u16 version = 2 | u16 header_len = 20 | u32 count | u32 flags = 0 | u64 Unix time | count entries
//! entry: u8 kind | 20 bytes of digest
//! signature: ECDSA in DER over everything before it, SHA-256, filled up to 72 bytes with zeros
//! ```
//!
//! Whether Apple revoked a ticket later cannot be seen without asking Apple, which is `online`.

mod online;

use release::Timestamp;
use thiserror::Error;

use crate::checks::{Check, TICKET_CHAIN, TICKET_COVERAGE, TICKET_PARSE, TICKET_SIGNATURE};
use crate::der::{Cursor, SEQUENCE};
use crate::digest::{DigestAlgorithm, hex};
use crate::judging::outcome;
use crate::key::{PublicKey, Scheme};
use crate::oid;
use crate::path::{self, Wanted, Weak};
use crate::roots::{Purpose, Trust};
use crate::x509::Certificate;

pub(crate) use online::{ANSWER_BYTES_MAX, Notarization, judge as judge_notarization, throw};

/// What is read at most.
struct Limits;

impl Limits {
    /// Bytes of a ticket. One has 21 for each piece of code in an app.
    const BYTES: usize = 4 * 1024 * 1024;
    /// Certificates in it: the signer's and its authority's.
    const CERTIFICATES: usize = 2;
}

/// Bytes of the signature with the zeros behind it.
const SIGNATURE_BYTES: usize = 72;
/// Bytes of a digest that a ticket lists.
const DIGEST_BYTES: usize = 20;

/// Something that a ticket must list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Covered<'a> {
    /// The SHA-1 of the compressed table of contents of a xar archive.
    Package(&'a [u8]),
    /// A code directory hash.
    Code(&'a [u8]),
}

/// A ticket, read but not judged.
#[derive(Debug, Clone)]
pub(crate) struct Ticket<'a> {
    certificates: Vec<Certificate<'a>>,
    /// What is signed.
    signed: &'a [u8],
    signature: &'a [u8],
    pub(crate) time: Timestamp,
    pub(crate) entries: Vec<Covered<'a>>,
}

/// Why bytes are no ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum TicketError {
    #[error("it does not begin as a ticket does")]
    Magic,
    #[error("it has a version that is not known")]
    Version,
    #[error("its length is not the one that its parts have")]
    Length,
    #[error("its certificates cannot be read")]
    Certificates,
    #[error("it lists something of a kind that is not known")]
    Kind,
    #[error("it lists nothing")]
    Empty,
    #[error("its time cannot be read")]
    Time,
    #[error("its signature is not filled up with zeros")]
    Padding,
}

/// Takes fields one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8], TicketError> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(TicketError::Length)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self, bytes: usize) -> Result<u64, TicketError> {
        let taken = self.take(bytes)?.iter().rev();
        Ok(taken.fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn expect(&mut self, magic: &[u8]) -> Result<(), TicketError> {
        match self.take(magic.len()) {
            Ok(found) if found == magic => Ok(()),
            _ => Err(TicketError::Magic),
        }
    }
}

impl<'a> Ticket<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, TicketError> {
        if bytes.len() > Limits::BYTES {
            return Err(TicketError::Length);
        }
        let mut fields = Fields(bytes);
        fields.expect(b"s8ch")?;
        if fields.number(4)? != 1 {
            return Err(TicketError::Version);
        }
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let (certificates, payload) = (size(fields.number(4)?), size(fields.number(4)?));
        let certificates = fields.take(certificates)?;
        let mut inside = Fields(fields.take(payload)?);
        let signed = bytes.get(..bytes.len() - fields.0.len());
        let signed = signed.ok_or(TicketError::Length)?;
        if fields.0.len() != SIGNATURE_BYTES {
            return Err(TicketError::Length);
        }
        inside.expect(b"g8tk")?;
        if inside.number(2)? != 2 || inside.number(2)? != 20 {
            return Err(TicketError::Version);
        }
        let count = size(inside.number(4)?);
        if inside.number(4)? != 0 {
            return Err(TicketError::Version);
        }
        let time = i64::try_from(inside.number(8)?).ok();
        let time = time.and_then(|unix| Timestamp::from_unix(unix).ok());
        if count == 0 {
            return Err(TicketError::Empty);
        }
        if Some(inside.0.len()) != count.checked_mul(1 + DIGEST_BYTES) {
            return Err(TicketError::Length);
        }
        let entries = inside.0.chunks_exact(1 + DIGEST_BYTES);
        let entries = entries.map(|entry| match entry.split_first() {
            Some((1, digest)) => Ok(Covered::Package(digest)),
            Some((2, digest)) => Ok(Covered::Code(digest)),
            _ => Err(TicketError::Kind),
        });
        Ok(Self {
            certificates: read_certificates(certificates)?,
            signed,
            signature: read_signature(fields.0)?,
            time: time.ok_or(TicketError::Time)?,
            entries: entries.collect::<Result<_, _>>()?,
        })
    }

    /// What of these it does not list.
    pub(crate) fn missing<'c>(&self, wanted: &[Covered<'c>]) -> Vec<Covered<'c>> {
        let is_missing = |it: &&Covered<'c>| !self.entries.contains(*it);
        wanted.iter().filter(is_missing).copied().collect()
    }

    /// Whether its first certificate signed it.
    fn verify(&self) -> Result<(), String> {
        let leaf = self.certificates.first().ok_or("it has no certificate")?;
        if !matches!(leaf.key, PublicKey::Ec { .. }) {
            return Err("it is not signed with an elliptic curve".to_owned());
        }
        let algorithm = DigestAlgorithm::Sha256;
        let hash = algorithm.hash(&[self.signed]);
        let scheme = Scheme::Ecdsa(algorithm);
        let verified = leaf.key.verify(scheme, &hash, self.signature);
        verified.map_err(|error| error.to_string())
    }

    /// Finds the path at the ticket's own time: Apple's signers of tickets are valid for a year, tickets are for longer.
    fn chain(&self, at: Timestamp, trust: &Trust) -> Result<String, String> {
        if self.time > at {
            return Err(format!("it is of {}, later than {at}", self.time));
        }
        let leaf = self.certificates.first().ok_or("it has no certificate")?;
        let wanted = Wanted {
            trust,
            pool: &self.certificates,
            purpose: Purpose::AppleTicket,
            at: self.time,
            weak: Weak::Refused,
        };
        let path = path::build(leaf, wanted).map_err(|error| error.reason)?;
        // Any developer has a certificate under an Apple root; only this authority may issue signers of tickets.
        let authority = path.certificates.get(1);
        let markers = authority.map(|it| it.extensions.apple_markers.as_slice());
        if !markers.is_some_and(|it| it.contains(&oid::APPLE_SYSTEM_INTEGRATION_AUTHORITY)) {
            return Err(format!("{leaf} is not issued by an authority for tickets"));
        }
        let (anchor, set) = (&path.anchor.certificate, path.anchor.set());
        Ok(format!("{leaf} chains to {anchor} at {}, {set}", self.time))
    }
}

fn read_certificates(bytes: &[u8]) -> Result<Vec<Certificate<'_>>, TicketError> {
    let mut outer = Cursor::new(bytes);
    let list = outer.enter(SEQUENCE);
    let list = list.map_err(|_| TicketError::Certificates)?;
    let all: Result<Vec<_>, _> = list
        .take(Limits::CERTIFICATES + 1)
        .map(|element| element.and_then(Certificate::read))
        .collect();
    let all = all.map_err(|_| TicketError::Certificates)?;
    if outer.end().is_err() || all.is_empty() || all.len() > Limits::CERTIFICATES {
        return Err(TicketError::Certificates);
    }
    Ok(all)
}

fn read_signature(bytes: &[u8]) -> Result<&[u8], TicketError> {
    let mut cursor = Cursor::new(bytes);
    let signature = cursor.expect(SEQUENCE).map_err(|_| TicketError::Padding)?;
    if cursor.rest().iter().any(|byte| *byte != 0) {
        return Err(TicketError::Padding);
    }
    Ok(signature.raw)
}

/// Judges a ticket and what it must list. Gives its time, where everything holds.
pub(crate) fn judge(
    bytes: &[u8],
    wanted: &[Covered<'_>],
    at: Timestamp,
    trust: &Trust,
    checks: &mut Vec<Check>,
) -> Option<Timestamp> {
    let ticket = match Ticket::parse(bytes) {
        Ok(ticket) => ticket,
        Err(error) => {
            let reason = format!("the stapled ticket cannot be read: {error}");
            checks.push(Check::fail(TICKET_PARSE, reason));
            return None;
        }
    };
    let count = ticket.entries.len();
    checks.push(Check::pass(
        TICKET_PARSE,
        format!("of {}, {count} entries", ticket.time),
    ));
    let verified = ticket.verify();
    let holds = verified.is_ok();
    checks.push(outcome(
        TICKET_SIGNATURE,
        verified.err(),
        "signed as a whole",
    ));
    let chain = ticket.chain(at, trust);
    let is_apple = chain.is_ok();
    let (failure, passes) = match chain {
        Ok(passes) => (None, passes),
        Err(failure) => (Some(failure), String::new()),
    };
    checks.push(outcome(TICKET_CHAIN, failure, passes));
    let missing = ticket.missing(wanted);
    let covers = !wanted.is_empty() && missing.is_empty();
    let failure = (!covers).then(|| match missing.first() {
        Some(Covered::Code(hash)) => format!("it does not list the code {}", hex(hash)),
        Some(Covered::Package(hash)) => format!("it does not list the package {}", hex(hash)),
        None => "it cannot list what has no SHA-256 code hash".to_owned(),
    });
    checks.push(outcome(TICKET_COVERAGE, failure, "lists this very thing"));
    (holds && is_apple && covers).then_some(ticket.time)
}
