//! Which archives are packages, and copies of signed ones with one thing wrong.

use std::io::Cursor;

use super::*;
use crate::report::Verdict;
use crate::tests::spoilt::{Spoilt, number};
use crate::tests::{day, find, put, zipped_trust};
use crate::zip::tests::{Member, archive};

const LOCAL_BYTES: usize = 30;
const RECORD_BYTES: usize = 46;

/// A copy of a package whose signature is its last part, stored as it is.
pub(crate) struct Copy {
    pub(crate) bytes: Vec<u8>,
    /// The name of the signature.
    name: &'static str,
}

impl Copy {
    /// The record at the end.
    pub(crate) fn end(&self) -> usize {
        self.bytes.len() - 22
    }

    /// Where the directory begins.
    pub(crate) fn directory(&self) -> usize {
        number(&self.bytes, self.end() + 16)
    }

    /// The header of the signature.
    pub(crate) fn header(&self) -> usize {
        number(&self.bytes, self.record() + 42)
    }

    /// The last record of the directory, that of the signature.
    pub(crate) fn record(&self) -> usize {
        self.end() - RECORD_BYTES - self.name.len()
    }

    fn data(&self) -> usize {
        self.header() + LOCAL_BYTES + self.name.len()
    }

    /// Flips a bit of the signature, and corrects its checksum, which no attacker would forget.
    pub(crate) fn flip_signed(&mut self, at: usize) {
        self.flip(at);
        let crc32 = crc_fast::CrcAlgorithm::Crc32IsoHdlc;
        let (start, end) = (self.data(), self.directory());
        let sum = crc_fast::checksum(crc32, &self.bytes[start..end]) as u32;
        for at in [self.header() + 14, self.record() + 16] {
            put(&mut self.bytes, at, &sum.to_le_bytes());
        }
    }

    /// The same of the first place in the signature where these bytes stand.
    pub(crate) fn flip_found(&mut self, needle: &[u8], offset: usize) {
        let at = self.signature();
        let at = at + find(&self.bytes[at..], needle) + offset;
        self.flip_signed(at);
    }

    /// Adds bytes to the extra field of the signature, in the directory alone.
    pub(crate) fn extend_record(&mut self, extra: &[u8]) {
        let (record, end) = (self.record(), self.end());
        self.put(record + 30, &(extra.len() as u16).to_le_bytes());
        self.bytes.splice(end..end, extra.iter().copied());
        let end = self.end();
        let bytes = number(&self.bytes, end + 12) + extra.len();
        self.put(end + 12, &(bytes as u32).to_le_bytes());
    }

    /// Stores the last part of an archive as it is. No signature of an app package covers how it lies there itself.
    fn with_stored_signature(bytes: &[u8], name: &'static str) -> Self {
        let opened = Archive::open(&mut Cursor::new(bytes)).expect("bytes in memory");
        let opened = opened.expect("an archive");
        let last = opened.entries.last().expect("a part");
        assert_eq!(last.path, name);
        let mut reader = Cursor::new(bytes);
        let mut content = Vec::new();
        let mut read = Archive::content(&mut reader, last).expect("bytes in memory");
        read.read_to_end(&mut content).expect("a content");
        let at = |offset: u64| usize::try_from(offset).expect("small");
        let header = at(last.span.start);
        let alone = archive(&[Member::new(name, &content)]);
        let directory = number(&alone, alone.len() - 22 + 16);
        let mut record = alone[directory..alone.len() - 22].to_vec();
        put(&mut record, 42, &(header as u32).to_le_bytes());
        let records = &bytes[at(opened.directory.start)..at(last.record.start)];
        let mut end = bytes[at(opened.directory.end)..].to_vec();
        put(
            &mut end,
            12,
            &((records.len() + record.len()) as u32).to_le_bytes(),
        );
        put(&mut end, 16, &((header + directory) as u32).to_le_bytes());
        let files = [&bytes[..header], &alone[..directory]].concat();
        let bytes = [&files[..], records, &record, &end].concat();
        Self { bytes, name }
    }
}

