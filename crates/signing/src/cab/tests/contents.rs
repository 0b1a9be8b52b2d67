//! What is inside cabinets, as cabextract and gcab see it too.

mod lzx;
pub(crate) mod writer;

use std::io::{self, Cursor};
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::cab::contents::walk;
use crate::digest::hex;
use crate::tests::{put, sample, skipped};
use crate::walk::entry::Each;
use lzx::Kind::{Aligned, Stored, Verbatim};
use writer::{Block, Folder, cabinet, file, stored};

/// Each file that a reader shows with its SHA-256, in the order of the container.
pub(crate) fn shown(
    read: impl FnOnce(Each<'_>) -> io::Result<()>,
) -> io::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    read(&mut |entry, content| {
        let mut plain = Vec::new();
        content.read_to_end(&mut plain)?;
        found.push((entry.path.clone(), hex(&Sha256::digest(&plain))));
        Ok(())
    })?;
    Ok(found)
}

fn files(bytes: &[u8]) -> io::Result<Vec<(String, String)>> {
    shown(|each| walk(&mut Cursor::new(bytes), each))
}

fn refusal(bytes: &[u8]) -> String {
    files(bytes).expect_err("refused").to_string()
}

/// Runs a judge in a folder. None, and said, where it is not there.
pub(crate) fn run(folder: &Path, program: &str, arguments: &[&str]) -> Option<()> {
    let mut command = Command::new(program);
    match command.args(arguments).current_dir(folder).output() {
        Ok(done) => {
            let said = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success(), "{program} {arguments:?}: {said}");
            Some(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            skipped(&format!("{program} is not there"));
            None
        }
        Err(error) => panic!("{program}: {error}"),
    }
}

/// All files below a folder with their SHA-256, sorted.
pub(crate) fn tree(folder: &Path) -> Vec<(String, String)> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(at).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).expect("below it");
            let bytes = std::fs::read(&path).expect("a file");
            let name = name.to_str().expect("a name in UTF-8");
            found.push((name.to_owned(), hex(&Sha256::digest(bytes))));
        }
    }
    found.sort();
    found
}

/// What cabextract makes of a cabinet.
fn cabextract(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.cab"), bytes).expect("a file");
    run(folder.path(), "cabextract", &["-q", "-d", "out", "a.cab"])?;
    Some(tree(&folder.path().join("out")))
}

fn agrees_with_cabextract(what: &str, bytes: &[u8]) {
    let mut found = files(bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
    found.sort();
    if let Some(judged) = cabextract(bytes) {
        assert_eq!(found, judged, "{what}");
    }
}

/// Bytes that repeat themselves here and there, with calls among them.
pub(crate) fn text(bytes: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut found = Vec::new();
    while found.len() < bytes {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [a, b, c, d] = state.to_le_bytes();
        match d % 4 {
            0 if found.len() > usize::from(c) + 1 => {
                let from = found.len() - usize::from(c) - 1;
                (0..b).for_each(|at| {
                    found.push(found[from + usize::from(at) % usize::from(c.max(1))])
                });
            }
            1 => found.extend([0xe8, b, a & 3, 0, 0]),
            2 => found.extend([0xe8, 0, 0, 0, 0]),
            _ => found.extend([a, b, c]),
        }
    }
    found.truncate(bytes);
    found
}

#[test]
fn cabinets_of_gcab_are_read_as_cabextract_reads_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = folder.path();
    std::fs::create_dir_all(input.join("app/lib")).expect("folders");
    for (name, bytes) in [
        ("app/long.bin", text(200_000, 1)),
        ("app/lib/exact.bin", text(32 * 1024, 2)),
        ("app/empty", Vec::new()),
        ("app/lib/\u{fc}ber.txt", text(70_001, 3)),
    ] {
        std::fs::write(input.join(name), bytes).expect("a file");
    }
    let expected = tree(&input.join("app"));
    for packing in ["-cz", "-c"] {
        let names = [
            "app/long.bin",
            "app/lib/exact.bin",
            "app/empty",
            "app/lib/\u{fc}ber.txt",
        ];
        let arguments = [&[packing, "a.cab"][..], &names].concat();
        if run(input, "gcab", &arguments).is_none() {
            return;
        }
        let bytes = std::fs::read(input.join("a.cab")).expect("a cabinet");
        agrees_with_cabextract(packing, &bytes);
        let mut found = files(&bytes).expect("a cabinet");
        found.sort();
        let expected = expected.iter();
        let expected: Vec<_> = expected
            .map(|(path, sum)| (format!("app/{path}"), sum.clone()))
            .collect();
        assert_eq!(found, expected);
    }
    // What is stored has every byte under a checksum.
    let mut bytes = std::fs::read(input.join("a.cab")).expect("a cabinet");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    assert!(refusal(&bytes).contains("checksum"));
}

