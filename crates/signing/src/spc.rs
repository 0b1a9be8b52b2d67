//! SpcIndirectDataContent: what an Authenticode signature signs instead of the file itself, namely its digest.
//!
//! Source: Microsoft, "Windows Authenticode Portable Executable Signature Format", 2008; page hashes as osslsigncode
//! documents them.

use crate::der::context;
use crate::der::{BIT_STRING, Cursor, DerError, INTEGER, OCTET_STRING, SEQUENCE, SET};
use crate::digest::DigestAlgorithm;
use crate::oid::{self, Oid};

/// The class of a serialized object that holds page hashes: a6b586d5-b4a1-2466-ae05-a217da8e60d6, as its bytes.
const PAGE_HASHES_CLASS: [u8; 16] = [
    0xa6, 0xb5, 0x86, 0xd5, 0xb4, 0xa1, 0x24, 0x66, 0xae, 0x05, 0xa2, 0x17, 0xda, 0x8e, 0x60, 0xd6,
];

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndirectData<'a> {
    /// What kind of file the digest is of.
    pub(crate) kind: Oid<'a>,
    pub(crate) digest: Result<DigestAlgorithm, Oid<'a>>,
    pub(crate) hash: &'a [u8],
    /// Of SpcSipInfo: which of Windows' readers ("subject interface packages") the digest is for, a GUID.
    pub(crate) subject: Option<&'a [u8]>,
    pub(crate) page_hashes: Vec<PageHashes<'a>>,
}

/// A list of page hashes: offset (u32, little-endian) and digest, each page once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageHashes<'a> {
    pub(crate) digest: DigestAlgorithm,
    pub(crate) list: &'a [u8],
}

impl<'a> IndirectData<'a> {
    /// Reads the inside of the SEQUENCE.
    pub(crate) fn read(contents: &'a [u8]) -> Result<Self, DerError> {
        let mut contents = Cursor::new(contents);
        let mut data = contents.enter(SEQUENCE)?;
        let kind = Oid::read(&mut data)?;
        let page_hashes = if kind == oid::SPC_PE_IMAGE_DATA {
            page_hashes(&mut data)?
        } else {
            Vec::new()
        };
        let subject = match kind {
            oid::SPC_SIP_INFO => Some(subject(&mut data)?),
            _ => None,
        };
        let mut message = contents.enter(SEQUENCE)?;
        let digest = DigestAlgorithm::read(&mut message)?;
        let hash = message.expect(OCTET_STRING)?.value;
        message.end()?;
        contents.end()?;
        Ok(Self {
            kind,
            digest,
            hash,
            subject,
            page_hashes,
        })
    }
}

/// SpcSipInfo { version INTEGER, subject OCTET STRING, five reserved INTEGERs }, as signtool and osslsigncode write it.
fn subject<'a>(data: &mut Cursor<'a>) -> Result<&'a [u8], DerError> {
    let mut info = data.enter(SEQUENCE)?;
    info.expect(INTEGER)?;
    Ok(info.expect(OCTET_STRING)?.value)
}

/// SpcPeImageData { flags BIT STRING, file [0] SpcLink }; page hashes lie in the link's `moniker`.
fn page_hashes<'a>(data: &mut Cursor<'a>) -> Result<Vec<PageHashes<'a>>, DerError> {
    let Some(image) = data.optional(SEQUENCE)? else {
        return Ok(Vec::new());
    };
    let mut image = image.inside()?;
    image.optional(BIT_STRING)?;
    let Some(file) = image.optional(context(0))? else {
        return Ok(Vec::new());
    };
    let mut link = file.inside()?;
    let Some(moniker) = link.optional(context(1))? else {
        // `file [2]`, nearly always the text "<<<Obsolete>>>".
        return Ok(Vec::new());
    };
    let mut moniker = moniker.inside()?;
    if moniker.expect(OCTET_STRING)?.value != PAGE_HASHES_CLASS {
        return Err(DerError::Value(
            "SpcPeImageData holds an object of an unknown class",
        ));
    }
    let serialized = moniker.expect(OCTET_STRING)?.value;
    let mut found = Vec::new();
    for attribute in Cursor::new(serialized).enter(SET)?.take(4) {
        let mut attribute = attribute?.inside()?;
        let digest = match Oid::read(&mut attribute)? {
            oid::PAGE_HASHES_SHA1 => DigestAlgorithm::Sha1,
            oid::PAGE_HASHES_SHA256 => DigestAlgorithm::Sha256,
            _ => {
                return Err(DerError::Value("the page hashes have an unknown algorithm"));
            }
        };
        let list = attribute.enter(SET)?.expect(OCTET_STRING)?.value;
        found.push(PageHashes { digest, list });
    }
    Ok(found)
}
