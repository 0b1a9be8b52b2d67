//! Volumes of HFS+.

use super::*;

type SpoilVolume = fn(&mut Volume);

const VOLUMES: [(&str, SpoilVolume, &str); 19] = [
    (
        "another version",
        |it| it.put(1026, &[0, 9]),
        "header of the volume",
    ),
    (
        "blocks of no size",
        |it| it.put(1064, &[0, 0, 3, 0]),
        "header of the volume",
    ),
    (
        "more blocks than there are",
        |it| it.put(1068, &[0x7f; 4]),
        "header of the volume",
    ),
    ("inconsistent", |it| it.put(1030, &[0x08, 0]), "not whole"),
    ("a journal", |it| it.put(1030, &[0x20, 0]), "journal"),
    (
        "pieces of the catalog",
        |it| it.put(1024 + 284, &[0, 0, 0xff, 0xff]),
        "pieces of file 4",
    ),
    (
        "a catalog outside",
        |it| it.put(1024 + 288, &[0xff; 4]),
        "pieces of file 4",
    ),
    (
        "no header of the tree",
        |it| it.at_node(0, 8, &[0]),
        "no header",
    ),
    (
        "nodes of no size",
        |it| it.at_node(0, 32, &[0, 0]),
        "what no tree has",
    ),
    (
        "a tree without end",
        |it| it.at_node(0, 14, &[0xff, 0xff]),
        "what no tree has",
    ),
    (
        "another number of records",
        |it| it.at_node(0, 20, &[0, 0, 0, 1]),
        "another number of leaves or records",
    ),
    (
        "another first leaf",
        |it| it.at_node(0, 24, &[0, 0, 0, 3]),
        "follow one another in two ways",
    ),
    (
        "a root that is not there",
        |it| it.at_node(0, 16, &[0xff; 4]),
        "not there",
    ),
    (
        "a leaf that ends the list",
        |it| it.at_leaf(0, &[0; 4]),
        "two ways",
    ),
    (
        "a leaf at another height",
        |it| it.at_leaf(9, &[3]),
        "another height",
    ),
    (
        "more records in a leaf",
        |it| it.at_leaf(10, &[0x7f; 2]),
        "outside its node",
    ),
    (
        "a file without its mode",
        |it| it.at_file(42, &[0x21, 0xa4]),
        "a device",
    ),
    (
        "a file that is a folder",
        |it| it.at_file(42, &[0x41, 0xed]),
        "one thing by its name",
    ),
    (
        "a file longer than its place",
        |it| it.at_file(88, &[0, 0, 0, 9]),
        "pieces of file",
    ),
];

#[test]
fn volumes_with_one_thing_wrong_are_refused() {
    let Some((_folder, bytes, _)) = made() else {
        return;
    };
    for (what, spoil, expected) in VOLUMES {
        let mut volume = Volume {
            bytes: bytes.clone(),
        };
        spoil(&mut volume);
        refused(what, &volume.image(), expected);
    }
    let files: [(&str, usize, &[u8], &str); 4] = [
        ("marked as compressed", 41, &[0x20], "does not say how"),
        ("a hard link to nothing", 48, b"hlnkhfs+", "hard link"),
        (
            "the number of another",
            8,
            &[0, 0, 0, 2],
            "given to two things",
        ),
        ("no record", 0, &[0, 9], "record of the catalog"),
    ];
    for (what, at, value, expected) in files {
        let mut volume = Volume {
            bytes: bytes.clone(),
        };
        volume.at_empty(at, value);
        refused(what, &volume.image(), expected);
    }
    for (what, name, expected) in [
        ("a name that is no text", [0xd8, 0], "is no text"),
        ("a name with a slash of Windows", [0, b'\\'], "the name of"),
        ("a name with a NUL", [0, 0], "the name of"),
    ] {
        let mut volume = Volume {
            bytes: bytes.clone(),
        };
        for at in volume.names("empty") {
            volume.put(at, &name);
        }
        refused(what, &volume.image(), expected);
    }
}
