//! Authenticode: is this program or package signed, whole, and by whom.
//!
//! The signatures of every container are judged here; how MSI and cabinets hold and digest theirs, `msi` and `cab` say.
//!
//! [`inspect`] answers for one PE image. [`Opened`] does the same for who reads the file anyway: open it, pass every byte in
//! order, and finish; nothing is read twice but the headers and the certificate table, and those are compared.
//!
//! Every signature that the file carries is judged and reported: each entry of the certificate table, and each signature
//! nested in another. Revocation is not looked up, and reports say so.

mod content;
mod identity;
mod nested;
mod signature;

use std::io::{self, Read, Seek, SeekFrom};

use release::Timestamp;

use crate::checks::{
    Check, Id, PE_CERTIFICATE_TABLE, PE_PADDING, PE_PARSE, PE_SIGNED, PE_TRAILING_DATA,
};
use crate::inspection::{Inspection, Kind};
use crate::pe::{self, Image, Stream};
use crate::roots::Trust;

pub(crate) use content::{Container, Content};
pub(crate) use identity::azure_identity;
pub use identity::{Signer, TimestampRule};
pub(crate) use nested::digests;
pub(crate) use signature::judge_all;

/// Bytes read at a time.
const CHUNK_BYTES: usize = 512 * 1024;

/// Inspects a file: reads it once, in pieces of 512 KiB, and judges it at a time by what is trusted.
///
/// # Errors
/// Where the reader fails. A file that is wrong is no error but a verdict.
pub fn inspect(
    reader: &mut (impl Read + Seek),
    at: Timestamp,
    trust: &Trust,
) -> io::Result<Inspection> {
    let mut opened = Opened::open(reader)?;
    reader.seek(SeekFrom::Start(0))?;
    let mut buffer = vec![0; CHUNK_BYTES];
    while opened.wants_bytes() {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => opened.update(buffer.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(opened.finish(at, trust))
}

/// A file whose headers and certificate table were read, and whose bytes are to follow.
#[derive(Debug)]
pub struct Opened {
    checks: Vec<Check>,
    table: Vec<u8>,
    /// None where there is no signature to compare a digest with.
    stream: Option<Stream>,
}

impl Opened {
    /// Reads headers and certificate table. Leaves the reader anywhere.
    ///
    /// # Errors
    /// Where the reader fails.
    pub fn open(reader: &mut (impl Read + Seek)) -> io::Result<Self> {
        let nothing = |checks| Self {
            checks,
            table: Vec::new(),
            stream: None,
        };
        let image = match Image::read(reader)? {
            Ok(image) => image,
            Err(error) => return Ok(nothing(vec![fail(PE_PARSE, error)])),
        };
        let mut checks = vec![Check::pass(PE_PARSE, "a PE image")];
        let Some(place) = image.table else {
            checks.push(fail(PE_SIGNED, "the image has no certificate table"));
            return Ok(nothing(checks));
        };
        let table = match image.read_table(reader, place)? {
            Ok(table) => table,
            Err(error) => {
                checks.push(fail(PE_CERTIFICATE_TABLE, error));
                return Ok(nothing(checks));
            }
        };
        let (found, wrong) = pe::certificates(&table);
        table_checks(&image, found.len(), &wrong, &mut checks);
        let (whole, pages) = digests(&found);
        let stream = (!found.is_empty()).then(|| Stream::new(&image, &table, &whole, &pages));
        drop(found);
        Ok(Self {
            checks,
            table,
            stream,
        })
    }

    /// Whether any digest is to be computed; if not, the bytes need not be passed.
    pub fn wants_bytes(&self) -> bool {
        self.stream.is_some()
    }

    /// The next bytes of the file, from its first.
    pub fn update(&mut self, chunk: &[u8]) {
        if let Some(stream) = &mut self.stream {
            stream.update(chunk);
        }
    }

    /// Judges, after the last byte.
    pub fn finish(self, at: Timestamp, trust: &Trust) -> Inspection {
        let Self {
            mut checks,
            table,
            stream,
        } = self;
        let mut signatures = Vec::new();
        if let Some(stream) = stream {
            let digests = stream.finish();
            if digests.has_changed {
                checks.push(fail(PE_PARSE, "the file changed while it was read"));
            }
            let content = Content {
                container: Container::Pe,
                whole: digests.whole,
                pages: digests.pages,
            };
            let (found, _) = pe::certificates(&table);
            signatures = judge_all(&found, &content, at, trust);
        }
        Inspection::new(Kind::Authenticode, at, checks, signatures, trust)
    }
}

fn fail(id: Id, reason: impl std::fmt::Display) -> Check {
    Check::fail(id, reason.to_string())
}

fn table_checks(image: &Image, found: usize, wrong: &[pe::TableError], checks: &mut Vec<Check>) {
    let (padding, others): (Vec<_>, Vec<_>) = wrong.iter().partition(|error| error.is_padding());
    let mut report = |id, errors: &[&pe::TableError], passes: String| {
        if errors.is_empty() {
            checks.push(Check::pass(id, passes));
        }
        checks.extend(errors.iter().map(|error| fail(id, error)));
    };
    let entries = format!("the table has {found} signatures and nothing else");
    report(PE_CERTIFICATE_TABLE, &others, entries);
    let alignment = "nothing but alignment stands behind each signature";
    report(PE_PADDING, &padding, alignment.to_owned());
    let end = image.table.map_or(0, |table| table.offset + table.bytes);
    checks.push(match image.size.checked_sub(end) {
        Some(0) => Check::pass(PE_TRAILING_DATA, "the file ends with the table"),
        behind => fail(
            PE_TRAILING_DATA,
            format!(
                "{} bytes stand behind the certificate table, where nothing is signed",
                behind.unwrap_or(0)
            ),
        ),
    });
}

#[cfg(test)]
mod tests;
