//! Debian packages (deb(5)) and the signatures that debsigs puts into them.
//!
//! Such signatures are rare: apt trusts a package by the digest in the signed index of its repository. They are over the
//! contents of the three members, one behind the other, so neither names nor lengths of members are signed. Names and
//! order are therefore fixed here, and control and data must begin as their names say.

mod ar;
mod contents;

use std::io::{self, Read, Seek};

use release::Timestamp;

use crate::checks::{Check, DEB_MEMBERS, DEB_PARSE, DEB_SIGNED};
use crate::inspection::{Inspection, Kind, SignatureReport};
use crate::judging::outcome;
use crate::openpgp::{Limits as OpenPgpLimits, OpenPgpKeys, Opened};
use crate::reading::{pass, read_at};
use crate::roots::Trust;
use crate::tar;
use crate::unpack::Packing;

use ar::Member;

pub(crate) use contents::walk;

/// What `debian-binary` says: the version of the format. Others of version 2 would be compatible, but there are none.
const VERSION: &[u8] = b"2.0\n";
/// Members that are signatures of debsigs: by who distributes the package, and by who maintains it.
const SIGNATURES: [&str; 2] = ["_gpgorigin", "_gpgmaint"];
/// How `control.tar` and `data.tar` may be packed.
struct Compression {
    /// What stands behind their names then.
    ending: &'static str,
    packing: Option<Packing>,
    /// What stands at the beginning of such a file.
    magic: &'static [u8],
}

impl Compression {
    const fn new(ending: &'static str, packing: Option<Packing>, magic: &'static [u8]) -> Self {
        Self {
            ending,
            packing,
            magic,
        }
    }

    /// Those that dpkg knows. The last two it takes of the data alone.
    const ALL: [Self; 6] = [
        Self::new("", None, b"ustar"),
        Self::new(".gz", Some(Packing::Gzip), &[0x1f, 0x8b]),
        Self::new(".xz", Some(Packing::Xz), &[0xfd, b'7', b'z', b'X', b'Z', 0]),
        Self::new(".zst", Some(Packing::Zstd), &[0x28, 0xb5, 0x2f, 0xfd]),
        Self::new(".bz2", Some(Packing::Bzip2), b"BZh"),
        Self::new(".lzma", Some(Packing::Lzma), &[0x5d, 0, 0]),
    ];

    /// How a member is packed, by its name.
    fn of(name: &str) -> Option<&'static Self> {
        let is_control = name.starts_with(CONTROL);
        let ending = name.strip_prefix(CONTROL).or(name.strip_prefix(DATA))?;
        let is_known = |it: &&Self| {
            let is_of_data = matches!(it.packing, Some(Packing::Bzip2 | Packing::Lzma));
            it.ending == ending && !(is_control && is_of_data)
        };
        Self::ALL.iter().find(is_known)
    }
}

const CONTROL: &str = "control.tar";
const DATA: &str = "data.tar";

/// The largest `control.tar` that is read, in bytes, packed and unpacked. Those of Debian have up to 3 MB.
const CONTROL_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Where a tar archive has its mark (POSIX.1-1988); others have it at once.
const TAR_MARK_AT: u64 = 257;

/// Inspects a package, and judges its signatures at a time: any of these keys will do.
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
    match ar::members(reader)? {
        Ok(members) => {
            checks.push(Check::pass(DEB_PARSE, "a Debian package"));
            let report = judge(reader, &members, at, keys, &mut checks)?;
            signatures.extend(report);
        }
        Err(error) => checks.push(Check::fail(DEB_PARSE, error.to_string())),
    }
    let trust = &Trust::nothing();
    Ok(Inspection::new(Kind::Deb, at, checks, signatures, trust))
}

