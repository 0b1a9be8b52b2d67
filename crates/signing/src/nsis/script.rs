//! The header of an installer: which block of data is put where by its instructions (NSIS, `Source/exehead/fileform.h`).
//!
//! Instructions are read in their order, as 7-Zip does: where the script jumps, the folder that a file goes to may be another
//! one. A name says where in the installer something is, and nothing is judged by its folder.

use std::collections::{BTreeMap, BTreeSet};

use super::text::{Piece, Strings};
use super::{Limits, NsisError};
use crate::walk::names::{self, folded};

/// The parts of the header, of which each has an offset and a number of items.
const PARTS: usize = 8;
const ENTRIES: usize = 2;
const STRINGS: usize = 3;
const LANGUAGES: usize = 4;
/// An instruction is its number and six parameters.
const ENTRY_BYTES: usize = 28;
/// Instructions, the same in all versions from 2.0 on.
const CREATE_FOLDER: i32 = 11;
const EXTRACT_FILE: i32 = 20;
const ASSIGN_VARIABLE: i32 = 25;
/// The same in all but those of Jim Park's.
const WRITE_UNINSTALLER: i32 = 62;

/// What the header says of the data.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Script {
    /// Paths by the offset of what is put there.
    pub(super) files: BTreeMap<u32, Vec<String>>,
    /// Where an uninstaller is put, and the size of what changes the program for it.
    pub(super) uninstallers: BTreeMap<u32, (String, u32)>,
}

fn number(bytes: &[u8], at: usize) -> Result<i32, NsisError> {
    let field = bytes.get(at..).and_then(<[u8]>::first_chunk);
    field
        .map(|it| i32::from_le_bytes(*it))
        .ok_or(NsisError::Header)
}

fn offset(bytes: &[u8], at: usize) -> Result<usize, NsisError> {
    usize::try_from(number(bytes, at)?).map_err(|_| NsisError::Header)
}

impl Script {
    pub(super) fn parse(header: &[u8]) -> Result<Self, NsisError> {
        // Installers of 64 bits have offsets of 64 bits; no header is that large.
        let wide = 4 + PARTS * 12;
        let mut is_wide = header.len() >= wide;
        for part in 0..PARTS {
            is_wide &= number(header, 4 + part * 12 + 4).unwrap_or(1) == 0;
        }
        let width = if is_wide { 12 } else { 8 };
        let part = |part: usize| -> Result<(usize, usize), NsisError> {
            let at = 4 + part * width;
            Ok((offset(header, at)?, offset(header, at + width - 4)?))
        };
        let (entries_at, entries) = part(ENTRIES)?;
        let (strings_at, _) = part(STRINGS)?;
        let (languages_at, _) = part(LANGUAGES)?;
        let strings = header
            .get(strings_at..languages_at)
            .ok_or(NsisError::Header)?;
        let strings = Strings::new(strings)?;
        let bytes = entries.checked_mul(ENTRY_BYTES).ok_or(NsisError::Header)?;
        let end = entries_at.checked_add(bytes).ok_or(NsisError::Header)?;
        let entries = header.get(entries_at..end).ok_or(NsisError::Header)?;
        let mut reading = Reading {
            strings,
            folder: String::new(),
            saved: String::new(),
            seen: BTreeSet::new(),
            names_bytes: 0,
            script: Self::default(),
        };
        for entry in entries.chunks_exact(ENTRY_BYTES) {
            reading.entry(entry)?;
        }
        Ok(reading.script)
    }
}

struct Reading<'a> {
    strings: Strings<'a>,
    /// `$OUTDIR`, and what `$_OUTDIR` was made of it.
    folder: String,
    saved: String,
    seen: BTreeSet<(u32, String)>,
    names_bytes: usize,
    script: Script,
}

