//! What `stapler` puts behind the heap: a trailer that ends what was there, the ticket, and a trailer that says so.
//!
//! ```text
//! trailer: "t8lr" | u16 version = 1 | u16 kind (1 end, 2 ticket) | u32 length of what stands before it | u32 0
//! ```
//!
//! Little-endian; from real packages, as there is no specification.

use std::io::{self, Read, Seek, SeekFrom};

use crate::checks::{Check, PKG_TRAILING_DATA};
use crate::reading::read_at;
use crate::xar::Limits;

const TRAILER_BYTES: u64 = 16;

/// The ticket, where one stands there and nothing else does.
pub(crate) fn judge(
    reader: &mut (impl Read + Seek),
    heap_end: u64,
    checks: &mut Vec<Check>,
) -> io::Result<Option<Vec<u8>>> {
    let size = reader.seek(SeekFrom::End(0))?;
    let (found, reason) = match size.checked_sub(heap_end) {
        None => (None, Err("the file ends inside its heap".to_owned())),
        Some(0) => (None, Ok("the file ends with its heap")),
        Some(behind) if behind > Limits::TICKET_BYTES => (None, Err(unknown(behind))),
        Some(behind) => {
            let bytes = read_at(reader, heap_end, behind)?;
            match bytes.as_deref().and_then(ticket) {
                Some(ticket) => (Some(ticket.to_vec()), Ok("a ticket and nothing else")),
                None => (None, Err(unknown(behind))),
            }
        }
    };
    checks.push(match reason {
        Ok(reason) => Check::pass(PKG_TRAILING_DATA, reason),
        Err(reason) => Check::fail(PKG_TRAILING_DATA, reason),
    });
    Ok(found)
}

fn unknown(behind: u64) -> String {
    format!("{behind} bytes stand behind the heap that are not a ticket, where nothing is signed")
}

/// The ticket between the two trailers.
fn ticket(bytes: &[u8]) -> Option<&[u8]> {
    const END: [u8; 16] = *b"t8lr\x01\0\x01\0\0\0\0\0\0\0\0\0";
    let rest = bytes.strip_prefix(&END)?;
    let trailer_bytes = usize::try_from(TRAILER_BYTES).ok()?;
    let (ticket, trailer) = rest.split_at_checked(rest.len().checked_sub(trailer_bytes)?)?;
    let length = trailer.strip_prefix(b"t8lr\x01\0\x02\0")?;
    let length = length.strip_suffix(&[0; 4])?.first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    (ticket.len() == length).then_some(ticket)
}