fn judge(
    reader: &mut (impl Read + Seek),
    members: &[Member],
    at: Timestamp,
    keys: &OpenPgpKeys,
    checks: &mut Vec<Check>,
) -> io::Result<Option<SignatureReport>> {
    let is_signed = members.iter().any(|it| it.name.starts_with("_gpg"));
    let failure = (!is_signed).then_some("no member is a signature, such as `_gpgorigin`");
    checks.push(outcome(DEB_SIGNED, failure, "the package has a signature"));
    let failure = wrong_members(reader, members)?;
    let is_wrong = failure.is_some();
    let passes = "the three members in order, and behind them only signatures";
    checks.push(outcome(DEB_MEMBERS, failure, passes));
    if !is_signed || is_wrong {
        return Ok(None);
    }
    let (signed, behind) = members.split_at_checked(3).unwrap_or((members, &[]));
    let mut parts = Vec::new();
    for member in behind {
        // Bounded: `wrong_members` refused larger ones.
        parts.push(read_at(reader, member.start, member.bytes())?.unwrap_or_default());
    }
    let opened = Opened::inside(&parts, keys, "what stands behind the data");
    let mut verifier = opened.verifier();
    for member in signed {
        let whole = pass(reader, member.start, member.end, |piece| {
            if let Some(verifier) = &mut verifier {
                verifier.update(piece);
            }
        })?;
        if !whole {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let names: Vec<_> = behind.iter().map(|it| it.name.as_str()).collect();
    let judged = opened.checks(verifier, "the package", at);
    if let (true, [_, control, _]) = (judged.iter().all(Check::is_pass), signed) {
        let failure = control_ends(reader, control)?;
        checks.extend(failure.map(|reason| Check::fail(DEB_MEMBERS, reason)));
    }
    Ok(Some(SignatureReport {
        place: names.join(", "),
        digest: opened.digest_names(),
        signer: None,
        timestamps: Vec::new(),
        apple: None,
        checks: judged,
    }))
}

/// What is wrong with the members: `debian-binary`, `control.tar…`, `data.tar…`, then each signature at most once.
fn wrong_members(
    reader: &mut (impl Read + Seek),
    members: &[Member],
) -> io::Result<Option<String>> {
    let [version, control, data, behind @ ..] = members else {
        return Ok(Some("it has fewer than three members".to_owned()));
    };
    if version.name != "debian-binary" || version.bytes() != VERSION.len() as u64 {
        return Ok(Some("it does not begin with `debian-binary`".to_owned()));
    }
    if read_at(reader, version.start, version.bytes())?.as_deref() != Some(VERSION) {
        return Ok(Some("its format is not of version 2.0".to_owned()));
    }
    for (member, expected) in [(control, CONTROL), (data, DATA)] {
        let known = Compression::of(&member.name).filter(|_| member.name.starts_with(expected));
        let found = member.shown();
        let Some(known) = known else {
            return Ok(Some(format!(
                "expected `{expected}`, packed in a way that dpkg reads, found `{found}`"
            )));
        };
        let at = known.packing.map_or(TAR_MARK_AT, |_| 0);
        let bytes = known.magic.len() as u64;
        let begin = read_at(reader, member.start + at, bytes)?;
        if begin.as_deref() != Some(known.magic) || member.bytes() < at + bytes {
            return Ok(Some(format!("`{found}` does not begin as its name says")));
        }
    }
    let mut last = "";
    for member in behind {
        let name = SIGNATURES.iter().find(|it| **it == member.name);
        let found = member.shown();
        match name {
            None => return Ok(Some(format!("`{found}` stands behind what is signed"))),
            Some(name) if *name == last => {
                return Ok(Some(format!("`{found}` stands there twice")));
            }
            Some(name) => last = name,
        }
        if member.bytes() > OpenPgpLimits::SIGNATURE_BYTES as u64 {
            return Ok(Some(format!("`{found}` is larger than a signature is")));
        }
    }
    Ok(None)
}

/// Whether the archive of `control.tar` ends with its member. Lengths of members are not signed, so what lies between could be
/// moved from the data into the control otherwise, and what the data then begin with be chosen.
fn control_ends(reader: &mut (impl Read + Seek), control: &Member) -> io::Result<Option<String>> {
    let found = control.shown();
    if control.bytes() > CONTROL_BYTES_MAX {
        return Ok(Some(format!("`{found}` is larger than what is read")));
    }
    let Some(bytes) = read_at(reader, control.start, control.bytes())? else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let packing = Compression::of(&control.name).and_then(|it| it.packing);
    let plain: Box<dyn Read> = match packing {
        Some(packing) => Box::new(packing.unpacked(bytes.as_slice())),
        None => Box::new(bytes.as_slice()),
    };
    let mut plain = plain.take(CONTROL_BYTES_MAX);
    let walked = tar::walk(&mut plain, &mut |_, _| Ok(()));
    Ok(walked.err().map(|error| {
        let why = release::name::printable(&error.to_string());
        format!("`{found}` does not end where its archive does: {why}")
    }))
}

#[cfg(test)]
pub(crate) mod tests;
