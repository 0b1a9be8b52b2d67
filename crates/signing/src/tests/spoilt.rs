//! Copies of signed files with one thing wrong. What can be wrong with the signature itself is the same in each format.

use super::{failed, find, keep, put};
use crate::cms::SignedData;
use crate::inspection::Inspection;
use crate::oid;
use crate::report::Verdict;

/// A copy of a file that has a signature in one piece.
pub(crate) trait Spoilt: Sized {
    /// A copy.
    fn of(bytes: &[u8]) -> Self;
    fn bytes(&self) -> &[u8];
    fn bytes_mut(&mut self) -> &mut Vec<u8>;
    /// Where the signature begins.
    fn signature(&self) -> usize;

    fn put(&mut self, at: usize, value: &[u8]) {
        put(self.bytes_mut(), at, value);
    }

    fn flip(&mut self, at: usize) {
        self.bytes_mut()[at] ^= 1;
    }

    fn signed(&self) -> SignedData<'_> {
        let signature = &self.bytes()[self.signature()..];
        SignedData::parse(signature).expect("a signature").0
    }

    /// Flips a bit of the first place in the signature where these bytes stand.
    fn flip_in_signature(&mut self, needle: &[u8], offset: usize) {
        let at = self.signature();
        let found = find(&self.bytes()[at..], needle);
        self.flip(at + found + offset);
    }

    /// The timestamp token.
    fn token(&self) -> Vec<u8> {
        let signed = self.signed();
        let unsigned = signed.signers[0].unsigned.as_ref().expect("attributes");
        let mut tokens = unsigned.all(oid::MICROSOFT_TIMESTAMP_TOKEN);
        tokens.next().expect("a token").raw.to_vec()
    }

    /// Flips a bit of the signed digest.
    fn flip_digest(&mut self) {
        let content = self.signed().content.expect("content").into_owned();
        self.flip_in_signature(&content, content.len() - 3);
    }
}

/// What is done to which file, and the check that must fail.
pub(crate) type Mutant<T> = (&'static str, &'static [u8], &'static str, fn(&mut T));

/// What can be wrong with the signature, and behind the file; `digest` and `behind` are the format's own checks.
pub(crate) fn of_the_signature<T: Spoilt>(
    file: &'static [u8],
    digest: &'static str,
    behind: &'static str,
) -> [Mutant<T>; 7] {
    [
        ("structure of the signature", file, "cms.parse", |it| {
            let at = it.signature() + 5;
            it.flip(at);
        }),
        ("signed digest", file, digest, T::flip_digest),
        (
            "binding of the signed digest",
            file,
            "cms.message-digest",
            T::flip_digest,
        ),
        ("signature itself", file, "cms.signature", |it| {
            let signature = it.signed().signers[0].signature.to_vec();
            it.flip_in_signature(&signature, 20);
        }),
        ("timestamp", file, "timestamp.token", |it| {
            let token = it.token();
            it.flip_in_signature(&token, token.len() - 9);
        }),
        ("byte behind the file", file, behind, |it| {
            it.bytes_mut().push(0);
        }),
        ("JAR behind the file", file, behind, |it| {
            it.bytes_mut().extend(b"PK\x05\x06");
            it.bytes_mut().extend([0; 18]);
        }),
    ]
}

/// Each mutant fails its check, and none is valid.
#[track_caller]
pub(crate) fn each_fails_its_check<T: Spoilt>(
    mutants: impl IntoIterator<Item = Mutant<T>>,
    extension: &str,
    look: fn(&[u8]) -> Inspection,
) {
    let mut wrong = Vec::new();
    for (what, bytes, check, spoil) in mutants {
        let mut copy = T::of(bytes);
        spoil(&mut copy);
        let found = look(copy.bytes());
        let ids = failed(&found);
        if found.verdict == Verdict::Valid || !ids.contains(&check) {
            wrong.push(format!("{what}: expected {check}, found {ids:?}"));
        }
        keep(&format!("{what}.{extension}"), copy.bytes());
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A little-endian number of four bytes.
pub(crate) fn number(bytes: &[u8], at: usize) -> usize {
    let found = bytes[at..].first_chunk::<4>().expect("a number");
    usize::try_from(u32::from_le_bytes(*found)).expect("small")
}
