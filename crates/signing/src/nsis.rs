//! Installers of NSIS, versions 2 and 3: a program, behind it a header with instructions, and blocks of data.
//!
//! Format: NSIS, `Source/exehead/fileform.h` and `fileform.c`. The program looks for the first header at multiples of 512 bytes
//! and takes the first one. Every block of the data is handed on, by the names under which instructions extract it, or by its
//! offset where nothing names it. An uninstaller is handed on as it is written: the program, changed by one block, and another
//! block behind it.
//!
//! Instructions are not followed: what they download or write by themselves is not seen.

mod data;
mod inflate;
mod script;
mod text;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Read, Seek};

use crc_fast::{CrcAlgorithm, Digest};
use thiserror::Error;

use crate::pe::Image;
use crate::reading::{Part, Shared, pass, read_at};
use crate::verify::Bytes;
use crate::walk::entry::{Each, Entry, EntryKind};
use crate::walk::names::folded;
use crate::walk::room;

use data::{Blocks, Layout};
use script::Script;

/// What is read of an installer at most. Data are read in pieces.
struct Limits;

impl Limits {
    /// Bytes of the header, unpacked. Those of large installers with many languages have 1 MiB.
    const HEADER_BYTES: u64 = 16 * 1024 * 1024;
    /// Bytes of all paths of its instructions.
    const NAMES_BYTES: usize = 16 * 1024 * 1024;
    /// Bytes of the program in front, where it is written again as an uninstaller. Real ones have less than 1 MiB.
    const PROGRAM_BYTES: u64 = 8 * 1024 * 1024;
}

/// The first header begins at a multiple of this, and the checksum behind the first of such pieces.
const PIECE_BYTES: u64 = 512;
const FIRST_HEADER_BYTES: u64 = 28;
/// What stands in it behind the flags.
const MARK: &[u8] = b"\xef\xbe\xad\xdeNullsoftInst";

/// Why an installer is not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
enum NsisError {
    #[error(
        "the mark of an installer stands in it at {0} and at {1}, and only the first one counts"
    )]
    Twice(u64, u64),
    #[error("its first header has flags that no version is known to have: {0:#x}")]
    Flags(u32),
    #[error("its data end at {stated}, and the file at {found}")]
    Size { stated: u64, found: u64 },
    #[error("it does not have the checksum that is stated")]
    Sum,
    #[error("its data begin in no way that is read")]
    Layout,
    #[error("its data can be read in two ways")]
    TwoLayouts,
    #[error("its header, or what is in it, is larger than what is read")]
    TooLarge,
    #[error("its header is not that of an installer of version 2 or 3")]
    Header,
    #[error("its strings end nowhere")]
    Strings,
    #[error("a block of data does not end where it should")]
    Block,
    #[error("an instruction extracts data from where no block begins")]
    Place,
    #[error("what makes an uninstaller of its program does not fit that")]
    Uninstaller,
}

impl From<NsisError> for io::Error {
    fn from(error: NsisError) -> Self {
        room::refused(error)
    }
}

/// Whether a program has the mark of an installer behind its sections.
///
/// # Errors
/// Where the reader fails.
pub(crate) fn is_nsis(bytes: &mut (impl Read + Seek)) -> io::Result<bool> {
    match Image::read(bytes)? {
        Ok(image) => {
            let overlay = image.overlay();
            let found = mark(bytes, overlay.start, overlay.end)?;
            Ok(found.is_some())
        }
        Err(_) => Ok(false),
    }
}

/// The first multiple of 512 at which the mark stands.
fn mark(bytes: &mut (impl Read + Seek), from: u64, to: u64) -> io::Result<Option<u64>> {
    let from = from.next_multiple_of(PIECE_BYTES);
    let (mut at, mut found) = (from, None);
    // Pieces come in any length, so what is needed of each 512 bytes is kept.
    let mut head = Vec::new();
    pass(bytes, from, to, |mut piece| {
        while !piece.is_empty() && found.is_none() {
            let inside = at % PIECE_BYTES;
            let step = (PIECE_BYTES - inside).min(piece.len() as u64);
            let (taken, rest) = piece.split_at(usize::try_from(step).unwrap_or(piece.len()));
            let begin = at - inside;
            if inside == 0 {
                head.clear();
            }
            let missing = (4 + MARK.len()).saturating_sub(head.len());
            head.extend(taken.iter().take(missing));
            at += step;
            piece = rest;
            let is_whole = missing > 0 && head.len() == 4 + MARK.len();
            if is_whole && head.ends_with(MARK) {
                found = Some(begin);
            }
        }
    })?;
    Ok(found)
}

/// Where an installer is in its file.
struct Place {
    /// The first header.
    at: u64,
    header_bytes: u32,
    /// Where the data end, and where what the first header counts does.
    data_ends: u64,
    ends: u64,
    has_sum: bool,
}

