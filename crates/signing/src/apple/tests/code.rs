//! Copies of a good program, each with one thing wrong: the right check must fail. What `rcodesign verify` 0.29 accepts is
//! among them: patched code with page hashes to match, another identifier or flags, a spoiled CMS, appended data.

use super::*;
use crate::cms::SignedData;
use crate::digest::DigestAlgorithm;
use crate::reading::u32_at;

const LC_CODE_SIGNATURE: u32 = 0x1d;
const DIRECTORY: u32 = 0;
const ENTITLEMENTS: u32 = 5;
const ENTITLEMENTS_DER: u32 = 7;
const CMS: u32 = 0x10000;

/// A program that can be spoiled, and where things are in one of its slices.
#[derive(Clone)]
struct Copy {
    bytes: Vec<u8>,
    /// Where the slice begins and ends.
    slice: (usize, usize),
    /// The load command of the signature.
    command: usize,
    /// Where the signature begins and its place ends.
    place: (usize, usize),
}

fn little(bytes: &[u8], at: usize) -> usize {
    let number = u32_at(bytes, at).expect("there").swap_bytes();
    usize::try_from(number).expect("small")
}

fn big(bytes: &[u8], at: usize) -> usize {
    usize::try_from(u32_at(bytes, at).expect("there")).expect("small")
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

fn be(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("small").to_be_bytes()
}

fn le(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("small").to_le_bytes()
}

impl Copy {
    fn of(bytes: Vec<u8>, slice: usize) -> Self {
        let at = big(&bytes, 8 + 20 * slice + 8);
        let end = at + big(&bytes, 8 + 20 * slice + 12);
        let mut command = at + 32;
        while little(&bytes, command) != usize::try_from(LC_CODE_SIGNATURE).expect("small") {
            command += little(&bytes, command + 4);
        }
        let start = at + little(&bytes, command + 8);
        let place = (start, start + little(&bytes, command + 12));
        Self {
            slice: (at, end),
            command,
            place,
            bytes,
        }
    }

    /// The parts of the signature.
    fn blobs(&self) -> Vec<(u32, Vec<u8>)> {
        let signature = &self.bytes[self.place.0..self.place.1];
        let entry = |index: usize| {
            let offset = big(signature, 12 + 8 * index + 4);
            let end = offset + big(signature, offset + 4);
            let kind = u32_at(signature, 12 + 8 * index).expect("there");
            (kind, signature[offset..end].to_vec())
        };
        (0..big(signature, 8)).map(entry).collect()
    }

    fn blob(&self, kind: u32) -> Vec<u8> {
        let mut blobs = self.blobs().into_iter();
        blobs.find(|(it, _)| *it == kind).expect("a part").1
    }

    /// Puts other parts in place of the signature.
    fn rebuild(&mut self, blobs: &[(u32, Vec<u8>)]) {
        let mut offset = 12 + 8 * blobs.len();
        let (mut index, mut body) = (Vec::new(), Vec::new());
        for (kind, blob) in blobs {
            index.extend(kind.to_be_bytes());
            index.extend(be(offset));
            body.extend_from_slice(blob);
            offset += blob.len();
        }
        let mut signature = [0xfade_0cc0_u32.to_be_bytes(), be(offset), be(blobs.len())].concat();
        signature.extend(index);
        signature.extend(body);
        let (start, end) = self.place;
        assert!(signature.len() <= end - start, "it fits");
        self.bytes[start..end].fill(0);
        put(&mut self.bytes, start, &signature);
    }

    /// Changes one part.
    fn change(&mut self, kind: u32, change: impl FnOnce(&mut Vec<u8>)) {
        let mut blobs = self.blobs();
        let blob = blobs.iter_mut().find(|(it, _)| *it == kind);
        let (_, blob) = blob.expect("a part");
        change(blob);
        let length = be(blob.len());
        put(blob, 4, &length);
        self.rebuild(&blobs);
    }

    /// Where the digest of a page stands in a code directory.
    fn page(directory: &[u8], page: usize) -> usize {
        big(directory, 16) + 32 * page
    }

    /// The code directory again, with SHA-1.
    fn with_sha1(&self) -> Vec<u8> {
        let old = self.blob(DIRECTORY);
        let (hashes, special) = (big(&old, 16), big(&old, 24));
        let mut new = old[..hashes - 32 * special].to_vec();
        put(&mut new, 36, &[20, 1]);
        let blobs = self.blobs();
        for slot in (1..=special).rev() {
            let kind = u32::try_from(slot).expect("small");
            let blob = blobs.iter().find(|(it, _)| *it == kind);
            let sha1 = |(_, blob): &(u32, Vec<u8>)| DigestAlgorithm::Sha1.hash(&[blob]);
            new.extend(blob.map_or(vec![0; 20], sha1));
        }
        let hashes = be(new.len());
        put(&mut new, 16, &hashes);
        let page_bytes = 1 << old[39];
        let code = &self.bytes[self.slice.0..self.place.0];
        for page in code.chunks(page_bytes) {
            new.extend(DigestAlgorithm::Sha1.hash(&[page]));
        }
        let length = be(new.len());
        put(&mut new, 4, &length);
        new
    }

    #[track_caller]
    fn fails(&self, expected: &[&str]) {
        let found = look(&self.bytes);
        assert_eq!(failed(&found), expected, "{found:#?}");
        assert_eq!(found.verdict, Verdict::Invalid);
    }
}

/// A universal file of two slices with a ticket in the signature of each.
pub(super) fn stapled(bytes: &[u8], ticket: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for slice in 0..2 {
        let mut copy = Copy::of(bytes, slice);
        let mut blobs = copy.blobs();
        let length = be(ticket.len() + 8);
        let blob = [&0xfade_0b01_u32.to_be_bytes()[..], &length, ticket].concat();
        blobs.push((0x10002, blob));
        copy.rebuild(&blobs);
        bytes = copy.bytes;
    }
    bytes
}

/// The first slice and the last one.
fn copies() -> Vec<Copy> {
    let program = program().into_iter();
    program
        .flat_map(|bytes| [Copy::of(bytes.clone(), 0), Copy::of(bytes, 1)])
        .collect()
}

#[test]
fn changed_code_is_noticed_also_where_its_page_hash_is_changed_too() {
    for copy in copies() {
        // Behind the load commands, and in the last page, which is shorter than the others.
        for at in [copy.slice.0 + 40_000, copy.place.0 - 1] {
            let mut copy = copy.clone();
            copy.bytes[at] ^= 1;
            copy.fails(&["macho.page-hashes"]);
            let page_bytes = 1_usize << copy.blob(DIRECTORY)[39];
            let page = (at - copy.slice.0) / page_bytes;
            let start = copy.slice.0 + page * page_bytes;
            let code = copy.bytes[start..copy.place.0.min(start + page_bytes)].to_vec();
            let hash = DigestAlgorithm::Sha256.hash(&[&code]);
            copy.change(DIRECTORY, |it| {
                let at = Copy::page(it, page);
                put(it, at, &hash);
            });
            copy.fails(&["apple.cms-binding"]);
        }
    }
}

/// Changes the text whose offset stands there.
fn flip(directory: &mut [u8], at: usize) {
    let text = big(directory, at);
    directory[text] ^= 1;
}

#[test]
fn what_the_code_directory_says_is_signed() {
    type Change = fn(&mut Vec<u8>);
    let changes: [(Change, &[&str]); 6] = [
        // The identifier, the hardened runtime, the Team ID, the executable segment.
        (|it| flip(it, 20), &["apple.cms-binding"]),
        (|it| it[13] ^= 1, &["apple.cms-binding"]),
        (|it| flip(it, 48), &["apple.cms-binding", "apple.team-id"]),
        (|it| it[87] ^= 1, &["apple.cms-binding"]),
        // The code limit, and the size of pages.
        (|it| it[35] ^= 1, &["macho.code-directory"]),
        (|it| it[39] = 13, &["macho.code-directory"]),
    ];
    for copy in copies() {
        for (change, expected) in changes {
            let mut copy = copy.clone();
            copy.change(DIRECTORY, change);
            copy.fails(expected);
        }
    }
}

#[test]
fn a_second_code_directory_must_be_signed_and_say_the_same() {
    // Of the slices only the last has room for another one.
    for copy in copies().into_iter().skip(1) {
        let mut blobs = copy.blobs();
        blobs.insert(1, (0x1000, copy.with_sha1()));
        let mut unsigned = copy.clone();
        unsigned.rebuild(&blobs);
        unsigned.fails(&["apple.cms-binding"]);
        // As the first one, it is not the one that the CMS is about.
        blobs[0].1 = copy.with_sha1();
        blobs[1].1 = copy.blob(DIRECTORY);
        unsigned.rebuild(&blobs);
        unsigned.fails(&["apple.cms-binding"]);
        // With other flags.
        blobs[0].1 = copy.blob(DIRECTORY);
        blobs[1].1 = copy.with_sha1();
        blobs[1].1[13] ^= 1;
        unsigned.rebuild(&blobs);
        unsigned.fails(&["macho.code-directory"]);
        // A page of code that only the second one is wrong about.
        blobs[1].1[13] ^= 1;
        *blobs[1].1.last_mut().expect("a digest") ^= 1;
        unsigned.rebuild(&blobs);
        unsigned.fails(&["apple.cms-binding", "macho.page-hashes"]);
        // Twice the same kind.
        blobs[1].1 = copy.blob(DIRECTORY);
        unsigned.rebuild(&blobs);
        unsigned.fails(&["macho.code-directory"]);
    }
}

#[test]
fn entitlements_are_signed_and_cannot_go_or_come() {
    for copy in copies() {
        let mut changed = copy.clone();
        changed.change(ENTITLEMENTS, |it| {
            let at = find(it, b"true") - 1;
            put(it, at, b"<!---->");
        });
        changed.fails(&["apple.entitlements", "macho.special-slots"]);
        let mut changed = copy.clone();
        changed.change(ENTITLEMENTS_DER, |it| {
            let at = find(it, b"com.apple");
            it[at] = b'x';
        });
        changed.fails(&["apple.entitlements", "macho.special-slots"]);
        for kind in [2, ENTITLEMENTS, ENTITLEMENTS_DER] {
            let mut less = copy.clone();
            let kept = less.blobs().into_iter().filter(|(it, _)| *it != kind);
            less.rebuild(&kept.collect::<Vec<_>>());
            less.fails(&["macho.special-slots"]);
        }
        for kind in [8, 11] {
            let mut more = copy.clone();
            let mut blobs = more.blobs();
            blobs.push((kind, b"\xfa\xde\x81\x81\0\0\0\x08".to_vec()));
            more.rebuild(&blobs);
            more.fails(&["macho.special-slots"]);
        }
    }
}

#[test]
fn a_spoiled_cms_is_noticed_wherever_it_is_spoiled() {
    for copy in copies() {
        let cms = copy.blob(CMS);
        let (signed, _) = SignedData::parse(&cms[8..]).expect("a CMS");
        let signer = &signed.signers[0];
        let attribute = |oid| signer.signed.as_ref().expect("attributes").single(oid);
        let digest = attribute(oid_of("message digest")).expect("a digest").value;
        let agility = attribute(oid_of("agility")).expect("hashes").value;
        let unsigned = signer.unsigned.as_ref().expect("attributes");
        let token = unsigned.single(oid::TIMESTAMP_TOKEN).expect("a token");
        let places: [(&[u8], usize, &[&str]); 6] = [
            (signer.signature, 9, &["cms.signature"]),
            (digest, 0, &["apple.cms-binding", "cms.signature"]),
            (
                agility,
                agility.len() - 1,
                &["apple.cms-binding", "cms.signature"],
            ),
            // The imprint in the token, and the signature over it.
            (
                token.raw,
                find(token.raw, &[4, 0x20]) + 5,
                &["timestamp.token"],
            ),
            (token.raw, token.raw.len() - 1, &["timestamp.token"]),
            // The leaf, in the Team ID in it.
            (
                signed.certificates[2].raw,
                300,
                &["apple.team-id", "x509.path"],
            ),
        ];
        for (part, at, expected) in places {
            let mut copy = copy.clone();
            let at = find(&cms, part) + at;
            copy.change(CMS, |it| it[at] ^= 1);
            copy.fails(expected);
        }
    }
}

fn oid_of(what: &str) -> oid::Oid<'static> {
    match what {
        "agility" => oid::APPLE_HASH_AGILITY_V2,
        _ => oid::MESSAGE_DIGEST,
    }
}

