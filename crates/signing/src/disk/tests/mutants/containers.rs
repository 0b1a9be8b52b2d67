//! Containers of APFS.

use crate::disk::tests::compressed::{compressed, decmpfs};
use crate::disk::tests::writer::Writer;

/// What is done to objects of a type, and why the container is refused.
type SpoilObjects = fn(&mut [u8]);

const CONTAINER: u16 = 1;
const ROOT: u16 = 2;
const MAP: u16 = 11;
const VOLUME: u16 = 13;
const OF_FILES: u16 = 14;

const CONTAINERS: [(&str, u16, u16, SpoilObjects, &str); 16] = [
    (
        "of no block size",
        CONTAINER,
        0,
        |it| it[36] = 1,
        "blocks of a size",
    ),
    (
        "more blocks than there are",
        CONTAINER,
        0,
        |it| it[44] = 1,
        "larger than",
    ),
    ("two devices", CONTAINER, 0, |it| it[65] = 1, "features"),
    (
        "checkpoints in a tree",
        CONTAINER,
        0,
        |it| it[107] = 0x80,
        "features",
    ),
    (
        "no volume",
        CONTAINER,
        0,
        |it| it[184..192].fill(0),
        "has 0 volumes",
    ),
    (
        "two volumes",
        CONTAINER,
        0,
        |it| it[192] = 1,
        "has 2 volumes",
    ),
    ("no map", CONTAINER, 0, |it| it[160] = 9, "block 19977"),
    ("sealed", VOLUME, 0, |it| it[56] = 0x21, "features"),
    ("encrypted", VOLUME, 0, |it| it[264] = 0, "encrypted"),
    ("to be reverted", VOLUME, 0, |it| it[160] = 1, "older state"),
    ("no root", VOLUME, 0, |it| it[136] = 0xff, "in no map"),
    (
        "a map of another type",
        MAP,
        0,
        |it| it[24] = 12,
        "not what it was looked up as",
    ),
    (
        "more records than there are",
        ROOT,
        OF_FILES,
        |it| it[36] = 0xff,
        "outside its node",
    ),
    (
        "another level",
        ROOT,
        OF_FILES,
        |it| it[34] = 0,
        "another level",
    ),
    (
        "another number of records",
        ROOT,
        OF_FILES,
        |it| it[4080] ^= 1,
        "another number of records",
    ),
    (
        "keys of a fixed length",
        ROOT,
        OF_FILES,
        |it| it[32] = 5,
        "cannot be read",
    ),
];

/// What is done to the records of files.
type SpoilRecords = fn(&mut Writer);

const RECORDS: [(&str, SpoilRecords, &str); 9] = [
    (
        "a name of nothing",
        |it| it.name(2, "x", 999, 8),
        "the name of nothing",
    ),
    (
        "a name in no folder",
        |it| it.name(999, "x", 2, 8),
        "two things",
    ),
    (
        "a folder of two names",
        |it| {
            let id = it.folder(2, "x");
            it.name(2, "y", id, 4);
        },
        "has two names",
    ),
    (
        "a folder in itself",
        |it| {
            let id = it.folder(2, "x");
            it.name(id, "y", id, 4);
            it.records.retain(|(key, _)| !key.ends_with(b"x\0"));
        },
        "no folder that there is",
    ),
    (
        "a device",
        |it| {
            it.file(2, "x", 0, b"", 1);
            it.mode(0o060_644);
        },
        "two things",
    ),
    (
        "a file named as a folder",
        |it| {
            let id = it.file(2, "x", 0o644, b"", 1);
            it.name(2, "y", id, 4);
        },
        "two things",
    ),
    (
        "a name that leaves",
        |it| {
            it.file(2, "..", 0o644, b"", 1);
        },
        "the name of",
    ),
    ("a link to nowhere", |it| it.link(2, "x", ""), "no target"),
    (
        "a compressed file without its bytes",
        |it| {
            it.packed(2, "x", &decmpfs(4, 9), None);
        },
        "no resource fork",
    ),
];

#[test]
fn containers_with_one_thing_wrong_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = || {
        let mut writer = Writer::new(folder.path())?;
        writer.file(2, "file", 0o644, b"content", 1);
        Some(writer)
    };
    let Some(mut writer) = made() else { return };
    writer.finish();
    assert_eq!(writer.look().expect("a volume").len(), 1);
    let reason = |what: &str, writer: &Writer| {
        let reason = writer.look().expect_err(what);
        assert!(!reason.chars().any(char::is_control), "{what}: {reason}");
        reason
    };
    for (what, kind, subtype, spoil, expected) in CONTAINERS {
        let Some(mut writer) = made() else { return };
        writer.finish();
        writer.change(kind, subtype, spoil);
        let reason = reason(what, &writer);
        assert!(reason.contains(expected), "{what}: {reason}");
    }
    for (what, spoil, expected) in RECORDS {
        let Some(mut writer) = made() else { return };
        spoil(&mut writer);
        writer.finish();
        let reason = reason(what, &writer);
        assert!(reason.contains(expected), "{what}: {reason}");
    }
    // A block that does not have its checksum.
    let Some(mut writer) = made() else { return };
    writer.finish();
    writer.spoil(20_005);
    assert!(reason("a byte", &writer).contains("does not have its checksum"));
}

#[test]
fn noise_in_objects_is_refused_without_a_panic() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(mut writer) = Writer::new(folder.path()) else {
        return;
    };
    for form in compressed() {
        writer.packed(2, form.name, &form.attribute, form.resource.as_deref());
    }
    writer.finish();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed >> 16).expect("64 bits") % below
    };
    for _ in 0..1500 {
        // With their checksums, or none of them would be looked at.
        let blocks = writer.objects();
        let at = blocks[random(blocks.len())];
        let was = writer.block(at);
        let mut bytes = was.clone();
        for _ in 0..1 + random(3) {
            let below = if random(2) == 0 {
                300
            } else {
                bytes.len() - 12
            };
            let at = 8 + random(below);
            match random(3) {
                0 => bytes[at..at + 4].fill(0xff),
                1 => bytes[at] ^= 1 << random(8),
                _ => bytes[at] = bytes[at].wrapping_add(1),
            }
        }
        writer.put(at, bytes);
        let _ = writer.look();
        writer.put(at, was);
    }
}
