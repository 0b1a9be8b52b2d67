//! The comments that hold a signature.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::language::Comments;
use super::{Language, ScriptError};

/// Characters of base64 at most: signatures have some ten thousand.
const BASE64_MAX: usize = 1024 * 1024;
const CR: u16 = 0x0d;
const LF: u16 = 0x0a;
/// What a signature in a Windows Script File stands before.
const JOB_END: &str = "</job>";

/// A block of comments with a signature in it.
pub(super) struct Block {
    /// Where it begins, with the line break before it, in units of UTF-16.
    pub(super) start: usize,
    pub(super) pkcs7: Vec<u8>,
    /// What is signed behind it.
    pub(super) rest: Range<usize>,
    /// How many units stand behind it that are not signed.
    pub(super) behind: usize,
}

/// Whether bytes may hold such a block: for files that are no scripts but where they are signed.
pub(crate) fn has_block(bytes: &[u8]) -> bool {
    let mark = b"Begin signature block";
    let wide: Vec<u8> = mark.iter().flat_map(|byte| [*byte, 0]).collect();
    let is_wide = bytes.starts_with(&[0xff, 0xfe]);
    let wanted: &[u8] = if is_wide { &wide } else { mark };
    bytes.windows(wanted.len()).any(|it| it == wanted)
}

impl Block {
    /// The only one; none where no line begins one.
    pub(super) fn find(units: &[u16], language: Language) -> Result<Option<Self>, ScriptError> {
        let comments = language.comments();
        let mut marks = all(units, comments.mark);
        // In the middle of a line it is a text about signatures, and signed as any other.
        marks.retain(|at| begins_a_line(units, *at, comments));
        let mark = match marks.as_slice() {
            [] => return Ok(None),
            [mark] => mark,
            several => return Err(ScriptError::Several(several.len())),
        };
        let offset = comments.begin.find(comments.mark).unwrap_or(0);
        let first = mark.checked_sub(offset).ok_or(ScriptError::Line)?;
        let start = first.checked_sub(2).ok_or(ScriptError::Line)?;
        if units.get(start..first) != Some(&[CR, LF]) {
            return Err(ScriptError::Line);
        }
        let mut lines = Lines { units, at: first };
        if lines.next()? != as_units(comments.begin) {
            return Err(ScriptError::Line);
        }
        let base64 = lines.base64(comments)?;
        let pkcs7 = BASE64.decode(base64).map_err(|_| ScriptError::Base64)?;
        let end = lines.at;
        let mut block = Self {
            start,
            pkcs7,
            rest: 0..0,
            behind: units.len() - end,
        };
        if language == Language::WindowsScript {
            if all(units, JOB_END).last() != Some(&end) {
                return Err(ScriptError::Place);
            }
            block.rest = end..units.len();
            block.behind = 0;
        }
        Ok(Some(block))
    }
}

/// Whether a mark stands in the first comment of its line.
fn begins_a_line(units: &[u16], mark: usize, comments: Comments) -> bool {
    let before = units.get(..mark).unwrap_or_default();
    let line = before.rsplit(|unit| matches!(*unit, CR | LF)).next();
    let opening = comments.begin.split(comments.mark).next();
    let opening = as_units(opening.unwrap_or_default().trim());
    let is_blank = |unit: &&u16| !matches!(**unit, 0x20 | 0x09 | 0xfeff);
    let line: Vec<u16> = line
        .unwrap_or_default()
        .iter()
        .filter(is_blank)
        .copied()
        .collect();
    line == opening
}

fn as_units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// Every place of an ASCII text, whatever its case.
fn all(units: &[u16], wanted: &str) -> Vec<usize> {
    let wanted = as_units(wanted);
    let is_same = |one: &u16, other: &u16| lower(*one) == lower(*other);
    let windows = units.windows(wanted.len()).enumerate();
    let found = windows.filter(|(_, it)| it.iter().zip(&wanted).all(|(a, b)| is_same(a, b)));
    found.map(|(at, _)| at).collect()
}

fn lower(unit: u16) -> u16 {
    u8::try_from(unit).map_or(unit, |byte| byte.to_ascii_lowercase().into())
}

/// Lines that end in CR LF.
struct Lines<'a> {
    units: &'a [u16],
    at: usize,
}

impl<'a> Lines<'a> {
    /// The next one, without its end. The last of a file may have none.
    fn next(&mut self) -> Result<&'a [u16], ScriptError> {
        let rest = self.units.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|unit| matches!(*unit, CR | LF));
        let length = length.unwrap_or(rest.len());
        self.at += match rest.get(length..) {
            Some([CR, LF, ..]) => length + 2,
            Some([]) => length,
            _ => return Err(ScriptError::Line),
        };
        Ok(rest.get(..length).unwrap_or_default())
    }

    /// Everything up to the line that ends the block.
    fn base64(&mut self, comments: Comments) -> Result<Vec<u8>, ScriptError> {
        let (open, close) = (as_units(comments.open), as_units(comments.close));
        let end = as_units(comments.end);
        let mut base64 = Vec::new();
        loop {
            if self.at >= self.units.len() {
                return Err(ScriptError::End);
            }
            let line = self.next()?;
            if line == end {
                return Ok(base64);
            }
            let piece = line.strip_prefix(open.as_slice());
            let piece = piece.and_then(|it| it.strip_suffix(close.as_slice()));
            let piece = piece.ok_or(ScriptError::Foreign)?;
            if base64.len() + piece.len() > BASE64_MAX {
                return Err(ScriptError::Base64);
            }
            for unit in piece {
                base64.push(u8::try_from(*unit).map_err(|_| ScriptError::Base64)?);
            }
        }
    }
}