impl Reading<'_> {
    fn entry(&mut self, entry: &[u8]) -> Result<(), NsisError> {
        let parameter = |place: usize| number(entry, 4 * place);
        match number(entry, 0)? {
            // The second one says that it is `$OUTDIR` from here on.
            CREATE_FOLDER if parameter(2)? != 0 => {
                self.folder = self.path(parameter(1)?)?;
            }
            ASSIGN_VARIABLE => {
                // `$_OUTDIR`, of old and of newer versions.
                let is_saved =
                    matches!(parameter(1)?, 29 | 31) && parameter(3)? == 0 && parameter(4)? == 0;
                if is_saved && self.strings.read(parameter(2)?)? == [Piece::Variable(OUTDIR)] {
                    self.saved.clone_from(&self.folder);
                }
            }
            EXTRACT_FILE => {
                let path = self.path(parameter(2)?)?;
                let at = self.place(parameter(3)?)?;
                self.file(at, mapped(&path, at));
            }
            WRITE_UNINSTALLER if !self.strings.is_park() => {
                let at = self.place(parameter(2)?)?;
                let bytes = u32::try_from(parameter(3)?).map_err(|_| NsisError::Uninstaller)?;
                let path = mapped(&self.path(parameter(1)?)?, at);
                match bytes {
                    // One that something was done to when it was made, as `!uninstfinalize` says: it stands there as a whole.
                    0 => self.file(at, path),
                    _ => drop(self.script.uninstallers.entry(at).or_insert((path, bytes))),
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn file(&mut self, at: u32, path: String) {
        if self.seen.insert((at, folded(&path))) {
            self.script.files.entry(at).or_default().push(path);
        }
    }

    fn place(&self, at: i32) -> Result<u32, NsisError> {
        u32::try_from(at).map_err(|_| NsisError::Place)
    }

    /// A path as 7-Zip shows it: below `$INSTDIR` where nothing else is said.
    fn path(&mut self, at: i32) -> Result<String, NsisError> {
        let pieces = self.strings.read(at)?;
        let is_absolute = match pieces.first() {
            Some(
                Piece::Variable(INSTDIR | OUTDIR | EXEDIR | TEMP | PLUGINSDIR | 29 | 31)
                | Piece::Shell(..),
            ) => true,
            Some(Piece::Text(text)) => {
                let text = text.as_bytes();
                matches!(text, [_, b':', ..] | [b'\\', b'\\', ..])
            }
            _ => false,
        };
        let mut path = String::new();
        if !is_absolute && !self.folder.is_empty() {
            path = format!("{}\\", self.folder);
        }
        for (place, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Text(text) => path.push_str(text),
                Piece::Variable(OUTDIR) if place == 0 => path.push_str(&self.folder),
                Piece::Variable(29 | 31) if place == 0 => path.push_str(&self.saved),
                Piece::Variable(INSTDIR) if place == 0 => {}
                Piece::Variable(variable) => path.push_str(&name_of_variable(*variable)),
                Piece::Shell(own, all) => path.push_str(&self.name_of_shell(*own, *all)),
                Piece::Language(language) => path.push_str(&format!("$(LSTR_{language})")),
            }
        }
        // What is left where `$INSTDIR` was.
        let path = path
            .strip_prefix('\\')
            .filter(|_| is_absolute && !path.starts_with("\\\\"))
            .unwrap_or(&path)
            .to_owned();
        self.names_bytes += path.len();
        match self.names_bytes <= Limits::NAMES_BYTES {
            true => Ok(path),
            false => Err(NsisError::TooLarge),
        }
    }

    fn name_of_shell(&self, own: u8, all: u8) -> String {
        if own & 0x80 != 0 {
            let name = self.strings.plain(own & 0x3f);
            let bits = if own & 0x40 != 0 { "64" } else { "" };
            return match name.as_deref() {
                Some("ProgramFilesDir") => format!("$PROGRAMFILES{bits}"),
                Some("CommonFilesDir") => format!("$COMMONFILES{bits}"),
                _ => format!("$REGISTRY{bits}_{}", own & 0x3f),
            };
        }
        match shell(own).or_else(|| shell(all)) {
            Some(name) => format!("${name}"),
            None => format!("$SHELL_{own}_{all}"),
        }
    }
}

/// A path that can stand in a report, or one by where the data are: scripts may name anything.
fn mapped(path: &str, at: u32) -> String {
    let path = path.replace('\\', "/");
    if names::relative(path.as_bytes()).is_ok_and(|it| it == path) {
        return path;
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    match names::relative(name.as_bytes()) {
        Ok(found) if found == name => format!("{}/{name}", unnamed(at)),
        _ => format!("{}/unnamed", unnamed(at)),
    }
}

/// What data are called that nothing names.
pub(super) fn unnamed(at: u32) -> String {
    format!("data-{at:x}")
}

/// Variables in their order, behind `$0` to `$9` and `$R0` to `$R9`.
const INSTDIR: u32 = 21;
const OUTDIR: u32 = 22;
const EXEDIR: u32 = 23;
const TEMP: u32 = 25;
const PLUGINSDIR: u32 = 26;
const NAMED: [&str; 12] = [
    "CMDLINE",
    "INSTDIR",
    "OUTDIR",
    "EXEDIR",
    "LANGUAGE",
    "TEMP",
    "PLUGINSDIR",
    "EXEPATH",
    "EXEFILE",
    "HWNDPARENT",
    "_CLICK",
    "_OUTDIR",
];

fn name_of_variable(variable: u32) -> String {
    let named = variable
        .checked_sub(20)
        .and_then(|it| usize::try_from(it).ok());
    match (variable, named.and_then(|it| NAMED.get(it))) {
        (0..10, _) => format!("${variable}"),
        (10..20, _) => format!("$R{}", variable - 10),
        (_, Some(name)) => format!("${name}"),
        (_, None) => format!("$_{}_", variable.saturating_sub(32)),
    }
}

/// What NSIS calls a CSIDL of Windows (`ShlObj.h`).
fn shell(csidl: u8) -> Option<&'static str> {
    Some(match csidl {
        0x00 | 0x10 | 0x19 => "DESKTOP",
        0x02 | 0x17 => "SMPROGRAMS",
        0x05 | 0x2e => "DOCUMENTS",
        0x06 | 0x1f => "FAVORITES",
        0x07 | 0x18 => "SMSTARTUP",
        0x08 => "RECENT",
        0x09 => "SENDTO",
        0x0b | 0x16 => "STARTMENU",
        0x0d | 0x35 => "MUSIC",
        0x0e | 0x37 => "VIDEOS",
        0x13 => "NETHOOD",
        0x14 => "FONTS",
        0x15 | 0x2d => "TEMPLATES",
        0x1a | 0x23 => "APPDATA",
        0x1b => "PRINTHOOD",
        0x1c => "LOCALAPPDATA",
        0x20 => "INTERNET_CACHE",
        0x21 => "COOKIES",
        0x22 => "HISTORY",
        0x24 => "WINDIR",
        0x25 => "SYSDIR",
        0x26 => "PROGRAM_FILES",
        0x27 | 0x36 => "PICTURES",
        0x28 => "PROFILE",
        0x2b => "PROGRAM_FILES_COMMON",
        0x2f | 0x30 => "ADMINTOOLS",
        0x38 => "RESOURCES",
        0x39 => "RESOURCES_LOCALIZED",
        0x3b => "CDBURN_AREA",
        _ => return None,
    })
}
