//! Names in packages: of streams, and of what is installed.

use std::collections::BTreeMap;

use crate::msi::tables::{Pool, Table, TableError};

/// What names of streams are made of where one unit holds two letters, by the number of a letter.
const LETTERS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._";
/// The unit with which the name of a table begins.
const TABLE: u16 = 0x4840;

/// What a stream of the database is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum StreamName {
    Table(String),
    Other(String),
}

/// The name of a stream, in UTF-16LE. Units from 0x3800 hold two letters, from 0x4800 one; all others are what they are.
pub(super) fn stream(name: &[u8]) -> Option<StreamName> {
    let units = name.chunks_exact(2);
    let units = units.filter_map(|unit| unit.first_chunk().copied().map(u16::from_le_bytes));
    let mut found = Vec::new();
    let mut is_table = false;
    let letter = |number: u16| {
        let letter = LETTERS.get(usize::from(number & 0x3f));
        letter.map_or(0, |letter| u16::from(*letter))
    };
    for (at, unit) in units.enumerate() {
        match unit {
            TABLE if at == 0 => is_table = true,
            0x3800..0x4800 => {
                let pair = unit - 0x3800;
                found.extend([letter(pair), letter(pair >> 6)]);
            }
            0x4800..0x4840 => found.push(letter(unit - 0x4800)),
            other => found.push(other),
        }
    }
    let text = String::from_utf16(&found).ok()?;
    Some(match is_table {
        true => StreamName::Table(text),
        false => StreamName::Other(text),
    })
}

/// The high half of Windows-1252, of which five places are none.
const WINDOWS_1252: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}',
    '\u{2c6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}',
    '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}',
    '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
];

/// A text as it is shown. What is in a code page that is not read here keeps its ASCII, and the rest is shown as bytes: it is
/// the same file by whatever name.
pub(super) fn shown(text: &[u8], code_page: u32) -> String {
    if text.is_ascii() || code_page == 65001 {
        return String::from_utf8_lossy(text).into_owned();
    }
    let is_western = matches!(code_page, 0 | 1252);
    let mut found = String::new();
    for byte in text {
        match byte {
            // Where letters have two bytes, the second may be any of these.
            b'\\' | b'/' | b'|' if !is_western => found.push_str(&format!("%{byte:02X}")),
            0..0x80 => found.push(char::from(*byte)),
            0x80..0xa0 if is_western => {
                found.extend(WINDOWS_1252.get(usize::from(byte - 0x80)));
            }
            _ if is_western => found.push(char::from(*byte)),
            _ => found.push_str(&format!("%{byte:02X}")),
        }
    }
    found
}

/// The long one of `short|long`, and of `target:source` the target.
fn long(text: &str) -> &str {
    let target = text.split(':').next().unwrap_or(text);
    target.rsplit_once('|').map_or(target, |(_, long)| long)
}

/// The folders that a package installs into.
pub(super) struct Folders<'a> {
    pool: &'a Pool,
    /// By the number of the name of a folder: those of its parent, and of how it is called.
    folders: BTreeMap<u32, (u32, u32)>,
    /// By the number of the name of a component: that of its folder.
    components: BTreeMap<u32, u32>,
}

/// How deep folders may lie in one another.
const DEPTH_MAX: usize = 64;

impl<'a> Folders<'a> {
    pub(super) fn read(
        pool: &'a Pool,
        directories: &Table,
        components: &Table,
    ) -> Result<Self, TableError> {
        let mut folders = BTreeMap::new();
        for row in 0..directories.rows {
            let value = |column| directories.value(column, row);
            let folder = (value("Directory_Parent")?, value("DefaultDir")?);
            if folders.insert(value("Directory")?, folder).is_some() {
                return Err(TableError::Table("Directory"));
            }
        }
        let mut places = BTreeMap::new();
        for row in 0..components.rows {
            let value = |column| components.value(column, row);
            if places
                .insert(value("Component")?, value("Directory_")?)
                .is_some()
            {
                return Err(TableError::Table("Component"));
            }
        }
        Ok(Self {
            pool,
            folders,
            components: places,
        })
    }

    fn text(&self, number: u32) -> String {
        shown(self.pool.text(number), self.pool.code_page)
    }

    /// The path of a file, as msiextract has it, too: below the folder that the user chooses.
    pub(super) fn path(&self, component: u32, name: u32) -> Result<String, TableError> {
        let wrong = |table| move || TableError::Table(table);
        let folder = self.components.get(&component);
        let mut at = *folder.ok_or_else(wrong("Component"))?;
        let mut parts = vec![long(&self.text(name)).to_owned()];
        for depth in 0.. {
            let (parent, called) = self.folders.get(&at).ok_or_else(wrong("Directory"))?;
            if depth > DEPTH_MAX {
                return Err(TableError::Table("Directory"));
            }
            let called = self.text(*called);
            match (self.pool.text(at), long(&called)) {
                (b"ProgramFilesFolder", _) => parts.push("Program Files".to_owned()),
                (_, "." | "SourceDir") => {}
                (_, called) => parts.push(called.to_owned()),
            }
            if *parent == 0 || *parent == at {
                break;
            }
            at = *parent;
        }
        parts.reverse();
        Ok(parts.join("/"))
    }
}