impl Place {
    fn find(bytes: &mut (impl Read + Seek)) -> io::Result<Self> {
        let image = Image::read(bytes)?.map_err(room::refused)?;
        let overlay = image.overlay();
        let at = mark(bytes, overlay.start, overlay.end)?.ok_or(NsisError::Header)?;
        if let Some(before) = mark(bytes, 0, at)? {
            return Err(NsisError::Twice(before, at).into());
        }
        let first = read_at(bytes, at, FIRST_HEADER_BYTES)?.ok_or(NsisError::Header)?;
        let number = |at: usize| {
            let field = first.get(at..).and_then(<[u8]>::first_chunk);
            field.map_or(0, |it| u32::from_le_bytes(*it))
        };
        let (flags, header_bytes, reach) = (number(0), number(20), u64::from(number(24)));
        if flags & !0x0f != 0 {
            return Err(NsisError::Flags(flags).into());
        }
        let ends = at.saturating_add(reach);
        if !image.is_ended_by(bytes, ends)? {
            let (stated, found) = (ends, overlay.end);
            return Err(NsisError::Size { stated, found }.into());
        }
        // Without a checksum, and none that the command line cannot take away.
        let has_sum = flags & 0x0c != 4;
        let data_ends = if has_sum {
            ends.saturating_sub(4)
        } else {
            ends
        };
        if data_ends < at + FIRST_HEADER_BYTES {
            return Err(NsisError::Header.into());
        }
        Ok(Self {
            at,
            header_bytes,
            data_ends,
            ends,
            has_sum,
        })
    }

    /// The first piece of the program is not covered, as a signature changes it.
    fn judge_sum(&self, bytes: &mut (impl Read + Seek)) -> io::Result<()> {
        if !self.has_sum {
            return Ok(());
        }
        let mut digest = Digest::new(CrcAlgorithm::Crc32IsoHdlc);
        pass(bytes, PIECE_BYTES, self.data_ends, |piece| {
            digest.update(piece)
        })?;
        let stated = read_at(bytes, self.data_ends, self.ends - self.data_ends)?;
        let stated = stated.as_deref().and_then(<[u8]>::first_chunk);
        match stated.map(|it| u64::from(u32::from_le_bytes(*it))) == Some(digest.finalize()) {
            true => Ok(()),
            false => Err(NsisError::Sum.into()),
        }
    }
}

