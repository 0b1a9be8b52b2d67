//! Copies of good packages, each with one thing wrong: the right check must fail.

use zlib_rs::{Deflate, DeflateFlush, Inflate, InflateFlush};

use super::corpus::{not_passed, signer};
use super::*;
use crate::cms::SignedData;
use crate::digest::DigestAlgorithm;
use crate::digest::hex;

/// The newest package of the corpus, and one of before there were signed attributes.
const VERSIONS: [&str; 2] = ["3.2.0", "1.12.0"];
const HEADER_BYTES: usize = 28;

/// A package by its parts.
#[derive(Clone)]
struct Copy {
    toc: String,
    heap: Vec<u8>,
    /// The ticket with its trailers.
    tail: Vec<u8>,
}

fn copies() -> Vec<Copy> {
    let versions = VERSIONS.iter().filter_map(|version| package(version));
    versions.map(|bytes| Copy::of(&bytes)).collect()
}

fn deflate(plain: &[u8]) -> Vec<u8> {
    let mut output = vec![0; plain.len() + 1000];
    let mut stream = Deflate::new(6, true, 15);
    let status = stream.compress(plain, &mut output, DeflateFlush::Finish);
    status.expect("enough room");
    output.truncate(usize::try_from(stream.total_out()).expect("small"));
    output
}

/// An archive with this table of contents, whose checksum is put at the beginning of the heap.
fn archive(toc: &str, heap: &[u8], tail: &[u8]) -> Vec<u8> {
    let compressed = deflate(toc.as_bytes());
    let mut bytes = b"xar!\0\x1c\0\x01".to_vec();
    bytes.extend((compressed.len() as u64).to_be_bytes());
    bytes.extend((toc.len() as u64).to_be_bytes());
    bytes.extend([0, 0, 0, 1]);
    let checksum = DigestAlgorithm::Sha1.hash(&[&compressed]);
    bytes.extend(compressed);
    bytes.extend(checksum);
    bytes.extend(&heap[20..]);
    bytes.extend(tail);
    bytes
}

impl Copy {
    fn of(bytes: &[u8]) -> Self {
        let wide = |at: usize| {
            let number = bytes[at..].first_chunk::<8>().expect("there");
            usize::try_from(u64::from_be_bytes(*number)).expect("small")
        };
        let heap_at = HEADER_BYTES + wide(8);
        let mut toc = vec![0; wide(16)];
        let compressed = &bytes[HEADER_BYTES..heap_at];
        let inflated =
            Inflate::new(true, 15).decompress(compressed, &mut toc, InflateFlush::Finish);
        inflated.expect("a table of contents");
        let tail_at = find(bytes, b"t8lr");
        Self {
            toc: String::from_utf8(toc).expect("text"),
            heap: bytes[heap_at..tail_at].to_vec(),
            tail: bytes[tail_at..].to_vec(),
        }
    }

    /// The same bytes as they were, but for heap and tail, which may be changed.
    fn with_old_table(&self, original: &[u8]) -> Vec<u8> {
        let heap_at = find(original, b"t8lr") - self.heap.len();
        [&original[..heap_at], &self.heap, &self.tail].concat()
    }

    /// With a changed table of contents and a checksum to match.
    fn with_table(&self, change: impl FnOnce(&str) -> String) -> Vec<u8> {
        let toc = change(&self.toc);
        assert_ne!(toc, self.toc, "something changes");
        archive(&toc, &self.heap, &self.tail)
    }
}

#[track_caller]
fn fails(bytes: &[u8], expected: &[&str]) {
    let found = look(bytes);
    assert_eq!(failed(&found), expected, "{found:#?}");
    assert_eq!(found.verdict, Verdict::Invalid);
}

#[track_caller]
fn fails_also(bytes: &[u8], expected: &str) {
    let found = look(bytes);
    assert!(failed(&found).contains(&expected), "{found:#?}");
    assert_eq!(found.verdict, Verdict::Invalid);
}

#[test]
fn every_byte_of_the_heap_is_bound() {
    for (version, copy) in VERSIONS.iter().zip(copies()) {
        let Some(original) = package(version) else {
            return;
        };
        let cms = &copy.heap[276..9492];
        let (signed, used) = SignedData::parse(cms).expect("a CMS");
        let signature = 276 + find(cms, signed.signers[0].signature);
        for (at, expected) in [
            // The checksum of the table, the RSA signature, the CMS signature, and what fills its place up.
            (3, "pkg.toc-checksum"),
            (20 + 7, "pkg.rsa-signature"),
            (signature + 7, "cms.signature"),
            (276 + used, "cms.parse"),
            (9491, "cms.parse"),
            // Files: the first, one in the middle, the last.
            (9492, "pkg.files"),
            (100_000, "pkg.files"),
            (copy.heap.len() - 1, "pkg.files"),
        ] {
            let mut copy = copy.clone();
            copy.heap[at] ^= 1;
            fails(&copy.with_old_table(&original), &[expected]);
        }
    }
}

