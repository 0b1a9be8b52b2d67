//! What characters a script consists of, as Windows reads them where it signs and verifies.

use super::{Language, ScriptError};

/// The text of a script.
pub(super) struct Text {
    /// In UTF-16, byte order mark included.
    pub(super) units: Vec<u16>,
    /// How many units are a byte order mark.
    pub(super) mark_units: usize,
    pub(super) encoding: &'static str,
}

/// What the bytes 0x80 to 0x9f are in code page 1252. Five are nothing there, which Windows leaves as they are.
const CODE_PAGE_1252: [u16; 32] = [
    0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039,
    0x0152, 0x8d, 0x017d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
    0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178,
];

impl Text {
    pub(super) fn read(bytes: &[u8], language: Language) -> Result<Self, ScriptError> {
        let (units, mark_units, encoding) = match bytes {
            [0xff, 0xfe, 0, 0, ..] => return Err(ScriptError::Encoding("UTF-32")),
            [0xfe, 0xff, ..] => return Err(ScriptError::Encoding("UTF-16, big-endian")),
            [0xff, 0xfe, ..] => {
                let (pairs, rest) = bytes.as_chunks::<2>();
                if !rest.is_empty() {
                    return Err(ScriptError::Encoding("UTF-16 of an odd number of bytes"));
                }
                let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
                (units.collect(), 1, "UTF-16")
            }
            [0xef, 0xbb, 0xbf, ..] => {
                let text = str::from_utf8(bytes).map_err(|_| ScriptError::CodePage)?;
                (
                    text.encode_utf16().collect(),
                    1,
                    "UTF-8 with a byte order mark",
                )
            }
            _ if bytes.is_ascii() => (bytes.iter().copied().map(u16::from).collect(), 0, "ASCII"),
            _ if language.is_utf8_told() => {
                let text = str::from_utf8(bytes).map_err(|_| ScriptError::CodePage)?;
                (text.encode_utf16().collect(), 0, "UTF-8")
            }
            // The bytes are what is signed, whatever the code page of the machine that verifies makes of them.
            _ => (
                bytes.iter().map(|byte| western(*byte)).collect(),
                0,
                "code page 1252",
            ),
        };
        let units: Vec<u16> = units;
        if units.contains(&0) {
            return Err(ScriptError::Nul);
        }
        Ok(Self {
            units,
            mark_units,
            encoding,
        })
    }
}

fn western(byte: u8) -> u16 {
    let at = byte.checked_sub(0x80).map(usize::from);
    let found = at.and_then(|at| CODE_PAGE_1252.get(at));
    found.copied().unwrap_or(u16::from(byte))
}
