//! AppImages of type 2 and the signatures that `appimagetool --sign` puts into them (the AppImage specification, and
//! `validate.c` of AppImageKit, which is the reference for what is signed).
//!
//! The program at the beginning of such a file has room for a signature and a key: the sections `.sha256_sig` and `.sig_key`.
//! What is signed is a text: the SHA-256 of the whole file in hexadecimal, with both sections taken for zeros. The key in
//! there proves nothing, as whoever changes the file can change it too, and is not looked at: a policy pins one. What the two
//! sections hold is covered by no signature, so they hold nothing else.

mod elf;

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use release::Timestamp;
use sha2::Digest as _;
use thiserror::Error;

use crate::checks::{APPIMAGE_PARSE, APPIMAGE_SECTIONS, APPIMAGE_SIGNED, Check};
use crate::digest::hex;
use crate::inspection::{Inspection, Kind, SignatureReport};
use crate::judging::outcome;
use crate::openpgp::{OpenPgpKeys, Opened};
use crate::reading::{pass, read_at};
use crate::roots::Trust;
use crate::squashfs;
use crate::verify::Bytes;
use crate::walk::entry::Each;
use crate::walk::room;

use elf::{Elf, Section};

/// Where an ELF file that is one says so, in what is padding elsewhere, and of which type it is.
const MARK_AT: usize = 8;
const MARK: &[u8] = b"AI";
const TYPE_2: u8 = 2;

const SIGNATURE: &[u8] = b".sha256_sig";
const KEY: &[u8] = b".sig_key";
/// The most bytes of either section. Runtimes have 1 KiB and 8 KiB.
const SECTION_BYTES_MAX: u64 = 64 * 1024;

/// How the text in a section begins and ends.
struct Armour {
    begin: &'static [u8],
    end: &'static [u8],
}

const SIGNATURE_ARMOUR: Armour = Armour {
    begin: b"-----BEGIN PGP SIGNATURE-----",
    end: b"-----END PGP SIGNATURE-----",
};
const KEY_ARMOUR: Armour = Armour {
    begin: b"-----BEGIN PGP PUBLIC KEY BLOCK-----",
    end: b"-----END PGP PUBLIC KEY BLOCK-----",
};

/// Why a file is no AppImage that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum AppImageError {
    #[error("it is an ELF image without the mark of an AppImage")]
    Mark,
    #[error("it is an AppImage of type {0}; this version reads type 2 only")]
    Type(u8),
    #[error("its ELF image cannot be read: {0}")]
    Elf(&'static str),
    #[error("what stands behind its ELF image is no squashfs")]
    NoSquashfs,
}

/// Whether an ELF file is an AppImage, of whatever type.
pub(crate) fn is_appimage(head: &[u8]) -> bool {
    let mark = head.get(MARK_AT..MARK_AT + MARK.len());
    head.starts_with(b"\x7fELF") && mark == Some(MARK)
}

/// The same of a file that can be read. Leaves the reader anywhere.
///
/// # Errors
/// Where the reader fails.
pub(crate) fn has_mark(bytes: &mut (impl Read + Seek + ?Sized)) -> io::Result<bool> {
    let mut head = Vec::new();
    bytes.seek(SeekFrom::Start(0))?;
    (&mut *bytes).take(16).read_to_end(&mut head)?;
    Ok(is_appimage(&head))
}

/// What is in an AppImage.
pub(crate) fn walk(bytes: &mut dyn Bytes, each: Each<'_>) -> io::Result<()> {
    let mut reader = &mut *bytes;
    let elf = open(&mut reader)?.map_err(room::refused)?;
    squashfs::walk_at(bytes, elf.end, each)
}

/// Inspects an AppImage, and judges the signature in it at a time: any of these keys will do.
///
/// # Errors
/// Where the reader fails. A file that is wrong is no error but a verdict.
pub fn inspect(
    reader: &mut (impl Read + Seek),
    at: Timestamp,
    keys: &OpenPgpKeys,
) -> io::Result<Inspection> {
    let mut checks = Vec::new();
    let mut signatures = Vec::new();
    match open(reader)? {
        Ok(elf) => {
            checks.push(Check::pass(APPIMAGE_PARSE, "an AppImage of type 2"));
            let report = judge(reader, &elf, at, keys, &mut checks)?;
            signatures.extend(report);
        }
        Err(error) => checks.push(Check::fail(APPIMAGE_PARSE, error.to_string())),
    }
    let trust = &Trust::nothing();
    Ok(Inspection::new(
        Kind::AppImage,
        at,
        checks,
        signatures,
        trust,
    ))
}

/// The ELF image, behind which the other one stands.
fn open(reader: &mut (impl Read + Seek)) -> io::Result<Result<Elf, AppImageError>> {
    let head = read_at(reader, 0, 16)?.unwrap_or_default();
    match head.get(MARK_AT + MARK.len()) {
        _ if !is_appimage(&head) => return Ok(Err(AppImageError::Mark)),
        Some(&TYPE_2) => {}
        Some(other) => return Ok(Err(AppImageError::Type(*other))),
        None => return Ok(Err(AppImageError::Mark)),
    }
    let elf = match Elf::read(reader)? {
        Ok(elf) => elf,
        Err(error) => return Ok(Err(error)),
    };
    let head = read_at(reader, elf.end, 4)?.unwrap_or_default();
    match squashfs::is_squashfs(&head) {
        true => Ok(Ok(elf)),
        false => Ok(Err(AppImageError::NoSquashfs)),
    }
}