#[test]
fn the_cms_of_other_code_by_the_same_team_does_not_count() {
    let [first, second] = copies().try_into().unwrap_or_else(|_| panic!("two"));
    let mut swapped = first.clone();
    swapped.change(CMS, |it| *it = second.blob(CMS));
    swapped.fails(&["apple.cms-binding"]);
    let mut less = first.clone();
    less.change(CMS, |it| it.truncate(8));
    less.fails(&["apple.cms-binding"]);
    let mut less = first.clone();
    let kept = less.blobs().into_iter().filter(|(it, _)| *it != CMS);
    less.rebuild(&kept.collect::<Vec<_>>());
    less.fails(&["apple.cms-binding"]);
    let mut more = first.clone();
    more.change(CMS, |it| it.push(0));
    more.fails(&["cms.parse"]);
    let mut ad_hoc = first;
    ad_hoc.change(DIRECTORY, |it| it[15] |= 2);
    ad_hoc.fails(&["apple.cms-binding"]);
}

#[test]
fn ad_hoc_code_is_whole_and_trusted_by_nobody() {
    for mut copy in copies() {
        copy.change(CMS, |it| it.truncate(8));
        copy.change(DIRECTORY, |it| it[15] |= 2);
        let found = look(&copy.bytes);
        assert_eq!(failed(&found), ["apple.ad-hoc"]);
        assert_eq!(found.verdict, Verdict::Untrusted);
        copy.change(DIRECTORY, |it| it[13] |= 2);
        let found = look(&copy.bytes);
        let reason = &found.failed().next().expect("a check").reason;
        assert!(reason.contains("linker"), "{reason}");
    }
}

