//! The list in a catalog.

use crate::cms::Attributes;
use crate::der::{Cursor, DerError, OCTET_STRING, SEQUENCE, SET};
use crate::digest::DigestAlgorithm;
use crate::oid::{self, Oid};
use crate::spc::IndirectData;

/// How many files a catalog may list.
const FILES_MAX: usize = 100_000;

/// A digest in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed<'a> {
    pub(super) subject: Subject,
    pub(super) digest: DigestAlgorithm,
    pub(super) hash: &'a [u8],
}

/// What a digest is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// All bytes of a file.
    Flat,
    /// A program, as Authenticode digests it.
    Image,
}

/// The digests that are understood, of the inside of a trust list:
///
/// `usage SEQUENCE, identifier OCTET STRING, time, algorithm SEQUENCE, files SEQUENCE OF SEQUENCE { tag OCTET STRING,
/// attributes SET }, extensions [0] OPTIONAL`.
pub(super) fn parse(content: &[u8]) -> Result<Vec<Listed<'_>>, DerError> {
    let mut list = Cursor::new(content);
    let mut usage = list.enter(SEQUENCE)?;
    if Oid::read(&mut usage)? != oid::CATALOG {
        return Err(DerError::Value("the trust list is no catalog"));
    }
    list.expect(OCTET_STRING)?;
    list.any()?;
    list.expect(SEQUENCE)?;
    let mut found = Vec::new();
    for (index, file) in list.enter(SEQUENCE)?.enumerate() {
        if index >= FILES_MAX {
            return Err(DerError::Value("the catalog lists too many files"));
        }
        let mut file = file?.inside()?;
        file.expect(OCTET_STRING)?;
        let attributes = Attributes::read(file.expect(SET)?)?;
        file.end()?;
        for data in attributes.all(oid::SPC_INDIRECT_DATA) {
            found.extend(listed(&IndirectData::read(data.value)?));
        }
    }
    Ok(found)
}

/// Flat files have the type of cabinets. Other types, and digests of other algorithms, list what is not looked up here.
fn listed<'a>(data: &IndirectData<'a>) -> Option<Listed<'a>> {
    let subject = match data.kind {
        oid::SPC_PE_IMAGE_DATA => Subject::Image,
        oid::SPC_CAB_DATA => Subject::Flat,
        _ => return None,
    };
    Some(Listed {
        subject,
        digest: data.digest.ok()?,
        hash: data.hash,
    })
}
