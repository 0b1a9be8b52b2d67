//! Microsoft's roots as `roots/generate.py` writes them: found by the hash of their subject, so that a verification
//! touches the one or two it needs and no start-up cost is paid for the others.

use sha2::Digest as _;

use crate::roots::{Anchor, Origin, Rule};
use crate::x509::Certificate;

pub(super) static TABLE: &[u8] = include_bytes!("../../roots/microsoft.table");

const MAGIC: &[u8] = b"lastmile roots 1\n";
/// Bytes of an entry of the index.
const ENTRY_BYTES: usize = 8 + 4 + 4 + 2 * RULE_BYTES;
const RULE_BYTES: usize = 1 + 8 + 8;

/// The roots with this subject. The table is our own, and a test reads every entry; what cannot be read is not trusted.
pub(super) fn find(subject: &[u8]) -> Vec<Anchor<'static>> {
    let digest: [u8; 32] = sha2::Sha256::digest(subject).into();
    let Some((index, bodies)) = parts() else {
        return Vec::new();
    };
    let first = index.partition_point(|entry| entry[..8] < digest[..8]);
    index
        .iter()
        .skip(first)
        .take_while(|entry| entry[..8] == digest[..8])
        .filter_map(|entry| anchor(entry, bodies))
        .filter(|anchor| anchor.certificate.subject.raw() == subject)
        .collect()
}

/// The two lines about the source.
#[cfg(test)]
pub(super) fn source() -> Option<String> {
    let lines = TABLE.strip_prefix(MAGIC)?;
    let mut lines = lines.split(|byte| *byte == b'\n');
    let (package, date) = (lines.next()?, lines.next()?);
    Some(format!(
        "Microsoft root program of {} (PyPI {})",
        String::from_utf8_lossy(date),
        String::from_utf8_lossy(package)
    ))
}

/// Every root.
pub(super) fn all() -> Vec<Anchor<'static>> {
    let (index, bodies) = parts().unwrap_or_default();
    let anchors = index.iter().map(|entry| anchor(entry, bodies));
    anchors.flatten().collect()
}

/// How many there are.
#[cfg(test)]
pub(super) fn count() -> usize {
    parts().expect("our own table").0.len()
}

fn parts() -> Option<(&'static [[u8; ENTRY_BYTES]], &'static [u8])> {
    let lines = TABLE.strip_prefix(MAGIC)?;
    let mut ends = lines.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let (end, _) = ends.nth(1)?;
    let (count, rest) = lines.get(end + 1..)?.split_first_chunk::<4>()?;
    let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
    let (index, bodies) = rest.split_at_checked(count.checked_mul(ENTRY_BYTES)?)?;
    Some((index.as_chunks().0, bodies))
}

fn anchor(entry: &[u8; ENTRY_BYTES], bodies: &'static [u8]) -> Option<Anchor<'static>> {
    let rest = &entry[8..];
    let (offset, rest) = rest.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let offset = usize::try_from(u32::from_le_bytes(*offset)).ok()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let body = bodies.get(offset..offset.checked_add(length)?)?;
    let (code_signing, time_stamping) = rest.split_at_checked(RULE_BYTES)?;
    Some(Anchor {
        certificate: Certificate::parse(body).ok()?,
        origin: Origin::Microsoft {
            code_signing: rule(code_signing)?,
            time_stamping: rule(time_stamping)?,
        },
    })
}

fn rule(bytes: &[u8]) -> Option<Rule> {
    let (allowed, rest) = bytes.split_first()?;
    let (not_before, rest) = rest.split_first_chunk::<8>()?;
    let (disallowed, _) = rest.split_first_chunk::<8>()?;
    Some(Rule {
        allowed: *allowed == 1,
        not_before: i64::from_le_bytes(*not_before),
        disallowed: i64::from_le_bytes(*disallowed),
    })
}