impl Spoilt for Copy {
    fn of(bytes: &[u8]) -> Self {
        let is_msix = bytes.windows(4).any(|window| window == b"Appx");
        match is_msix {
            true => Self::with_stored_signature(bytes, "AppxSignature.p7x"),
            false => Self {
                bytes: bytes.to_vec(),
                name: nuget::SIGNATURE,
            },
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Where the CMS begins: behind the magic of app packages.
    fn signature(&self) -> usize {
        let magic = if self.name == nuget::SIGNATURE { 0 } else { 4 };
        self.data() + magic
    }
}

/// Whether a flipped bit changes nothing that is signed: versions, dates, and attributes of the signature's own headers.
pub(crate) fn is_unsigned(copy: &Copy, at: usize) -> bool {
    let (header, record) = (copy.header(), copy.record());
    let unsigned = [
        header + 4..header + 6,
        header + 10..header + 14,
        record + 4..record + 8,
        record + 12..record + 16,
        record + 36..record + 42,
    ];
    unsigned.iter().any(|range| range.contains(&at))
}

/// The verdict; none where it is no package.
pub(crate) fn verdict(bytes: &[u8]) -> Option<Verdict> {
    let found = inspect(&mut Cursor::new(bytes), day(), &zipped_trust());
    found.expect("bytes in memory").map(|it| it.verdict)
}

#[test]
fn packages_are_told_by_what_is_in_them() {
    for (name, verdict_expected) in [
        ("readme.txt", None),
        ("nested/AppxManifest.xml", None),
        ("nested/a.nuspec", None),
        ("nuspec", None),
        ("a.nuspec", Some(Verdict::Unsigned)),
        ("A.NuSpec", Some(Verdict::Unsigned)),
        (".signature.p7s", Some(Verdict::Invalid)),
        ("AppxManifest.xml", Some(Verdict::Invalid)),
        ("AppxSignature.p7x", Some(Verdict::Invalid)),
        ("aPPXmANIFEST.xml", Some(Verdict::Invalid)),
        ("%41ppxManifest.xml", Some(Verdict::Invalid)),
        (".Signature.p7s", Some(Verdict::Invalid)),
    ] {
        let mut bytes = archive(&[Member::new(name, b"some bytes")]);
        assert_eq!(verdict(&bytes), verdict_expected, "{name}");
        // What stands behind the archive makes it unreadable, and does not make it something else.
        bytes.push(0);
        let marks = ["AppxManifest.xml", "AppxSignature.p7x", ".signature.p7s"];
        let is_marked = marks.iter().any(|mark| name.ends_with(mark));
        let expected = is_marked.then_some(Verdict::Invalid);
        assert_eq!(verdict(&bytes), expected, "{name}");
    }
}

#[test]
fn a_section_is_a_file_of_its_own() {
    let mut bytes = Cursor::new(b"0123456789".to_vec());
    let mut section = Section::new(&mut bytes, 2, 5);
    let mut found = String::new();
    section.read_to_string(&mut found).expect("bytes in memory");
    assert_eq!(found, "23456");
    assert_eq!(section.seek(SeekFrom::End(-2)).expect("inside"), 3);
    found.clear();
    section.read_to_string(&mut found).expect("bytes in memory");
    assert_eq!(found, "56");
    assert_eq!(
        section.seek(SeekFrom::Start(u64::MAX)).expect("a place"),
        u64::MAX
    );
    assert_eq!(section.read(&mut [0]).expect("behind the end"), 0);
    assert!(section.seek(SeekFrom::Current(1)).is_err());
    assert!(section.seek(SeekFrom::End(-6)).is_err());
}

/// Bytes in memory that cannot be read any more after so many reads.
struct Failing<'a>(Cursor<&'a [u8]>, u32);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = self.1.checked_sub(1).ok_or_else(|| {
            // What a decompressor says of an archive that is cut short.
            io::Error::new(io::ErrorKind::UnexpectedEof, "the disk is gone")
        })?;
        self.0.read(buffer)
    }
}

impl Seek for Failing<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn an_error_of_the_reader_is_no_verdict() {
    for bytes in [
        &include_bytes!("../../fixtures/zipped/signed.msixbundle")[..],
        include_bytes!("../../fixtures/zipped/countersigned.nupkg"),
    ] {
        let mut reads = 0;
        let found = loop {
            let mut failing = Failing(Cursor::new(bytes), reads);
            match inspect(&mut failing, day(), &zipped_trust()) {
                Ok(found) => break found,
                Err(error) => assert_eq!(error.to_string(), "the disk is gone"),
            }
            reads += 1;
        };
        assert_eq!(found.map(|it| it.verdict), Some(Verdict::Valid));
        assert!(reads > 20, "{reads}");
    }
}
