//! As much of an ELF file as says where it ends and where its sections are (System V ABI, `Elf64_Ehdr`, `Elf64_Shdr`).
//!
//! The runtimes of AppImages look for the image behind what they take for the end of themselves: of the table of sections, or
//! of the last section in it, whichever is later. Files of which another part ends later than that are refused.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use crate::reading::{read_at, u16_le_at, u32_le_at, u64_le_at};

use super::AppImageError;

const IDENT_BYTES: u64 = 16;
/// The most sections that are read. Runtimes have about 30.
const SECTIONS_MAX: u64 = 1024;
/// The most bytes of names of sections.
const NAMES_BYTES_MAX: u64 = 64 * 1024;
/// A section that takes no room in the file.
const NO_BITS: u32 = 8;

/// What differs between files of 32 and 64 bits: offsets of fields.
struct Class {
    /// Of the header, and of each entry of the two tables.
    header: u64,
    segment: u64,
    section: u64,
    is_wide: bool,
    /// e_phoff, e_shoff, e_phentsize
    fields: [usize; 3],
    /// p_offset, p_filesz
    of_segment: [usize; 2],
    /// sh_offset, sh_size
    of_section: [usize; 2],
}

const NARROW: Class = Class {
    header: 52,
    segment: 32,
    section: 40,
    is_wide: false,
    fields: [28, 32, 42],
    of_segment: [4, 16],
    of_section: [16, 20],
};
const WIDE: Class = Class {
    header: 64,
    segment: 56,
    section: 64,
    is_wide: true,
    fields: [32, 40, 54],
    of_segment: [8, 32],
    of_section: [24, 32],
};

/// A section that has room in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) name: Vec<u8>,
    pub(super) range: Range<u64>,
}

/// Where the parts of an ELF file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Elf {
    pub(super) sections: Vec<Section>,
    /// Headers, tables, and names of sections: what says where everything else is.
    pub(super) tables: Vec<Range<u64>>,
    /// What is loaded of it.
    segments: Vec<Range<u64>>,
    /// Where the image begins.
    pub(super) end: u64,
}

impl Elf {
    pub(super) fn read(reader: &mut (impl Read + Seek)) -> io::Result<Result<Self, AppImageError>> {
        let size = reader.seek(SeekFrom::End(0))?;
        let Some(ident) = read_at(reader, 0, IDENT_BYTES)? else {
            return Ok(Err(AppImageError::Elf("it is cut short")));
        };
        let class = match ident.get(4..6) {
            Some([1, 1]) => NARROW,
            Some([2, 1]) => WIDE,
            Some([_, 2]) => return Ok(Err(AppImageError::Elf("it is big-endian"))),
            _ => return Ok(Err(AppImageError::Elf("it is of no class that is known"))),
        };
        let Some(header) = read_at(reader, 0, class.header)? else {
            return Ok(Err(AppImageError::Elf("it is cut short")));
        };
        let Some(tables) = Tables::parse(&class, &header) else {
            return Ok(Err(AppImageError::Elf(
                "its tables are not as they must be",
            )));
        };
        let (segments, sections) = (tables.segments.clone(), tables.sections.clone());
        let segments = read_at(reader, segments.start, segments.end - segments.start)?;
        let sections = read_at(reader, sections.start, sections.end - sections.start)?;
        let (Some(segments), Some(sections)) = (segments, sections) else {
            return Ok(Err(AppImageError::Elf("a table ends behind the file")));
        };
        let names = tables.names(&class, &sections);
        let names = names.filter(|names| names.end - names.start <= NAMES_BYTES_MAX);
        let Some(names) = names else {
            return Ok(Err(AppImageError::Elf("its sections have no names")));
        };
        let Some(text) = read_at(reader, names.start, names.end - names.start)? else {
            return Ok(Err(AppImageError::Elf("a table ends behind the file")));
        };
        let elf = tables.elf(&class, &segments, &sections, names, &text);
        let elf = elf.ok_or(AppImageError::Elf(
            "a section or segment is not as it must be",
        ));
        Ok(elf.and_then(|elf| elf.ends_once(size)))
    }

