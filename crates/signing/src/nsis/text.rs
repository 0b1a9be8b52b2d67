//! The strings of an installer: texts with codes for what is known only where it runs (NSIS, `Source/exehead/fileform.h`).

use std::cell::Cell;

use super::{Limits, NsisError};

/// The longest string that is read, in characters. NSIS is built with 1,024 or 8,192.
const UNITS_MAX: usize = 8192;

/// How strings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Bytes; codes are the highest ones (NSIS 2).
    Ansi2,
    /// Bytes; codes are the lowest ones (NSIS 3).
    Ansi3,
    /// UTF-16; codes are the lowest ones (NSIS 3).
    Unicode3,
    /// UTF-16; codes stand where Unicode has private ones (NSIS 2 of Jim Park).
    UnicodePark,
}

/// What a code stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    Skip,
    Variable,
    Shell,
    Language,
}

impl Style {
    fn code(self, unit: u16) -> Option<Code> {
        match (self, unit) {
            (Self::Ansi3 | Self::Unicode3, 4)
            | (Self::Ansi2, 252)
            | (Self::UnicodePark, 0xe000) => Some(Code::Skip),
            (Self::Ansi3 | Self::Unicode3, 3)
            | (Self::Ansi2, 253)
            | (Self::UnicodePark, 0xe001) => Some(Code::Variable),
            (Self::Ansi3 | Self::Unicode3, 2)
            | (Self::Ansi2, 254)
            | (Self::UnicodePark, 0xe002) => Some(Code::Shell),
            (Self::Ansi3 | Self::Unicode3, 1)
            | (Self::Ansi2, 255)
            | (Self::UnicodePark, 0xe003) => Some(Code::Language),
            _ => None,
        }
    }

    fn is_wide(self) -> bool {
        matches!(self, Self::Unicode3 | Self::UnicodePark)
    }
}

/// A part of a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Variable(u32),
    /// What Windows keeps somewhere: CSIDLs for this user and for all, or where the registry tells.
    Shell(u8, u8),
    Language(u32),
}

/// All strings.
pub(super) struct Strings<'a> {
    bytes: &'a [u8],
    style: Style,
    /// Characters that may still be read: an instruction may name any string, and all instructions the longest one.
    left: Cell<usize>,
}

impl<'a> Strings<'a> {
    /// A table begins and ends with an empty string, which tells how wide characters are.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, NsisError> {
        let is_wide = bytes.starts_with(&[0, 0]);
        let ends = if is_wide { &[0, 0][..] } else { &[0] };
        if !bytes.starts_with(&[0]) || !bytes.ends_with(ends) {
            return Err(NsisError::Strings);
        }
        let mut strings = Self {
            bytes,
            style: Style::Unicode3,
            left: Cell::new(Limits::NAMES_BYTES),
        };
        strings.style = match is_wide {
            true if strings.has_private_variables() => Style::UnicodePark,
            true => Style::Unicode3,
            false => {
                // Variables and texts of the language, which every installer names, are followed by two bytes with the
                // highest bit set.
                let mut places = bytes.windows(3);
                match places.any(|it| matches!(it, [1 | 3, 0x80..=0xff, 0x80..=0xff])) {
                    true => Style::Ansi3,
                    false => Style::Ansi2,
                }
            }
        };
        Ok(strings)
    }

    fn has_private_variables(&self) -> bool {
        let mut places = self
            .bytes
            .chunks_exact(2)
            .zip(self.bytes.chunks_exact(2).skip(1));
        places.any(|place| matches!(place, ([0x01, 0xe0], [_, 0x80..=0xff])))
    }

    fn unit(&self, at: usize) -> Option<u16> {
        match self.style.is_wide() {
            true => {
                let at = at.checked_mul(2)?;
                Some(u16::from_le_bytes(*self.bytes.get(at..)?.first_chunk()?))
            }
            false => self.bytes.get(at).map(|byte| u16::from(*byte)),
        }
    }

    /// What follows a code: one wide character or two bytes, as two bytes.
    fn argument(&self, at: &mut usize) -> Option<[u8; 2]> {
        let first = self.unit(*at)?;
        *at += 1;
        if self.style.is_wide() {
            return Some(first.to_le_bytes());
        }
        let second = self.unit(*at)?;
        *at += 1;
        Some([u8::try_from(first).ok()?, u8::try_from(second).ok()?])
    }

    /// The string at a place, in characters. Negative places are numbers of strings of the language.
    pub(super) fn read(&self, at: i32) -> Result<Vec<Piece>, NsisError> {
        let Ok(mut at) = usize::try_from(at) else {
            return Ok(vec![Piece::Language(at.unsigned_abs() - 1)]);
        };
        let begins = at;
        let (mut pieces, mut text) = (Vec::new(), Text(Vec::new()));
        loop {
            let unit = self.unit(at).ok_or(NsisError::Strings)?;
            at += 1;
            if unit == 0 {
                break;
            }
            if at - begins > UNITS_MAX {
                return Err(NsisError::Strings);
            }
            let code = match self.style.code(unit) {
                None => {
                    text.0.push(unit);
                    continue;
                }
                Some(Code::Skip) => {
                    text.0.push(self.unit(at).ok_or(NsisError::Strings)?);
                    at += 1;
                    continue;
                }
                Some(code) => code,
            };
            let [low, high] = self.argument(&mut at).ok_or(NsisError::Strings)?;
            let number = match self.style {
                Style::UnicodePark => u32::from(low) | u32::from(high & 0x7f) << 8,
                _ => u32::from(low & 0x7f) | u32::from(high & 0x7f) << 7,
            };
            pieces.extend(text.take());
            pieces.push(match code {
                Code::Variable | Code::Skip => Piece::Variable(number),
                Code::Shell => Piece::Shell(low, high),
                Code::Language => Piece::Language(number),
            });
        }
        pieces.extend(text.take());
        let left = self.left.get().checked_sub(at - begins);
        self.left.set(left.ok_or(NsisError::TooLarge)?);
        Ok(pieces)
    }

    /// Whether instructions have the numbers of Jim Park's versions, which put some between the others.
    pub(super) fn is_park(&self) -> bool {
        self.style == Style::UnicodePark
    }

    /// A text without codes; none where it is none.
    pub(super) fn plain(&self, at: u8) -> Option<String> {
        match self.read(i32::from(at)).ok()?.as_slice() {
            [Piece::Text(text)] => Some(text.clone()),
            _ => None,
        }
    }
}

/// A text that is being read.
struct Text(Vec<u16>);

impl Text {
    fn take(&mut self) -> Option<Piece> {
        let units = std::mem::take(&mut self.0);
        // Which page of characters the bytes are of nobody says: they stay apart, which is all that a name needs.
        (!units.is_empty()).then(|| Piece::Text(String::from_utf16_lossy(&units)))
    }
}
