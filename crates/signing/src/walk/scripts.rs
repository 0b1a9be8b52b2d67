//! Which files inside are scripts. A name alone makes one of what Windows runs; of JavaScript, most of which is for browsers,
//! and of data, the block of a signature does.

use std::io::{self, Read};

use crate::format::Format;
use crate::script::{self, Language};
use crate::walk::{Passing, format_of};

impl Passing<'_> {
    /// What the file is: by its first bytes and its name, and by the rest where only that can tell. What is read of it is
    /// put behind the first bytes.
    pub(super) fn format(&self, head: &mut Vec<u8>, rest: &mut dyn Read) -> io::Result<Format> {
        let format = format_of(head, self.path);
        let is_text = format == Format::Other && self.container(head, format).is_none();
        if !is_text || head.is_empty() || self.is_payload || self.is_in_asar {
            return Ok(format);
        }
        if Language::of_program(self.path).is_some() {
            return Ok(Format::Script);
        }
        if Language::of_name(self.path).is_none() {
            return Ok(format);
        }
        // A larger one would be refused.
        let left = script::BYTES_MAX.saturating_sub(head.len() as u64);
        rest.take(left).read_to_end(head)?;
        Ok(match script::has_block(head) {
            true => Format::Script,
            false => format,
        })
    }
}
