//! All signatures of a file: those that its container holds, and those nested in others.

use crate::checks::{CMS_PARSE, Check};
use crate::cms::SignedData;
use crate::digest::DigestAlgorithm;
use crate::oid;
use crate::spc::IndirectData;

/// How many signatures a file may carry, nested ones included.
pub(super) const SIGNATURES_MAX: usize = 16;

/// A signature, and where it stands.
pub(super) struct Placed<'a> {
    /// `entry 1`, or `entry 1, nested 2`.
    pub(super) place: String,
    pub(super) signed: SignedData<'a>,
    /// Which of the others it is nested in.
    pub(super) inside: Option<usize>,
}

/// All signatures, those that are nested behind what they are nested in. What is nested and cannot be read shows as a
/// failed check of the signature around it; what is too much, as one of the first.
pub(super) fn all<'a>(found: &[SignedData<'a>]) -> Vec<Placed<'a>> {
    let mut all: Vec<Placed<'a>> = Vec::new();
    for (entry, signed) in found.iter().enumerate() {
        let mut at = all.len();
        all.push(Placed {
            place: format!("entry {}", entry + 1),
            signed: signed.clone(),
            inside: None,
        });
        let mut count = 0;
        while let Some(outer) = all.get(at) {
            let inner: Vec<_> = nested_in(&outer.signed).flatten().collect();
            for signed in inner {
                if all.len() >= SIGNATURES_MAX {
                    break;
                }
                count += 1;
                all.push(Placed {
                    place: format!("entry {}, nested {count}", entry + 1),
                    signed,
                    inside: Some(at),
                });
            }
            at += 1;
        }
    }
    all
}

/// The signatures nested in one, or that one is there which cannot be read.
pub(super) fn nested_in<'a>(
    signed: &SignedData<'a>,
) -> impl Iterator<Item = Result<SignedData<'a>, Check>> {
    let unsigned = signed.signers.first().and_then(|it| it.unsigned.as_ref());
    let values: Vec<_> = unsigned
        .into_iter()
        .flat_map(|unsigned| unsigned.all(oid::NESTED_SIGNATURE))
        .collect();
    values.into_iter().map(|value| {
        let wrong = |why: String| Check::fail(CMS_PARSE, format!("a nested signature {why}"));
        match SignedData::parse(value.raw) {
            Ok((signed, used)) if used == value.raw.len() => Ok(signed),
            Ok(_) => Err(wrong("has bytes behind it".to_owned())),
            Err(error) => Err(wrong(format!("cannot be read: {error}"))),
        }
    })
}

/// The digests that the signatures of a file need: of the whole, and of pages.
pub(crate) fn digests(found: &[SignedData<'_>]) -> (Vec<DigestAlgorithm>, Vec<DigestAlgorithm>) {
    let (mut whole, mut pages) = (Vec::new(), Vec::new());
    let add = |list: &mut Vec<DigestAlgorithm>, algorithm| {
        if !list.contains(&algorithm) {
            list.push(algorithm);
        }
    };
    for Placed { signed, .. } in all(found) {
        let content = signed.content.as_deref().unwrap_or_default();
        let Ok(content) = IndirectData::read(content) else {
            continue;
        };
        content
            .digest
            .into_iter()
            .for_each(|it| add(&mut whole, it));
        for list in content.page_hashes {
            add(&mut pages, list.digest);
        }
    }
    (whole, pages)
}