#[test]
fn nothing_hides_beside_the_slices() {
    for copy in copies() {
        let mut behind = copy.clone();
        behind.bytes.push(0);
        behind.fails(&["macho.trailing-data"]);
        let mut between = copy.clone();
        between.bytes[copy.slice.0 - 1] = 1;
        between.fails(&["macho.trailing-data"]);
        // The last slice claims bytes behind its signature.
        let mut longer = copy.clone();
        longer.bytes.extend([0; 16]);
        let size = big(&longer.bytes, 8 + 20 + 12) + 16;
        put(&mut longer.bytes, 8 + 20 + 12, &be(size));
        longer.fails(&["macho.trailing-data"]);
        // One slice fewer in the table, and its bytes still there.
        let mut fewer = copy.clone();
        put(&mut fewer.bytes, 4, &be(1));
        fewer.fails(&["macho.trailing-data"]);
        // A slice without a signature beside one that has it.
        let mut bare = copy.clone();
        put(&mut bare.bytes, copy.command, &[0x1e]);
        bare.fails(&["macho.every-slice"]);
        assert!(
            look(&bare.bytes)
                .failed()
                .all(|it| it.reason.contains("slice"))
        );
        // What is reserved behind a signature is loaded by nothing. It is in the wild, so it is only said.
        let mut reserve = copy.clone();
        reserve.bytes[copy.place.1 - 1] = 1;
        let found = look(&reserve.bytes);
        assert_eq!(found.verdict, Verdict::Valid);
        let said = found
            .all_checks()
            .any(|it| it.reason.contains("1 are not zero"));
        assert!(said, "{found:#?}");
    }
}