#[test]
fn cabinets_that_others_made_are_read() {
    agrees_with_cabextract(
        "signed",
        include_bytes!("../../../fixtures/packages/signed.cab"),
    );
    agrees_with_cabextract(
        "reserve",
        include_bytes!("../../../fixtures/packages/reserve.cab"),
    );
    let set = include_bytes!("../../../fixtures/packages/set.cab");
    assert!(refusal(set).contains("cabinet 1 of a set"));
    if let Some(bytes) = sample("jsign/sample1.cab") {
        agrees_with_cabextract("sample1.cab", &bytes);
        assert_eq!(files(&bytes).expect("a cabinet").len(), 2);
    }
}

/// A program whose calls are named by distance is packed with all kinds of blocks, some of odd lengths, over several frames.
#[test]
fn lzx_is_unpacked_as_cabextract_unpacks_it() {
    let one = [(Verbatim, 0)];
    let stored = [(Stored, 0)];
    let many = [
        (Verbatim, 1000),
        (Stored, 777),
        (Aligned, 33_000),
        (Stored, 32_768 * 2 - 34_777),
        (Stored, 15),
        (Aligned, 1),
        (Verbatim, 2),
        (Stored, 31_001),
        (Aligned, 0),
    ];
    for (bytes, window, translated, kinds, seed) in [
        (100, 15, None, &one[..], 1),
        (32 * 1024, 15, Some(32 * 1024), &one, 2),
        (70_003, 15, None, &one, 3),
        (99_001, 16, Some(80_000), &many, 4),
        (120_001, 21, Some(i32::MAX), &many, 5),
        (40_000, 18, Some(0), &one, 6),
        (33_001, 15, Some(30_000), &stored, 7),
        (100_000, 20, Some(-5), &many[2..], 8),
    ] {
        let plain = text(bytes, seed);
        let blocks = lzx::pack(&plain, window, translated, kinds);
        let half = bytes as u32 / 2;
        let files = [
            file(0, 0, half, b"a.bin"),
            file(0, half, bytes as u32 - half, b"lib\\b.bin"),
        ];
        let folder = Folder {
            packing: 3 | u16::from(window) << 8,
            blocks,
        };
        let what = format!("{bytes} bytes, a window of {window} bits, calls in {translated:?}");
        agrees_with_cabextract(&what, &cabinet(&[folder], &files));
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let plain = text(50_000, 9);
    let good = || [stored(&plain), stored(b"second")];
    let two = |files: &[writer::File]| cabinet(&good(), files);
    let (first, second) = (file(0, 0, 50_000, b"a"), file(1, 0, 6, b"b"));
    let whole = two(&[first.clone(), second.clone()]);
    assert_eq!(files(&whole).expect("a cabinet").len(), 2);
    let behind = [&whole[..], b"x"].concat();
    let mut sum = whole.clone();
    let at = whole.len() - 3;
    sum[at] ^= 0x20;
    let mut overlap = whole.clone();
    // The second folder has the data of the first.
    let data = overlap[36..42].to_vec();
    put(&mut overlap, 44, &data);
    let packed = |packing, blocks: Vec<Block>| {
        cabinet(&[Folder { packing, blocks }], &[file(0, 0, 6, b"a")])
    };
    let block = |bytes: &[u8], plain| Block {
        bytes: bytes.to_vec(),
        plain,
    };
    let second_at = |folder, at, size| two(&[first.clone(), file(folder, at, size, b"b")]);
    for (what, bytes, expected) in [
        ("bytes behind", behind, "1 bytes stand behind its end"),
        ("a changed byte", sum, "checksum"),
        ("one folder twice", overlap, "the data of the folders ends"),
        (
            "a gap",
            second_at(1, 1, 5),
            "begins before the file in front",
        ),
        (
            "an overlap",
            two(&[first.clone(), second.clone(), file(1, 3, 3, b"c")]),
            "begins before",
        ),
        ("a rest", second_at(1, 0, 5), "behind its last file"),
        ("too long", second_at(1, 0, 7), "ends inside a file"),
        (
            "no folder",
            second_at(2, 0, 6),
            "a folder that is not there",
        ),
        (
            "the next cabinet",
            second_at(0xfffe, 0, 6),
            "continues in another",
        ),
        (
            "leaving",
            two(&[first.clone(), file(1, 0, 6, b"..\\b")]),
            "leaves its folder",
        ),
        (
            "absolute",
            two(&[first.clone(), file(1, 0, 6, b"\\b")]),
            "is absolute",
        ),
        (
            "a drive",
            two(&[first.clone(), file(1, 0, 6, b"C:\\b")]),
            "is absolute",
        ),
        (
            "a folder as a file",
            two(&[first.clone(), file(1, 0, 6, b"b\\")]),
            "is absolute",
        ),
        (
            "both ways",
            two(&[file(0, 0, 50_000, b"x/a"), file(1, 0, 6, b"x\\b")]),
            "encoding",
        ),
        (
            "no encoding",
            two(&[first.clone(), file(1, 0, 6, "\u{fc}".as_bytes())]),
            "encoding",
        ),
        (
            "no text",
            two(&[first.clone(), file(1, 0, 6, b"\xfc")]),
            "not UTF-8",
        ),
        (
            "no bytes",
            packed(0, vec![block(b"second", 0)]),
            "continues in another",
        ),
        (
            "other bytes",
            packed(0, vec![block(b"second", 5)]),
            "does not have the bytes",
        ),
        (
            "Quantum",
            packed(0x1472, vec![block(b"second", 6)]),
            "Quantum",
        ),
        (
            "MSZIP with a window",
            packed(0x0101, vec![block(b"second", 6)]),
            "no cabinet is: 0x0101",
        ),
        (
            "a large window",
            packed(0x1603, vec![block(b"second", 6)]),
            "no cabinet is: 0x1603",
        ),
        ("no MSZIP", packed(1, vec![block(b"second", 6)]), "MSZIP"),
        (
            "behind MSZIP",
            packed(1, vec![block(b"CK\x4b\x04\x00x", 1)]),
            "MSZIP",
        ),
        ("no LZX", packed(0x0f03, vec![block(b"second", 6)]), "LZX"),
    ] {
        let said = refusal(&bytes);
        assert!(said.contains(expected), "{what}: {said}");
    }
}

/// Without sums: what is behind them is to be seen.
static PACKED: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
    let plain = text(10_000, 7);
    let blocks = lzx::pack(
        &plain,
        15,
        Some(9_000),
        &[(Verbatim, 3_000), (Stored, 101), (Aligned, 0)],
    );
    let packed = Folder {
        packing: 0x0f03,
        blocks,
    };
    [stored(&plain), packed, writer::zipped(&plain)].map(|folder| {
        let mut bytes = cabinet(&[folder], &[file(0, 0, 10_000, b"a.bin")]);
        writer::without_sums(&mut bytes);
        bytes
    })
});

proptest! {
    #[test]
    fn spoilt_contents_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        of in 0..3_usize,
    ) {
        let mut bytes = PACKED[of].clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        drop(files(&bytes));
    }
}