    /// Refuses a file of which something lies behind its end.
    fn ends_once(self, size: u64) -> Result<Self, AppImageError> {
        let ranges = self.sections.iter().map(|section| &section.range);
        let ranges = ranges.chain(&self.tables).chain(&self.segments);
        let last = ranges.map(|it| it.end).max();
        match last {
            _ if self.end >= size => Err(AppImageError::Elf("nothing stands behind it")),
            Some(last) if last > self.end => Err(AppImageError::Elf(
                "a part of it lies behind what runtimes take for its end",
            )),
            _ => Ok(self),
        }
    }
}

/// Where the two tables are, and which section has the names.
struct Tables {
    header: Range<u64>,
    segments: Range<u64>,
    sections: Range<u64>,
    names: u64,
}

impl Tables {
    fn parse(class: &Class, header: &[u8]) -> Option<Self> {
        let [segments, sections, sizes] = class.fields;
        let segments = class.word(header, segments)?;
        let sections = class.word(header, sections)?;
        // e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx
        let small = |index: usize| u16_le_at(header, sizes + 2 * index).map(u64::from);
        let (segment_count, section_count) = (small(1)?, small(3)?);
        let is_sized = small(0)? == class.segment && small(2)? == class.section;
        // More than 65,279 sections are counted elsewhere; no runtime has them.
        let is_bounded = (1..=SECTIONS_MAX).contains(&section_count);
        if !is_sized || !is_bounded || segment_count > SECTIONS_MAX {
            return None;
        }
        Some(Self {
            header: 0..class.header,
            segments: range(segments, segment_count * class.segment)?,
            sections: range(sections, section_count * class.section)?,
            names: small(4)?,
        })
    }

    /// Where the names of sections are.
    fn names(&self, class: &Class, sections: &[u8]) -> Option<Range<u64>> {
        let at = usize::try_from(self.names.checked_mul(class.section)?).ok()?;
        class.range_of(sections.get(at..)?, class.of_section)
    }

    fn elf(
        self,
        class: &Class,
        segments: &[u8],
        sections: &[u8],
        names: Range<u64>,
        text: &[u8],
    ) -> Option<Elf> {
        let mut found = Vec::new();
        let mut last = 0..0;
        for entry in sections.chunks_exact(usize::try_from(class.section).ok()?) {
            // sh_name, sh_type
            let name = text.get(usize::try_from(u32_le_at(entry, 0)?).ok()?..)?;
            let name = name.split(|byte| *byte == 0).next()?.to_vec();
            let range = class.range_of(entry, class.of_section)?;
            // Runtimes do not ask whether it has room in the file.
            last = range.clone();
            if u32_le_at(entry, 4)? != NO_BITS {
                found.push(Section { name, range });
            }
        }
        let end = self.sections.end.max(last.end);
        let segments = segments.chunks_exact(usize::try_from(class.segment).ok()?);
        let segments = segments.map(|entry| class.range_of(entry, class.of_segment));
        Some(Elf {
            sections: found,
            tables: vec![self.header, self.segments, self.sections, names],
            segments: segments.collect::<Option<_>>()?,
            end,
        })
    }
}

impl Class {
    fn word(&self, bytes: &[u8], at: usize) -> Option<u64> {
        match self.is_wide {
            true => u64_le_at(bytes, at),
            false => u32_le_at(bytes, at).map(u64::from),
        }
    }

    fn range_of(&self, entry: &[u8], [offset, size]: [usize; 2]) -> Option<Range<u64>> {
        range(self.word(entry, offset)?, self.word(entry, size)?)
    }
}

fn range(start: u64, bytes: u64) -> Option<Range<u64>> {
    Some(start..start.checked_add(bytes)?)
}