#[test]
fn a_changed_table_of_contents_is_signed_by_nobody() {
    for (version, copy) in VERSIONS.iter().zip(copies()) {
        let changed = copy.with_table(|toc| toc.replacen("PackageInfo", "PackageInf0", 2));
        // Without signed attributes there is no digest in the CMS that could be another one.
        let mut expected = vec!["cms.message-digest", "pkg.rsa-signature", "ticket.coverage"];
        if *version == "1.12.0" {
            expected[0] = "cms.signature";
            // The leaf is not known then, so the other signature is not looked at.
            expected.remove(1);
        }
        fails(&changed, &expected);
        let mut unmatched = changed.clone();
        let checksum = DigestAlgorithm::Sha1.hash(&[&deflate(
            copy.toc
                .replacen("PackageInfo", "PackageInf0", 2)
                .as_bytes(),
        )]);
        let at = find(&unmatched, &checksum);
        unmatched[at] ^= 1;
        expected.push("pkg.toc-checksum");
        expected.sort_unstable();
        fails(&unmatched, &expected);
        // Bytes of the compressed table, and what the header says of it.
        let Some(original) = package(version) else {
            return;
        };
        for at in [4, 6, 15, 23, 27, 28, 500] {
            let mut changed = original.clone();
            changed[at] ^= 1;
            fails(&changed, &["pkg.parse"]);
        }
    }
}

#[test]
fn what_lies_in_the_heap_is_listed_and_lies_close() {
    for copy in copies() {
        let offset = |toc: &str, by: i64| {
            // The last file of the table lies at 9492, first of all files.
            let new = format!("<offset>{}</offset>", 9492 + by);
            toc.replacen("<offset>9492</offset>", &new, 1)
        };
        fails_also(&copy.with_table(|toc| offset(toc, 1)), "pkg.files");
        fails_also(&copy.with_table(|toc| offset(toc, -1)), "pkg.files");
        // A file is dropped from the table: its bytes belong to nobody then.
        let dropped = copy.with_table(|toc| {
            let (start, end) = (toc.find("<file id=\"3\">"), toc.find("<file id=\"2\">"));
            let (start, end) = (start.expect("a file"), end.expect("a file"));
            [&toc[..start], &toc[end..]].concat()
        });
        fails_also(&dropped, "pkg.files");
        for (from, to) in [
            (
                "<offset>9492</offset>",
                "<offset>18446744073709551615</offset>",
            ),
            ("<offset>9492</offset>", "<offset>99999999</offset>"),
        ] {
            fails_also(
                &copy.with_table(|toc| toc.replacen(from, to, 1)),
                "pkg.files",
            );
        }
    }
}

#[test]
fn a_table_that_can_be_read_in_two_ways_is_refused() {
    for copy in copies() {
        for (from, to) in [
            (
                "<name>Payload</name>",
                "<name>Payload</name><name>Scripts</name>",
            ),
            ("<name>Payload</name>", "<name>../Payload</name>"),
            ("<name>Payload</name>", "<name>scripts</name>"),
            (
                "<name>Payload</name>",
                "<name enctype=\"base64\">UGF5bG9hZA==</name>",
            ),
            ("<name>Payload</name>", ""),
            (
                "<offset>9492</offset>",
                "<offset>9492</offset><offset>9492</offset>",
            ),
            ("<offset>9492</offset>", "<offset>+9492</offset>"),
            ("<offset>9492</offset>", ""),
            ("</toc>", "</toc><toc></toc>"),
            ("<data>", "<data/><data>"),
            ("<signature style=\"RSA\">", "<signature style=\"DSA\">"),
            (
                "<signature style=\"RSA\">",
                "<signature style=\"RSA\"/><signature style=\"RSA\">",
            ),
            ("<checksum style=\"sha1\">", "<checksum style=\"md5\">"),
            (
                "<archived-checksum style=\"sha1\">",
                "<archived-checksum style=\"md5\">",
            ),
            (
                "<archived-checksum style=\"sha1\">",
                "<archived-checksum style=\"sha1\">00",
            ),
            ("<xar>", "<!DOCTYPE xar [<!ENTITY x \"y\">]><xar>"),
        ] {
            // Some packages have each name twice.
            let changed = copy.with_table(|toc| {
                let all = if to.matches("<name").count() == 1 {
                    2
                } else {
                    1
                };
                let twice = format!("{from}\n   {from}");
                toc.replacen(&twice, from, 9).replacen(from, to, all)
            });
            let found = look(&changed);
            assert_eq!(failed(&found), ["pkg.parse"], "{to}: {found:#?}");
        }
    }
}

