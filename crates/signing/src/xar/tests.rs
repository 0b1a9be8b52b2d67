//! Packages of a writer of our own, not signed: what is found inside, and what is refused.

use std::io::{Cursor, Write as _};

use proptest::prelude::*;
use release::Sha256;

use super::*;
use crate::checks::Outcome;
use crate::cpio;
use crate::report::Verdict;
use crate::tests::day;
use crate::walk::{self, Contents, Settings};

const PROGRAM: &[u8] = include_bytes!("../../fixtures/apple/good.macho");
const GZIP: &str = "application/x-gzip";

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).expect("memory");
    encoder.finish().expect("memory")
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).expect("memory");
    encoder.finish().expect("memory")
}

/// An archive as it is put together: the XML of its files, and its heap.
struct Writer {
    files: String,
    heap: Vec<u8>,
}

impl Writer {
    fn new() -> Self {
        Self {
            files: String::new(),
            heap: vec![0; 20],
        }
    }

    /// A file whose data lies in the heap as given; `inside` is what else its element has.
    fn file(mut self, name: &str, data: &[u8], size: usize, inside: &str) -> Self {
        let (offset, length) = (self.heap.len(), data.len());
        let digest = DigestAlgorithm::Sha1.hash(&[data]);
        let digest = hex(&digest);
        let checksum = format!("<archived-checksum style=\"sha1\">{digest}</archived-checksum>");
        self.heap.extend_from_slice(data);
        self.files.push_str(&format!(
            "<file><name>{name}</name><type>file</type><mode>0755</mode><data><offset>{offset}</offset><size>{size}</size><length>{length}</length>{checksum}{inside}</data></file>"
        ));
        self
    }

    fn plain(self, name: &str, data: &[u8]) -> Self {
        let inside = "<encoding style=\"application/octet-stream\"/>";
        self.file(name, data, data.len(), inside)
    }

    fn element(mut self, xml: &str) -> Self {
        self.files.push_str(xml);
        self
    }

    fn finish(self) -> Vec<u8> {
        let checksum = "<checksum style=\"sha1\"><offset>0</offset><size>20</size></checksum>";
        let toc = format!("<xar><toc>{checksum}{}</toc></xar>", self.files);
        let packed = zlib(toc.as_bytes());
        let digest = DigestAlgorithm::Sha1.hash(&[&packed]);
        let mut bytes = b"xar!\0\x1c\0\x01".to_vec();
        bytes.extend((packed.len() as u64).to_be_bytes());
        bytes.extend((toc.len() as u64).to_be_bytes());
        bytes.extend([0, 0, 0, 1]);
        bytes.extend(packed);
        bytes.extend(digest);
        bytes.extend(&self.heap[20..]);
        bytes
    }
}

/// A package of one payload.
pub(crate) fn with_payload(payload: &[u8]) -> Vec<u8> {
    Writer::new().plain("Payload", payload).finish()
}

fn look(bytes: &[u8]) -> Contents {
    walk_any(bytes).expect("a container")
}

fn walk_any(bytes: &[u8]) -> Option<Contents> {
    let root = include_str!("../../fixtures/apple/roots.pem");
    let trust = Trust::microsoft().with_extra_roots(root).expect("a root");
    let settings = Settings {
        at: day(),
        trust: &trust,
        room: walk::tests::room,
        signed: walk::Signed::Opened,
    };
    walk::walk(&mut Cursor::new(bytes), settings).expect("bytes in memory")
}

fn leaves(contents: &Contents) -> Vec<(&str, Verdict)> {
    let leaves = contents.leaves.iter();
    leaves.map(|it| (it.path.as_str(), it.verdict())).collect()
}

/// What is wrong with the package as a whole.
fn broken(contents: &Contents) -> Option<&str> {
    let mut bad = contents.checks.iter();
    let bad = bad.find(|it| it.outcome != Outcome::Pass);
    bad.map(|it| it.reason.as_str())
}

fn payload() -> Vec<u8> {
    cpio::tests::archive(&[
        cpio::tests::odc(".", 0o040_755, b""),
        cpio::tests::odc("./usr/bin/tool", 0o100_755, PROGRAM),
        cpio::tests::odc("./usr/share/text", 0o100_644, b"text"),
    ])
}

#[test]
fn programs_in_payloads_are_found_however_they_are_packed() {
    let plain = payload();
    let length = (plain.len() as u64).to_be_bytes();
    let pbzx = [b"pbzx", &length[..], &length, &length, &plain].concat();
    for packed in [&plain[..], &gzip(&plain), &pbzx] {
        let package = Writer::new()
            .plain("Payload", packed)
            .plain("Scripts", &gzip(&payload()))
            .file(
                "Bom",
                &zlib(b"list"),
                4,
                &format!("<encoding style=\"{GZIP}\"/>"),
            )
            .finish();
        let found = look(&package);
        assert_eq!(broken(&found), None, "{found:#?}");
        let expected = [
            ("Payload!/usr/bin/tool", Verdict::Valid),
            ("Scripts!/usr/bin/tool", Verdict::Valid),
        ];
        assert_eq!(leaves(&found), expected);
        assert!(found.leaves.iter().all(|leaf| leaf.is_in_package));
        assert_eq!(found.files, 7);
    }
}

