//! Texts that are signed in place (RFC 9580 section 7), as `InRelease` of an apt repository is.
//!
//! Nothing may stand before or behind: what a reader takes for signed and what was signed are then the same.

use release::Timestamp;
use release::name::printable;

use super::fingerprint::Fingerprint;
use super::signature::{DataSignature, Over, Wanted};
use super::{Limits, OpenPgpError, OpenPgpKeys, Verifier, conclude, signatures_of};
use crate::checks::{Check, OPENPGP_PRESENT};

const BEGIN: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";

/// Verifies a text that is signed in place, and gives the text that is signed: its lines as they were before signing,
/// without spaces and tabs at their ends, which no signature covers. Checks come with it, all of which passed.
///
/// # Errors
/// The checks, of which at least one failed.
pub fn verify_cleartext(
    document: &[u8],
    keys: &OpenPgpKeys,
    fingerprint: Fingerprint,
    name: &str,
    at: Timestamp,
) -> Result<(String, Vec<Check>), Vec<Check>> {
    let name = printable(name);
    let (lines, signatures) = read(document).map_err(|error| {
        let reason = format!("`{name}` is not a text that is signed in place: {error}");
        vec![Check::fail(OPENPGP_PRESENT, reason)]
    })?;
    let hashers = signatures.iter().map(DataSignature::hasher).collect();
    let mut verifier = Verifier(hashers);
    // RFC 9580 section 7.2: lines end with CR and LF; the end of the last one is not signed.
    let canonical = lines.join("\r\n");
    verifier.update(canonical.as_bytes());
    let wanted = Wanted {
        keys,
        pinned: Some(fingerprint),
        over: Over::Text,
        at,
    };
    let checks = conclude(&signatures, Some(verifier), wanted, &name);
    if checks.iter().any(|check| !check.is_pass()) {
        return Err(checks);
    }
    let mut text = lines.join("\n");
    text.push('\n');
    Ok((text, checks))
}

/// The lines that are signed, and the signatures.
fn read(document: &[u8]) -> Result<(Vec<&str>, Vec<DataSignature>), OpenPgpError> {
    if document.len() > Limits::CLEARTEXT_BYTES {
        return Err(OpenPgpError::TooLarge(Limits::CLEARTEXT_BYTES));
    }
    let text =
        std::str::from_utf8(document).map_err(|_| OpenPgpError::Armour("it is not UTF-8"))?;
    let mut rest = text;
    if line(&mut rest) != Some(BEGIN) {
        return Err(OpenPgpError::Begin(BEGIN.to_owned()));
    }
    // RFC 9580 section 7.1: `Hash` is the only header, and it changes nothing. Others could be taken for text.
    loop {
        match line(&mut rest) {
            Some("") => break,
            Some(header) if header.starts_with("Hash: ") => {}
            _ => return Err(OpenPgpError::Armour("it has a header other than `Hash`")),
        }
    }
    let mut lines = Vec::new();
    loop {
        let before = rest;
        let found = line(&mut rest).ok_or(OpenPgpError::Armour("it has no signature"))?;
        if found == SIGNATURE {
            return Ok((lines, signatures_of(before.as_bytes())?));
        }
        // RFC 9580 section 7.1: lines that begin with a dash are escaped, others may be.
        let found = match found.strip_prefix("- ") {
            Some(escaped) => escaped,
            None if found.starts_with('-') => {
                return Err(OpenPgpError::Armour("a line begins with `-`, not escaped"));
            }
            None => found,
        };
        lines.push(found);
    }
}

/// Takes a line off, without its end and the blanks before that, which are not signed.
fn line<'t>(rest: &mut &'t str) -> Option<&'t str> {
    if rest.is_empty() {
        return None;
    }
    let (line, behind) = rest.split_once('\n').unwrap_or((rest, ""));
    *rest = behind;
    Some(line.trim_end_matches([' ', '\t', '\r']))
}