#[test]
fn nothing_stands_behind_the_heap_but_a_ticket() {
    for (version, copy) in VERSIONS.iter().zip(copies()) {
        let Some(original) = package(version) else {
            return;
        };
        let mut longer = original.clone();
        longer.push(0);
        fails(&longer, &["pkg.trailing-data"]);
        for at in [0, 4, 6, 8, 15] {
            let mut copy = copy.clone();
            copy.tail[at] ^= 1;
            fails(&copy.with_old_table(&original), &["pkg.trailing-data"]);
            let trailer = copy.tail.len() - 16;
            copy.tail[at] ^= 1;
            copy.tail[trailer + at] ^= 1;
            fails(&copy.with_old_table(&original), &["pkg.trailing-data"]);
        }
        let mut between = copy.clone();
        between.tail.splice(0..0, *b"hidden");
        fails(
            &between.with_old_table(&original)[..],
            &["pkg.trailing-data"],
        );
        let cut = &original[..original.len() - copy.tail.len() - 1];
        fails(cut, &["pkg.files", "pkg.trailing-data"]);
        // Without its ticket it is signed all the same, and no longer notarized.
        let mut bare = copy.clone();
        bare.tail.clear();
        let found = look(&bare.with_old_table(&original));
        assert_eq!(found.verdict, Verdict::Valid);
        let judged = found.judge_apple(&signer("G43BCU2T37"));
        let expected = ["apple.hardened-runtime", "apple.notarized"];
        assert_eq!(not_passed(&judged), expected);
        // As is the ticket of another version.
        let mut other = copy.clone();
        other.tail = package("2.6.0")
            .map(|it| Copy::of(&it).tail)
            .expect("there");
        let found = look(&other.with_old_table(&original));
        assert_eq!(failed(&found), ["ticket.coverage"]);
        assert_eq!(found.verdict, Verdict::Invalid);
        assert_eq!(
            not_passed(&found.judge_apple(&signer("G43BCU2T37"))),
            expected
        );
    }
}

#[test]
fn who_signed_is_compared_exactly() {
    let Some(bytes) = package("3.2.0") else {
        return;
    };
    let found = look(&bytes);
    for team in ["G43BCU2T38", "g43bcu2t37", "G43BCU2T37 ", ""] {
        let judged = found.judge_apple(&signer(team));
        assert_eq!(not_passed(&judged), ["identity.team-id"], "{team}");
    }
    let report = found.signatures[0].signer.as_ref().expect("a signer");
    assert_eq!(report.team_id.as_deref(), Some("G43BCU2T37"));
    let text = serde_json::to_string(&found).expect("JSON");
    assert!(text.contains("\"team_id\":\"G43BCU2T37\""), "{text}");
    // Before it was signed, neither its timestamp nor its ticket can be.
    let early = look_with(&bytes, time("2024-05-01T00:00:00Z"), &Trust::microsoft());
    assert_eq!(failed(&early), ["ticket.chain", "timestamp.time"]);
    assert_eq!(early.verdict, Verdict::Untrusted);
}

/// An archive that nobody signed.
fn unsigned() -> Vec<u8> {
    let file = b"the bytes of a file";
    let digest = hex(&DigestAlgorithm::Sha256.hash(&[file]));
    let toc = format!(
        "<xar><toc><checksum style=\"sha1\"><offset>0</offset><size>20</size></checksum>\
         <file id=\"1\"><name>a</name><type>directory</type><file id=\"2\"><name>b</name><data><offset>20</offset>\
         <length>{}</length><archived-checksum style=\"sha256\">{digest}</archived-checksum></data></file></file></toc></xar>",
        file.len()
    );
    archive(&toc, &[&[0; 20][..], file].concat(), &[])
}

#[test]
fn what_nobody_signed_is_unsigned() {
    let bytes = unsigned();
    let found = look(&bytes);
    assert_eq!(failed(&found), ["pkg.signed"]);
    assert_eq!(found.verdict, Verdict::Unsigned);
    assert_eq!(
        not_passed(&found.judge_apple(&signer("G43BCU2T37"))),
        ["identity.team-id"]
    );
    let mut changed = bytes;
    *changed.last_mut().expect("a byte") ^= 1;
    fails(&changed, &["pkg.files", "pkg.signed"]);
}
