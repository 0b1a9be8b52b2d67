//! One slice: its header and load commands (`<mach-o/loader.h>`), as far as a signature needs them.

use std::io::{self, Read, Seek};

use release::name::printable;

use crate::macho::universal::{Cpu, Slice};
use crate::macho::{Limits, MachoError};
use crate::reading::{read_at, u32_at};

const MAGIC_32: u32 = 0xfeed_face;
const MAGIC_64: u32 = 0xfeed_facf;
const LC_SEGMENT: u32 = 0x1;
const LC_SEGMENT_64: u32 = 0x19;
const LC_CODE_SIGNATURE: u32 = 0x1d;
const LINKEDIT: &[u8] = b"__LINKEDIT";
/// MH_EXECUTE: a program that is started.
const EXECUTE: u32 = 2;

/// Where the signature is said to lie, from the beginning of the slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
}

/// What the headers of a slice say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) is_executable: bool,
    /// None where the slice is not signed.
    pub(crate) signature: Option<Place>,
}

/// A segment: its name, and where its bytes are from.
struct Segment<'a> {
    name: &'a [u8],
    start: u64,
    end: u64,
}

/// A little-endian number at an offset. Nothing that runs today is big-endian.
fn little(bytes: &[u8], at: usize) -> Option<u32> {
    u32_at(bytes, at).map(u32::swap_bytes)
}

fn little_64(bytes: &[u8], at: usize) -> Option<u64> {
    let (low, high) = (little(bytes, at)?, little(bytes, at + 4)?);
    Some(u64::from(high) << 32 | u64::from(low))
}

impl Image {
    pub(crate) fn read(
        reader: &mut (impl Read + Seek),
        slice: &Slice,
    ) -> io::Result<Result<Self, MachoError>> {
        let Some(header) = read_at(reader, slice.offset, 32.min(slice.bytes))? else {
            return Ok(Err(MachoError::Truncated));
        };
        let header_bytes = match little(&header, 0) {
            Some(MAGIC_64) => 32,
            Some(MAGIC_32) => 28,
            Some(_) => return Ok(Err(MachoError::Magic)),
            None => return Ok(Err(MachoError::Truncated)),
        };
        let number = |at| little(&header, at).unwrap_or_default();
        if Cpu::new(number(4), number(8)) != slice.cpu {
            return Ok(Err(MachoError::SliceCpu));
        }
        let (count, bytes) = (number(16), number(20));
        if count > Limits::COMMANDS || bytes > Limits::COMMANDS_BYTES {
            return Ok(Err(MachoError::Commands));
        }
        let commands_end = header_bytes + u64::from(bytes);
        if commands_end > slice.bytes {
            return Ok(Err(MachoError::Truncated));
        }
        let commands = read_at(reader, slice.offset + header_bytes, u64::from(bytes))?;
        let Some(commands) = commands else {
            return Ok(Err(MachoError::Truncated));
        };
        let signature = signature(&commands, count, commands_end, slice.bytes);
        Ok(signature.map(|signature| Self {
            is_executable: number(12) == EXECUTE,
            signature,
        }))
    }
}

/// Finds the signature among the load commands, and checks that all code lies before it.
fn signature(
    commands: &[u8],
    count: u32,
    commands_end: u64,
    size: u64,
) -> Result<Option<Place>, MachoError> {
    let (mut place, mut segments) = (None, Vec::new());
    let mut rest = commands;
    for _ in 0..count {
        let bytes = little(rest, 4).and_then(|bytes| usize::try_from(bytes).ok());
        // The kernel refuses commands that are not aligned to four bytes.
        let bytes = bytes.filter(|bytes| *bytes >= 8 && bytes % 4 == 0);
        let split = bytes.and_then(|bytes| rest.split_at_checked(bytes));
        let (command, behind) = split.ok_or(MachoError::Command)?;
        rest = behind;
        match little(command, 0) {
            Some(LC_CODE_SIGNATURE) => {
                let found = little(command, 8).zip(little(command, 12));
                let (offset, bytes) = found.ok_or(MachoError::Command)?;
                let found = Place {
                    offset: u64::from(offset),
                    bytes: u64::from(bytes),
                };
                if place.replace(found).is_some() {
                    return Err(MachoError::SignatureTwice);
                }
            }
            Some(LC_SEGMENT) => segments.push(segment(command, false)?),
            Some(LC_SEGMENT_64) => segments.push(segment(command, true)?),
            _ => {}
        }
    }
    let Some(place) = place else {
        return Ok(None);
    };
    // Both are 32 bits wide.
    let end = place.offset + place.bytes;
    if place.offset < commands_end || end > size {
        return Err(MachoError::NotInLinkEdit);
    }
    let mut link_edit = segments.iter().filter(|it| it.name == LINKEDIT);
    let link_edit = match (link_edit.next(), link_edit.next()) {
        (Some(one), None) => one,
        _ => return Err(MachoError::NotInLinkEdit),
    };
    if link_edit.start > place.offset || link_edit.end != end {
        return Err(MachoError::NotInLinkEdit);
    }
    let others = segments.iter().filter(|it| it.name != LINKEDIT);
    match others.into_iter().find(|it| it.end > place.offset) {
        None => Ok(Some(place)),
        Some(segment) => {
            let name = String::from_utf8_lossy(segment.name);
            Err(MachoError::Segment(printable(&name)))
        }
    }
}

fn segment(command: &[u8], is_wide: bool) -> Result<Segment<'_>, MachoError> {
    let read = || {
        let name = command.get(8..24)?;
        let name = name.split(|byte| *byte == 0).next()?;
        let (start, bytes) = if is_wide {
            (little_64(command, 40)?, little_64(command, 48)?)
        } else {
            (
                u64::from(little(command, 32)?),
                u64::from(little(command, 36)?),
            )
        };
        let end = start.checked_add(bytes)?;
        Some(Segment { name, start, end })
    };
    read().ok_or(MachoError::Command)
}
