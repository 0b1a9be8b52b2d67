//! The ar archive that a Debian package is (deb(5), ar(5)), read strictly: no long names, no padding but a newline, nothing
//! behind the last member.

use std::io::{self, Read, Seek, SeekFrom};

use release::name::printable;
use thiserror::Error;

use crate::reading::read_at;

const MAGIC: &[u8] = b"!<arch>\n";
/// `name 16 | time 12 | user 6 | group 6 | mode 8 | size 10 | 2 bytes of end`, in text that blanks pad.
const HEADER_BYTES: u64 = 60;
const HEADER_END: &[u8] = b"`\n";
/// Members that are read. A package has three, and one or two signatures.
const MEMBERS_MAX: usize = 8;

/// Why a file is no such archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum ArError {
    #[error("it does not begin as an ar archive does")]
    Magic,
    #[error("it ends inside a member, or has something behind the last that is none")]
    Truncated,
    #[error("a member has a name, size, or end that deb(5) does not allow")]
    Header,
    #[error("what aligns a member is not a newline")]
    Padding,
    #[error("it has more than {MEMBERS_MAX} members")]
    TooMany,
}

/// Where the contents of a member lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Member {
    pub(super) fn bytes(&self) -> u64 {
        self.end - self.start
    }

    pub(super) fn shown(&self) -> String {
        printable(&self.name)
    }
}

/// The members of an archive, in order.
pub(super) fn members(reader: &mut (impl Read + Seek)) -> io::Result<Result<Vec<Member>, ArError>> {
    let size = reader.seek(SeekFrom::End(0))?;
    if read_at(reader, 0, MAGIC.len() as u64)?.as_deref() != Some(MAGIC) {
        return Ok(Err(ArError::Magic));
    }
    let mut members = Vec::new();
    let mut at = MAGIC.len() as u64;
    while at < size {
        if members.len() == MEMBERS_MAX {
            return Ok(Err(ArError::TooMany));
        }
        let Some(header) = read_at(reader, at, HEADER_BYTES)? else {
            return Ok(Err(ArError::Truncated));
        };
        let Some((name, bytes)) = parse(&header) else {
            return Ok(Err(ArError::Header));
        };
        let start = at + HEADER_BYTES;
        let end = start.saturating_add(bytes);
        if end > size {
            return Ok(Err(ArError::Truncated));
        }
        members.push(Member { name, start, end });
        at = end;
        if bytes % 2 == 1 {
            match read_at(reader, end, 1)?.as_deref() {
                Some(b"\n") => at += 1,
                Some(_) => return Ok(Err(ArError::Padding)),
                None => return Ok(Err(ArError::Truncated)),
            }
        }
    }
    Ok(Ok(members))
}

/// Name and size.
fn parse(header: &[u8]) -> Option<(String, u64)> {
    let field = |from: usize, to: usize| std::str::from_utf8(header.get(from..to)?).ok();
    let name = field(0, 16)?.trim_end_matches(' ');
    // GNU ar ends names with a slash, and dpkg takes both.
    let name = name.strip_suffix('/').unwrap_or(name);
    let is_name = !name.is_empty() && name.bytes().all(|it| it.is_ascii_graphic() && it != b'/');
    let size = field(48, 58)?.trim_end_matches(' ');
    let is_size = !size.is_empty() && size.bytes().all(|it| it.is_ascii_digit());
    let is_whole = is_name && is_size && header.get(58..) == Some(HEADER_END);
    let size = size.parse().ok()?;
    is_whole.then(|| (name.to_owned(), size))
}