fn judge(
    reader: &mut (impl Read + Seek),
    elf: &Elf,
    at: Timestamp,
    keys: &OpenPgpKeys,
    checks: &mut Vec<Check>,
) -> io::Result<Option<SignatureReport>> {
    let found = match sections(elf) {
        Ok(found) => found,
        Err(reason) => {
            checks.push(Check::fail(APPIMAGE_SECTIONS, reason));
            return Ok(None);
        }
    };
    let signature = match found.signature {
        Some(section) => text(reader, section)?,
        None => Some(Vec::new()),
    };
    let is_signed = signature.as_ref().is_none_or(|text| !text.is_empty());
    let failure = (!is_signed).then_some("there is nothing in a section `.sha256_sig`");
    checks.push(outcome(APPIMAGE_SIGNED, failure, "it has a signature"));
    if !is_signed {
        return Ok(None);
    }
    let failure = wrong_text(reader, &found, signature.as_deref())?;
    let is_wrong = failure.is_some();
    let passes = "the sections for a signature and a key hold nothing else";
    checks.push(outcome(APPIMAGE_SECTIONS, failure, passes));
    let Some(signature) = signature.filter(|_| !is_wrong) else {
        return Ok(None);
    };
    let digest = digest(reader, &found.zeroed())?;
    // One line without an end: over text and over bytes it is the same.
    let opened = Opened::inside(&[signature], keys, "what `.sha256_sig` holds").over_one_line();
    let mut verifier = opened.verifier();
    if let Some(verifier) = &mut verifier {
        verifier.update(digest.as_bytes());
    }
    Ok(Some(SignatureReport {
        place: ".sha256_sig".to_owned(),
        digest: opened.digest_names(),
        signer: None,
        timestamps: Vec::new(),
        apple: None,
        checks: opened.checks(verifier, "the AppImage", at),
    }))
}

/// The two sections.
struct Sections<'e> {
    signature: Option<&'e Section>,
    /// Older runtimes have none.
    key: Option<&'e Section>,
}

impl Sections<'_> {
    /// What is taken for zeros, in order.
    fn zeroed(&self) -> Vec<Range<u64>> {
        let both = self.signature.into_iter().chain(self.key);
        let mut ranges: Vec<_> = both.map(|section| section.range.clone()).collect();
        ranges.sort_by_key(|range| range.start);
        ranges
    }
}

/// Finds them. Each is there once at most, apart from the other one and from all that says where they are: what is taken for
/// zeros could say that it is to be taken for zeros otherwise.
fn sections(elf: &Elf) -> Result<Sections<'_>, &'static str> {
    let named = |name: &[u8]| {
        let mut found = elf.sections.iter().filter(|section| section.name == name);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err("a section for a signature or a key is there twice"),
            (Some(found), None) if found.range.end - found.range.start > SECTION_BYTES_MAX => {
                Err("a section for a signature or a key is larger than what is read")
            }
            (found, None) => Ok(found),
        }
    };
    let found = Sections {
        signature: named(SIGNATURE)?,
        key: named(KEY)?,
    };
    let ranges = found.zeroed();
    let meets = |a: &Range<u64>, b: &Range<u64>| a.start < b.end && b.start < a.end;
    let is_apart = ranges.iter().enumerate().all(|(index, range)| {
        let others = ranges.iter().skip(index + 1).chain(&elf.tables);
        others.into_iter().all(|other| !meets(range, other))
    });
    match is_apart {
        true => Ok(found),
        false => Err("a section for a signature or a key lies over another part"),
    }
}

/// What is wrong with what they hold.
fn wrong_text(
    reader: &mut (impl Read + Seek),
    found: &Sections<'_>,
    signature: Option<&[u8]>,
) -> io::Result<Option<&'static str>> {
    if !signature.is_some_and(|text| SIGNATURE_ARMOUR.is_around(text)) {
        return Ok(Some(
            "`.sha256_sig` holds something else than a signature in armour",
        ));
    }
    let Some(key) = found.key else {
        return Ok(None);
    };
    match text(reader, key)? {
        Some(text) if text.is_empty() || KEY_ARMOUR.is_around(&text) => Ok(None),
        _ => Ok(Some("`.sig_key` holds something else than a key in armour")),
    }
}

/// What stands in a section before the zeros that fill it; none where it is not there, or zeros stand between.
fn text(reader: &mut (impl Read + Seek), section: &Section) -> io::Result<Option<Vec<u8>>> {
    let Range { start, end } = section.range;
    // Bounded: `sections` refused larger ones.
    let Some(mut bytes) = read_at(reader, start, end - start)? else {
        return Ok(None);
    };
    let filled = bytes.iter().rposition(|byte| *byte != 0);
    bytes.truncate(filled.map_or(0, |last| last + 1));
    Ok((!bytes.contains(&0)).then_some(bytes))
}

impl Armour {
    /// Whether a text is one block in this armour.
    fn is_around(&self, text: &[u8]) -> bool {
        let text = text.trim_ascii_end();
        let is_text = text
            .iter()
            .all(|byte| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\r' | b'\n'));
        let ends = text.windows(self.end.len()).filter(|it| *it == self.end);
        is_text && text.starts_with(self.begin) && text.ends_with(self.end) && ends.count() == 1
    }
}

/// The SHA-256 of the whole file in hexadecimal, with these taken for zeros.
fn digest(reader: &mut (impl Read + Seek), zeroed: &[Range<u64>]) -> io::Result<String> {
    let size = reader.seek(SeekFrom::End(0))?;
    let mut sha256 = sha2::Sha256::new();
    let mut at = 0;
    for range in zeroed.iter().chain([&(size..size)]) {
        if !pass(reader, at, range.start, |piece| sha256.update(piece))? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // Bounded: `sections` refused larger ones.
        let zeros = usize::try_from(range.end - range.start).unwrap_or_default();
        sha256.update(vec![0; zeros]);
        at = range.end;
    }
    Ok(hex(&sha256.finalize()))
}

#[cfg(test)]
pub(crate) mod tests;
