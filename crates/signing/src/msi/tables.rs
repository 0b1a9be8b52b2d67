//! The database in a package: tables, each a stream of rows, whose texts stand in one pool.
//!
//! No specification is published; Wine and msitools read it so, and so does what Windows Installer reads. A table is stored
//! column by column. Texts are numbers of entries of the pool.

use std::io::{Read, Seek};

use thiserror::Error;

use crate::msi::compound::{Compound, Place, u16_at, u32_at};
use crate::msi::limits::CompoundError;

/// What is read of a database at most.
struct Limits;

impl Limits {
    /// Bytes of all streams that are read: 300,000 files have tables of 14 MB and some texts.
    const BYTES: u64 = 48 * 1024 * 1024;
    /// Rows of one table.
    const ROWS: usize = 500_000;
}

/// Why the database of a package cannot be read.
#[derive(Debug, Error)]
pub(super) enum TableError {
    #[error(transparent)]
    Compound(#[from] CompoundError),
    #[error("its pool of texts is not as its texts are, or could be read in two ways")]
    Pool,
    #[error("its database has more bytes or rows than are read")]
    TooLarge,
    #[error("the table `{0}` does not have the rows or columns that it must have")]
    Table(&'static str),
}

/// Reads streams of the database, as long as they are not too large together.
pub(super) struct Streams {
    left: u64,
}

impl Streams {
    pub(super) fn new() -> Self {
        Self {
            left: Limits::BYTES,
        }
    }

    /// Reads one; one that is not there has no rows.
    pub(super) fn read(
        &mut self,
        compound: &mut Compound<'_, impl Read + Seek>,
        place: Option<Place>,
    ) -> Result<Vec<u8>, TableError> {
        let Some(place) = place else {
            return Ok(Vec::new());
        };
        let left = self.left.checked_sub(place.bytes);
        self.left = left.ok_or(TableError::TooLarge)?;
        Ok(super::read_all(compound, place)?)
    }
}

/// The texts, by their number.
pub(super) struct Pool {
    bytes: Vec<u8>,
    /// Where each begins, and where the last ends: they stand behind one another.
    starts: Vec<u32>,
    /// Bytes of a number of a text in a table.
    width: usize,
    pub(super) code_page: u32,
}

impl Pool {
    /// Four bytes of code page and width, and four for each text: its length, and how often it is used. Where the length is
    /// zero and the use is not, it is the higher half of the length, and the next four go with it.
    pub(super) fn parse(pool: &[u8], bytes: Vec<u8>) -> Result<Self, TableError> {
        let head = u32_at(pool, 0);
        let entries: Vec<_> = pool
            .chunks_exact(4)
            .map(|entry| (u16_at(entry, 0), u16_at(entry, 2)))
            .collect();
        let mut entries = entries.into_iter().skip(1);
        let (mut starts, mut at) = (vec![0, 0], 0_u32);
        while let Some((low, uses)) = entries.next() {
            let mut length = u32::from(low);
            if low == 0 && uses != 0 {
                let (low, uses_too) = entries.next().ok_or(TableError::Pool)?;
                // Wine and others take the higher half from there, Windows from here.
                if uses != uses_too {
                    return Err(TableError::Pool);
                }
                length = u32::from(uses) << 16 | u32::from(low);
            }
            at = at.checked_add(length).ok_or(TableError::Pool)?;
            starts.push(at);
        }
        if !pool.len().is_multiple_of(4) || at as usize != bytes.len() {
            return Err(TableError::Pool);
        }
        Ok(Self {
            bytes,
            starts,
            width: if head & 1 << 31 == 0 { 2 } else { 3 },
            code_page: head & 0x7fff_ffff,
        })
    }

    /// A text; the number 0 is none, and so is one that there is not.
    pub(super) fn text(&self, number: u32) -> &[u8] {
        let starts = self.starts.get(number as usize..);
        let range = match starts {
            Some([start, end, ..]) => *start as usize..*end as usize,
            _ => return &[],
        };
        let text = self.bytes.get(range);
        text.unwrap_or_default()
    }
}

/// A table whose rows can be read.
pub(super) struct Table {
    name: &'static str,
    bytes: Vec<u8>,
    columns: Vec<Column>,
    pub(super) rows: usize,
}

struct Column {
    name: Vec<u8>,
    width: usize,
    /// Bytes of all columns before it, in one row.
    before: usize,
}

impl Table {
    fn new(
        name: &'static str,
        bytes: Vec<u8>,
        columns: impl Iterator<Item = (Vec<u8>, usize)>,
    ) -> Result<Self, TableError> {
        let mut before = 0;
        let columns = columns.map(|(name, width)| {
            let column = Column {
                name,
                width,
                before,
            };
            before += width;
            column
        });
        let columns: Vec<_> = columns.collect();
        let rows = match before {
            0 if bytes.is_empty() => 0,
            row if row > 0 && bytes.len().is_multiple_of(row) => bytes.len() / row,
            _ => return Err(TableError::Table(name)),
        };
        if rows > Limits::ROWS {
            return Err(TableError::TooLarge);
        }
        Ok(Self {
            name,
            bytes,
            columns,
            rows,
        })
    }

    /// The columns of a table that describes the others.
    pub(super) fn of_system(
        name: &'static str,
        bytes: Vec<u8>,
        pool: &Pool,
    ) -> Result<Self, TableError> {
        let text = pool.width;
        let columns: &[(&str, usize)] = match name {
            "_Tables" => &[("Name", text)],
            _ => &[("Table", text), ("Number", 2), ("Name", text), ("Type", 2)],
        };
        let columns = columns
            .iter()
            .map(|(name, width)| (name.as_bytes().to_vec(), *width));
        Self::new(name, bytes, columns)
    }

    /// A table whose columns another one lists.
    pub(super) fn of_listed(
        name: &'static str,
        bytes: Vec<u8>,
        pool: &Pool,
        columns: &Self,
    ) -> Result<Self, TableError> {
        let mut found = Vec::new();
        for row in 0..columns.rows {
            if pool.text(columns.value("Table", row)?) != name.as_bytes() {
                continue;
            }
            let kind = columns.value("Type", row)? ^ 0x8000;
            let number = columns.value("Number", row)?;
            let column = pool.text(columns.value("Name", row)?).to_vec();
            found.push((number, column, width(kind, pool.width)));
        }
        found.sort();
        let found = found.into_iter().map(|(_, name, width)| (name, width));
        Self::new(name, bytes, found)
    }

    /// What stands in a column: the number of a text, or a number with its highest bit turned. 0 where the table is empty.
    pub(super) fn value(&self, column: &str, row: usize) -> Result<u32, TableError> {
        let wrong = || TableError::Table(self.name);
        let mut columns = self.columns.iter();
        let column = columns.find(|it| it.name == column.as_bytes());
        let Column { width, before, .. } = column.ok_or_else(wrong)?;
        let at = before * self.rows + row * width;
        let value = self.bytes.get(at..at + width).ok_or_else(wrong)?;
        let value = value.iter().rev();
        Ok(value.fold(0, |value, byte| value << 8 | u32::from(*byte)))
    }
}

/// Bytes of a column, by its type: 0x0800 is a text, unless it is 0x0900 with a length of zero, which is a stream; else the
/// low byte is how many bytes a number has.
fn width(kind: u32, text: usize) -> usize {
    const NULLABLE: u32 = 0x1000;
    const KEY: u32 = 0x2000;
    const TEXT: u32 = 0x0800;
    match kind & !(NULLABLE | KEY) {
        0x0900 => 2,
        kind if kind & TEXT != 0 => text,
        kind if kind & 0xff <= 2 => 2,
        _ => 4,
    }
}