#[test]
fn slices_and_segments_lie_where_they_can() {
    for copy in copies() {
        let parse = |at: usize, value: &[u8]| {
            let mut copy = copy.clone();
            put(&mut copy.bytes, at, value);
            copy.fails(&["macho.parse"]);
        };
        let table = 8;
        parse(4, &be(0));
        parse(4, &be(17));
        // For the same processor twice, for another one, over one another, outside, not aligned.
        parse(table + 20, &copy.bytes[table..table + 8]);
        parse(table, &be(12));
        parse(table + 8, &copy.bytes[table + 28..table + 32]);
        parse(table + 20 + 12, &be(copy.bytes.len()));
        parse(table + 16, &be(15));
        // Load commands: too many, too large, of no length.
        parse(copy.slice.0 + 16, &le(100_000));
        parse(copy.slice.0 + 20, &le(100_000_000));
        parse(copy.slice.0 + 36, &le(4));
        // The signature: outside its segment, ending before it, or there twice.
        parse(copy.command + 8, &le(copy.place.0 - copy.slice.0 + 16));
        parse(copy.command + 12, &le(copy.place.1 - copy.place.0 - 16));
        let next = copy.slice.0 + 32;
        parse(next, &le(0x1d));
    }
}

#[test]
fn a_thin_file_and_wide_tables_are_the_same_code() {
    for copy in copies() {
        let thin = &copy.bytes[copy.slice.0..copy.slice.1];
        assert_eq!(look(thin).verdict, Verdict::Valid);
        assert_eq!(look(thin).signatures.len(), 1);
        let mut wide = 0xcafe_babf_u32.to_be_bytes().to_vec();
        wide.extend(be(1));
        wide.extend(
            &copy.bytes[copy.slice.0 + 4..][..8]
                .chunks(4)
                .flat_map(|it| it.iter().rev().copied().collect::<Vec<_>>())
                .collect::<Vec<_>>(),
        );
        wide.extend([be(0), be(16_384), be(0), be(thin.len()), be(14), be(0)].concat());
        wide.resize(16_384, 0);
        wide.extend_from_slice(thin);
        assert_eq!(look(&wide).verdict, Verdict::Valid);
        // Cut short anywhere, it is not what was signed.
        for bytes in [0, 4, 11, 31, 4_000, 100_000, thin.len() - 1] {
            let found =
                inspection::inspect(&mut Cursor::new(&thin[..bytes]), day(), &Trust::microsoft());
            let found = found.expect("bytes in memory");
            assert!(
                found.is_none_or(|it| it.verdict == Verdict::Invalid),
                "{bytes}"
            );
        }
    }
}

#[test]
fn the_parts_of_a_signature_are_known_and_lie_close() {
    for copy in copies() {
        let blobs = copy.blobs();
        let super_blob = |blobs: &[(u32, Vec<u8>)]| {
            let mut copy = copy.clone();
            copy.rebuild(blobs);
            copy.fails(&["macho.super-blob"]);
        };
        super_blob(&blobs[1..]);
        super_blob(&[&blobs[..], &[(0x1234, blobs[1].1.clone())]].concat());
        super_blob(&[&blobs[..], &blobs[1..2]].concat());
        let mut wrong = blobs.clone();
        wrong[1].1[3] ^= 1;
        super_blob(&wrong);
        let at = |offset: usize, number: usize| {
            let mut copy = copy.clone();
            put(&mut copy.bytes, copy.place.0 + offset, &be(number));
            copy.fails(&["macho.super-blob"]);
        };
        at(0, 1);
        at(4, copy.place.1);
        at(8, 1000);
        // A gap before the last part, in which anything could stand.
        let signature = &copy.bytes[copy.place.0..copy.place.1];
        at(12 + 4, big(signature, 12 + 4) + 4);
        at(4, big(signature, 4) + 4);
    }
}