#[test]
fn components_and_resources_of_a_package_are_looked_into() {
    let component = Writer::new().plain("Payload", &gzip(&payload())).files;
    let package = Writer {
        heap: Writer::new().plain("Payload", &gzip(&payload())).heap,
        files: format!("<file><name>a.pkg</name><type>directory</type>{component}</file>"),
    };
    let package = package
        .file(
            "helper",
            &zlib(PROGRAM),
            PROGRAM.len(),
            &format!("<encoding style=\"{GZIP}\"/>"),
        )
        .element(
            "<file><name>link</name><type>symlink</type><link type=\"file\">helper</link></file>",
        )
        .element("<file><name>empty</name><type>file</type></file>")
        .finish();
    let found = look(&package);
    assert_eq!(broken(&found), None, "{found:#?}");
    let mut expected = [
        ("a.pkg/Payload!/usr/bin/tool", Verdict::Valid),
        ("helper", Verdict::Valid),
    ];
    let mut found = leaves(&found);
    found.sort_unstable_by_key(|it| it.0);
    expected.sort_unstable_by_key(|it| it.0);
    assert_eq!(found, expected);
}

#[test]
fn a_payload_that_cannot_be_read_was_not_looked_at() {
    let mut cut = gzip(&payload());
    cut.truncate(cut.len() - 9);
    let mut spoilt = payload();
    spoilt[3] = b'x';
    let twice = [payload(), payload()].concat();
    for bytes in [
        &b"BZh9 and so on"[..],
        b"AA01",
        &cut,
        &gzip(&spoilt),
        &gzip(&twice),
        &gzip(b""),
    ] {
        for name in ["Payload", "Scripts"] {
            let found = look(&Writer::new().plain(name, bytes).finish());
            assert_eq!(broken(&found), None, "{found:#?}");
            let last = found.leaves.last().expect("a leaf");
            assert_eq!(
                (last.path.as_str(), last.verdict()),
                (name, Verdict::Unsupported)
            );
            let ids: Vec<_> = last.checks.iter().map(|it| it.id.as_str()).collect();
            assert_eq!(ids, ["contents.parse"]);
        }
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let text = |encoding: &str, data: &[u8], size| {
        let inside = match encoding {
            "" => String::new(),
            encoding => format!("<encoding style=\"{encoding}\"/>"),
        };
        Writer::new().file("a", data, size, &inside).finish()
    };
    let element = |xml: &str| Writer::new().element(xml).finish();
    for (bytes, expected) in [
        (text("application/x-bzip2", b"text", 4), XarError::Encoding),
        (text("", b"text", 5), XarError::Encoding),
        (text(GZIP, &zlib(b"text"), 5), XarError::Size),
        (text(GZIP, &zlib(b"text"), 3), XarError::Size),
        (element("<file><name>a</name></file>"), XarError::Type),
        (
            element("<file><name>a</name><type>fifo</type></file>"),
            XarError::Type,
        ),
        (
            element(
                "<file><name>a</name><type>file</type><file><name>b</name><type>file</type></file></file>",
            ),
            XarError::Type,
        ),
        (
            element("<file><name>a</name><type>symlink</type></file>"),
            XarError::Missing("link"),
        ),
        (
            element(
                "<file><name>a</name><type>file</type></file><file><name>A</name><type>file</type></file>",
            ),
            XarError::Name,
        ),
        (
            element("<file><name>..</name><type>file</type></file>"),
            XarError::Name,
        ),
    ] {
        let found = look(&bytes);
        let reason = broken(&found).unwrap_or_default();
        assert!(
            reason.ends_with(&expected.to_string()),
            "{expected}: {reason}"
        );
        assert_eq!(found.verdict(), Verdict::Invalid);
    }
    // The heap ends before the file does.
    let mut short = Writer::new().plain("a", b"text and more").finish();
    short.truncate(short.len() - 1);
    assert!(broken(&look(&short)).is_some());
    let mut far = Writer::new().element("<file><name>a</name><type>file</type><data><offset>18446744073709551000</offset><size>4</size><length>4</length></data></file>").finish();
    assert!(broken(&look(&far)).is_some());
    far.truncate(40);
    assert!(broken(&look(&far)).is_some());
}

/// Its beginning is not that of extended attributes, whatever its name is.
#[test]
fn a_program_that_is_called_like_attributes_is_found() {
    let members = [
        cpio::tests::odc("a", 0o100_644, b"text"),
        cpio::tests::odc("._a", 0o100_755, PROGRAM),
    ];
    let found = look(&with_payload(&gzip(&cpio::tests::archive(&members))));
    assert_eq!(leaves(&found), [("Payload!/._a", Verdict::Valid)]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn noise_ends_without_a_panic(
        packing in 0_usize..3,
        at in any::<prop::sample::Index>(),
        value in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let plain = payload();
        let length = (plain.len() as u64).to_be_bytes();
        let packed = match packing {
            0 => plain,
            1 => gzip(&plain),
            _ => [b"pbzx", &length[..], &length, &length, &plain].concat(),
        };
        // In the payload, where no checksum of the package is looked at.
        let mut changed = packed.clone();
        let at_payload = at.index(changed.len().min(400));
        changed[at_payload] = value;
        let found = look(&with_payload(&changed));
        let program = Sha256::of(PROGRAM);
        for leaf in found.leaves.iter().filter(|it| it.verdict() == Verdict::Valid) {
            prop_assert_eq!(leaf.sha256, Some(program), "byte {}", at_payload);
        }
        // In the package itself.
        let mut package = with_payload(&packed);
        let at_package = at.index(package.len());
        package[at_package] = value;
        let _ = walk_any(&package);
        let _ = walk_any(&package[..cut.index(package.len())]);
    }
}