/// Reads an installer to its end.
///
/// # Errors
/// Where the reader or `each` fails; refusals where the installer is wrong.
pub(crate) fn walk(bytes: &mut dyn Bytes, each: Each<'_>) -> io::Result<()> {
    let shared = RefCell::new(bytes);
    let mut bytes = Shared::new(&shared);
    let place = Place::find(&mut bytes)?;
    place.judge_sum(&mut bytes)?;
    let begins = place.at + FIRST_HEADER_BYTES;
    let data = || Part::new(Shared::new(&shared), begins..place.data_ends);
    let head = data::HEAD_BYTES.min(place.data_ends - begins);
    let head = read_at(&mut bytes, begins, head)?.unwrap_or_default();
    let (mut opened, mut failed) = (None, None);
    for layout in Layout::candidates(&head, place.header_bytes) {
        match open(layout, data(), place.header_bytes) {
            Ok(it) => {
                if opened.replace(it).is_some() {
                    return Err(NsisError::TwoLayouts.into());
                }
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    let (blocks, script) = match (opened, failed) {
        (Some(opened), _) => opened,
        (None, Some(error)) => return Err(error),
        (None, None) => return Err(NsisError::Layout.into()),
    };
    let mut reading = Reading {
        script,
        paths: BTreeSet::new(),
        folders: BTreeMap::new(),
        begins: BTreeSet::new(),
        each,
    };
    reading.blocks(blocks, &mut bytes, place.at)
}

/// Reads the data in one way, which is right if they begin with a header then.
fn open<'s, R: Read + 's>(
    layout: Layout,
    data: R,
    header_bytes: u32,
) -> io::Result<(Blocks<'s, R>, Script)> {
    let mut blocks = Blocks::new(layout, data)?;
    let header = blocks.header(header_bytes)?;
    Ok((blocks, Script::parse(&header)?))
}

struct Reading<'e> {
    script: Script,
    /// Paths that were handed on, as disks of Windows compare them.
    paths: BTreeSet<String>,
    /// Folders, compared in the same way, as they are spelt.
    folders: BTreeMap<String, String>,
    /// Where blocks begin that instructions name.
    begins: BTreeSet<u32>,
    each: Each<'e>,
}

impl Reading<'_> {
    fn blocks<'s>(
        &mut self,
        mut blocks: Blocks<'s, impl Read + 's>,
        program: &mut (impl Read + Seek),
        program_bytes: u64,
    ) -> io::Result<()> {
        // The program as it is changed, where its data are the next block.
        let mut uninstaller: Option<(String, Vec<u8>)> = None;
        let mut is_over = false;
        while !is_over {
            let mut found = None;
            is_over = !blocks.next(|at, content| {
                let at = u32::try_from(at).map_err(|_| NsisError::Place)?;
                if let Some((path, program)) = uninstaller.take() {
                    let mut whole = Cursor::new(program).chain(content);
                    return self.file(at, path, &mut whole).map(drop);
                }
                self.begins.insert(at);
                let named = self.script.uninstallers.get(&at).cloned();
                let is_file = self.script.files.contains_key(&at);
                let Some((path, patch_bytes)) = named.filter(|_| !is_file) else {
                    return self.named(at, content);
                };
                if u64::from(patch_bytes) > Limits::PROGRAM_BYTES {
                    return Err(NsisError::Uninstaller.into());
                }
                let mut patch = Vec::new();
                content
                    .take(u64::from(patch_bytes) + 1)
                    .read_to_end(&mut patch)?;
                if patch.len() as u64 != u64::from(patch_bytes) {
                    return Err(NsisError::Uninstaller.into());
                }
                if program_bytes > Limits::PROGRAM_BYTES {
                    return Err(NsisError::TooLarge.into());
                }
                let mut changed =
                    read_at(program, 0, program_bytes)?.ok_or(NsisError::Uninstaller)?;
                change(&mut changed, &patch)?;
                found = Some((path, changed));
                Ok(())
            })?;
            if found.is_some() {
                uninstaller = found;
            }
        }
        let is_everywhere = self.script.files.keys().all(|at| self.begins.contains(at));
        match is_everywhere && uninstaller.is_none() {
            true => Ok(()),
            false => Err(NsisError::Place.into()),
        }
    }

    /// Hands a block on, by all the names that it has.
    fn named(&mut self, at: u32, content: &mut dyn Read) -> io::Result<()> {
        let mut paths = self
            .script
            .files
            .remove(&at)
            .unwrap_or_default()
            .into_iter();
        self.script.files.insert(at, Vec::new());
        let first = paths.next().unwrap_or_else(|| script::unnamed(at));
        let first = self.file(at, first, content)?;
        for path in paths {
            let entry = Entry {
                path: self.alone(at, path),
                kind: EntryKind::HardLink(first.clone()),
                is_executable: None,
            };
            (self.each)(&entry, &mut io::empty())?;
        }
        Ok(())
    }

    /// Hands a file on, and says under which path.
    fn file(&mut self, at: u32, path: String, content: &mut dyn Read) -> io::Result<String> {
        let entry = Entry {
            path: self.alone(at, path),
            kind: EntryKind::File,
            is_executable: None,
        };
        (self.each)(&entry, content)?;
        Ok(entry.path)
    }

    /// A path that no other block has: scripts put one file or another at the same place, as it suits a machine. Folders are
    /// spelt as they were first, as Windows takes them for one however a script spells them.
    fn alone(&mut self, at: u32, path: String) -> String {
        let path = self.spelt(&path);
        let is_taken = self.folders.contains_key(&folded(&path)) || self.is_below_a_file(&path);
        if !is_taken && self.paths.insert(folded(&path)) {
            return path;
        }
        let path = format!("{}/{path}", script::unnamed(at));
        self.paths.insert(folded(&path));
        path
    }

    fn spelt(&mut self, path: &str) -> String {
        let Some((folder, name)) = path.rsplit_once('/') else {
            return path.to_owned();
        };
        let mut spelt = String::new();
        for part in folder.split('/') {
            spelt.push_str(part);
            let known = self.folders.entry(folded(&spelt));
            spelt.clone_from(known.or_insert_with(|| spelt.clone()));
            spelt.push('/');
        }
        spelt + name
    }

    fn is_below_a_file(&self, path: &str) -> bool {
        let mut parents = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        parents.any(|parent| self.paths.contains(&folded(parent)))
    }
}

/// Changes a program into an uninstaller: sizes, offsets, and what is to stand there, up to a size of zero.
fn change(program: &mut [u8], patch: &[u8]) -> Result<(), NsisError> {
    let mut rest = patch;
    let number = |rest: &mut &[u8]| {
        let (number, behind) = rest.split_first_chunk().ok_or(NsisError::Uninstaller)?;
        *rest = behind;
        usize::try_from(u32::from_le_bytes(*number)).map_err(|_| NsisError::Uninstaller)
    };
    loop {
        let bytes = number(&mut rest)?;
        if bytes == 0 {
            return match rest.is_empty() {
                true => Ok(()),
                false => Err(NsisError::Uninstaller),
            };
        }
        // The program itself looks at the first byte of a size alone.
        if bytes % 256 == 0 {
            return Err(NsisError::Uninstaller);
        }
        let at = number(&mut rest)?;
        let (value, behind) = rest.split_at_checked(bytes).ok_or(NsisError::Uninstaller)?;
        let end = at.checked_add(bytes).ok_or(NsisError::Uninstaller)?;
        let place = program.get_mut(at..end).ok_or(NsisError::Uninstaller)?;
        place.copy_from_slice(value);
        rest = behind;
    }
}

#[cfg(test)]
pub(crate) mod tests;
