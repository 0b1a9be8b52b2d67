//! What is read of archives, and what is refused. The archives are written here, field by field, to be wrong in one of them.

use std::io::{Cursor, Write as _};

use super::*;

/// A file of an archive to be written.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) name: Vec<u8>,
    pub(crate) content: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    /// Upper half of the external attributes.
    pub(crate) mode: u16,
    pub(crate) extra: Vec<u8>,
}

impl Member {
    pub(crate) fn new(name: &str, content: &[u8]) -> Self {
        let mode = if name.ends_with('/') {
            0o040_755
        } else {
            0o100_755
        };
        Self {
            name: name.as_bytes().to_vec(),
            content: content.to_vec(),
            method: 0,
            flags: 0,
            mode,
            extra: Vec::new(),
        }
    }

    pub(crate) fn deflated(name: &str, content: &[u8]) -> Self {
        let member = Self::new(name, content);
        Self {
            method: 8,
            ..member
        }
    }

    fn packed(&self) -> Vec<u8> {
        if self.method != 8 {
            return self.content.clone();
        }
        let level = flate2::Compression::fast();
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), level);
        encoder.write_all(&self.content).expect("memory");
        encoder.finish().expect("memory")
    }

    /// Version, flags, method, date, checksum, lengths: what both headers have.
    fn common(&self, lengths: [u32; 3]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for field in [20, self.flags, self.method, 0, 0x21] {
            bytes.extend_from_slice(&u16::to_le_bytes(field));
        }
        for field in lengths {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        bytes.extend_from_slice(&(self.name.len() as u16).to_le_bytes());
        bytes.extend_from_slice(&(self.extra.len() as u16).to_le_bytes());
        bytes
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, bytes) as u32
}

/// The files, and the directory behind them, apart, so that a test may put something between.
fn parts(members: &[Member]) -> (Vec<u8>, Vec<u8>) {
    let (mut files, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let packed = member.packed();
        let at = files.len() as u32;
        let lengths = [
            crc32(&member.content),
            packed.len() as u32,
            member.content.len() as u32,
        ];
        let follows = member.flags & 8 != 0;
        files.extend_from_slice(b"PK\x03\x04");
        files.extend(member.common(if follows { [0; 3] } else { lengths }));
        files.extend_from_slice(&member.name);
        files.extend_from_slice(&member.extra);
        files.extend(packed);
        if follows {
            files.extend_from_slice(b"PK\x07\x08");
            files.extend(lengths.iter().flat_map(|field| field.to_le_bytes()));
        }
        directory.extend_from_slice(b"PK\x01\x02\x14\x03");
        directory.extend(member.common(lengths));
        // Comment, disk, internal attributes.
        directory.extend_from_slice(&[0; 6]);
        directory.extend_from_slice(&(u32::from(member.mode) << 16).to_le_bytes());
        directory.extend_from_slice(&at.to_le_bytes());
        directory.extend_from_slice(&member.name);
        directory.extend_from_slice(&member.extra);
    }
    (files, directory)
}

fn end(entries: u16, bytes: u32, at: u32, comment: &[u8]) -> Vec<u8> {
    let mut record = b"PK\x05\x06\0\0\0\0".to_vec();
    record.extend_from_slice(&entries.to_le_bytes());
    record.extend_from_slice(&entries.to_le_bytes());
    record.extend_from_slice(&bytes.to_le_bytes());
    record.extend_from_slice(&at.to_le_bytes());
    record.extend_from_slice(&(comment.len() as u16).to_le_bytes());
    record.extend_from_slice(comment);
    record
}

/// An archive.
pub(crate) fn archive(members: &[Member]) -> Vec<u8> {
    let (files, directory) = parts(members);
    let end = end(
        members.len() as u16,
        directory.len() as u32,
        files.len() as u32,
        b"",
    );
    [files, directory, end].concat()
}

/// The same with the end record of large archives.
fn archive64(members: &[Member]) -> Vec<u8> {
    let (files, directory) = parts(members);
    let mut bytes = [&files[..], &directory].concat();
    let end_at = bytes.len() as u64;
    // Its length without these twelve bytes, two versions, two numbers of disks.
    bytes.extend_from_slice(b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x2d\0\x2d\0");
    bytes.extend_from_slice(&[0; 8]);
    let entries = (members.len() as u64).to_le_bytes();
    bytes.extend_from_slice(&[entries, entries].concat());
    bytes.extend_from_slice(&(directory.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&(files.len() as u64).to_le_bytes());
    bytes.extend_from_slice(b"PK\x06\x07\0\0\0\0");
    bytes.extend_from_slice(&end_at.to_le_bytes());
    bytes.extend_from_slice(&1_u32.to_le_bytes());
    bytes.extend(end(u16::MAX, u32::MAX, u32::MAX, b""));
    bytes
}

/// Every path with its content, or the reason.
fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut bytes = Cursor::new(bytes);
    let archive = Archive::open(&mut bytes).expect("memory");
    let archive = archive.map_err(|error| error.to_string())?;
    let entries = archive.entries.iter().map(|entry| {
        let mut content = Vec::new();
        Archive::content(&mut bytes, entry)
            .and_then(|mut it| it.read_to_end(&mut content))
            .map_err(|error| error.to_string())?;
        Ok((entry.path.clone(), content))
    });
    entries.collect()
}

#[test]
fn files_folders_and_links_are_read() {
    let long = vec![7; 300_000];
    let members = [
        Member::new("a/", b""),
        Member::deflated("a/long", &long),
        Member::new("a/empty", b""),
        Member {
            flags: 8,
            ..Member::deflated("a/streamed", b"its lengths follow it")
        },
        Member {
            mode: 0o120_777,
            ..Member::new("link", b"a/long")
        },
        Member {
            // The fill of an aligner, and a date.
            extra: b"UT\x05\0\x01\0\0\0\0\0\0".to_vec(),
            ..Member::new("pl\u{e4}in", b"plain")
        },
    ];
    let expected = [
        ("a", &b""[..]),
        ("a/long", &long),
        ("a/empty", b""),
        ("a/streamed", b"its lengths follow it"),
        ("link", b"a/long"),
        ("pl\u{e4}in", b"plain"),
    ];
    for bytes in [archive(&members), archive64(&members)] {
        let found = read(&bytes).expect("an archive");
        let found: Vec<_> = found
            .iter()
            .map(|(path, content)| (path.as_str(), content.as_slice()))
            .collect();
        assert_eq!(found, expected);
        let mut bytes = Cursor::new(bytes);
        let archive = Archive::open(&mut bytes).expect("memory").expect("good");
        let kinds: Vec<_> = archive.entries.iter().map(|entry| entry.kind).collect();
        use EntryKind::{File, Folder, Link};
        assert_eq!(kinds, [Folder, File, File, File, Link, File]);
        assert_eq!(archive.entries[1].is_executable, Some(true));
    }
    assert_eq!(read(&archive(&[])).expect("an empty archive"), []);
}

#[test]
fn a_comment_is_no_second_end() {
    let (files, directory) = parts(&[Member::new("a", b"a")]);
    let with = |comment: &[u8]| {
        let end = end(1, directory.len() as u32, files.len() as u32, comment);
        [&files[..], &directory, &end].concat()
    };
    read(&with(b"a comment")).expect("an archive");
    let other = end(0, 0, 0, b"");
    let reason = read(&with(&other)).expect_err("two ends");
    assert!(reason.contains("more than one"), "{reason}");
    let reason = read(&with(&[&other[..], b"?"].concat())).expect_err("one and a half");
    assert!(reason.contains("more than one"), "{reason}");
}

#[test]
fn what_readers_understand_differently_is_refused() {
    let good = [Member::deflated("a", b"content"), Member::new("b", b"b")];
    let whole = archive(&good);
    let (files, directory) = parts(&good);
    let put = |at: usize, bytes: &[u8]| {
        let mut spoilt = whole.clone();
        spoilt[at..at + bytes.len()].copy_from_slice(bytes);
        spoilt
    };
    let central = files.len();
    let with_end = |entries: u16, bytes: u32, at: u32| {
        let end = end(entries, bytes, at, b"");
        [&files[..], &directory, &end].concat()
    };
    let (at, bytes) = (files.len() as u32, directory.len() as u32);
    let one = |member: Member| archive(&[member]);
    let second = directory.len() / 2 + central;
    let shifted = [b"stub", &whole[..]].concat();
    let between = [
        &files[..],
        b"hidden",
        &directory,
        &end(2, bytes, at + 6, b""),
    ]
    .concat();
    let mut in_front = one(Member {
        extra: b"XX\x06\0\x01\0\0\0\0b".to_vec(),
        ..Member::new("a", b"a")
    });
    read(&in_front).expect("a field of nobody");
    in_front[31..33].copy_from_slice(b"up");
    let cases: [(&str, Vec<u8>, &str); 27] = [
        (
            "another name beside it, in front",
            in_front,
            "in front of `a`",
        ),
        ("a stub in front", shifted, "something stands before"),
        (
            "something behind",
            [&whole[..], b"x"].concat(),
            "end record",
        ),
        ("something between", between, "something stands"),
        ("nothing", Vec::new(), "end record"),
        ("cut", whole[..whole.len() - 1].to_vec(), "end record"),
        ("another disk", put(whole.len() - 18, &[1]), "several files"),
        ("fewer entries", with_end(1, bytes, at), "another number"),
        ("more entries", with_end(3, bytes, at), "another number"),
        (
            "a directory elsewhere",
            with_end(2, bytes, at - 1),
            "something stands",
        ),
        ("another name in front", put(30, b"x"), "in front of `a`"),
        ("another method in front", put(8, &[0]), "in front of `a`"),
        ("other flags in front", put(7, &[8]), "in front of `a`"),
        ("another length in front", put(22, &[9]), "in front of `a`"),
        (
            "another checksum in front",
            put(14, &[0, 0]),
            "in front of `a`",
        ),
        ("no header in front", put(0, b"XX"), "in front of `a`"),
        (
            "two entries of one file",
            put(second + 42, &[0; 4]),
            "`b` does not begin",
        ),
        (
            "twice",
            archive(&[good[0].clone(), good[0].clone()]),
            "`a` is there twice",
        ),
        (
            "below a file",
            archive(&[good[0].clone(), Member::new("a/b", b"")]),
            "lies below",
        ),
        ("absolute", one(Member::new("/a", b"")), "absolute"),
        (
            "leaves",
            one(Member::new("a/../../b", b"")),
            "leaves its folder",
        ),
        ("of Windows", one(Member::new("a\\b", b"")), "differently"),
        (
            "not UTF-8",
            one(Member {
                name: vec![b'a', 0xff],
                ..Member::new("", b"")
            }),
            "not UTF-8",
        ),
        (
            "encrypted",
            one(Member {
                flags: 1,
                ..Member::new("a", b"a")
            }),
            "encrypted",
        ),
        (
            "a device",
            one(Member {
                mode: 0o020_644,
                ..Member::new("a", b"")
            }),
            "neither file nor folder",
        ),
        (
            "a folder with content",
            one(Member::new("a/", b"content")),
            "folder with content",
        ),
        (
            "another name beside it",
            one(Member {
                extra: b"up\x06\0\x01\0\0\0\0b".to_vec(),
                ..Member::new("a", b"a")
            }),
            "another name",
        ),
    ];
    for (what, bytes, expected) in cases {
        let reason = read(&bytes).expect_err(what);
        assert!(reason.contains(expected), "{what}: {reason}");
    }
    read(&whole).expect("the archive that all of these were made of");
}

#[test]
fn contents_are_what_the_directory_says() {
    let both = |member: &Member, local: usize, record: usize, value: &[u8]| {
        let mut bytes = archive(std::slice::from_ref(member));
        let (files, _) = parts(std::slice::from_ref(member));
        for at in [local, files.len() + record] {
            bytes[at..at + value.len()].copy_from_slice(value);
        }
        bytes
    };
    let member = Member::deflated("a", b"content, content, content");
    let size = member.content.len() as u8;
    for (what, bytes) in [
        ("another checksum", both(&member, 14, 16, &[1, 2, 3, 4])),
        ("a shorter file", both(&member, 22, 24, &[size - 1])),
        ("a longer file", both(&member, 22, 24, &[size + 1])),
        ("a packing that is not read", both(&member, 8, 10, &[12])),
        ("stored after all", both(&member, 8, 10, &[0])),
    ] {
        let reason = read(&bytes).expect_err(what);
        assert!(reason.starts_with("`a`"), "{what}: {reason}");
    }
}

#[test]
fn noise_is_refused_without_a_panic() {
    let members = [
        Member::deflated("a", b"content, content, content"),
        Member {
            flags: 8,
            ..Member::deflated("b", b"its lengths follow it")
        },
    ];
    for whole in [archive(&members), archive64(&members)] {
        let expected = read(&whole).expect("good");
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x55;
            // Dates, versions, and attributes may differ; names and contents may not.
            if let Ok(found) = read(&flipped) {
                let contents: Vec<_> = found.iter().map(|(_, content)| content).collect();
                let same: Vec<_> = expected.iter().map(|(_, content)| content).collect();
                assert_eq!(contents, same, "flipped at {at}");
            }
            read(&whole[..at]).expect_err("cut");
        }
    }
}

#[test]
fn the_end_without_an_entry_is_that_of_an_archive_that_never_had_it() {
    let members: Vec<_> = ["a", "bb", "ccc"]
        .map(|name| Member::deflated(name, b"content content"))
        .into();
    for (write, removable) in [
        (archive as fn(&[Member]) -> Vec<u8>, &[0, 1, 2][..]),
        // Offsets in extra fields are not moved, and here none is.
        (archive64, &[0, 1, 2]),
    ] {
        let bytes = write(&members);
        let opened = Archive::open(&mut Cursor::new(&bytes)).expect("memory");
        let opened = opened.expect("an archive");
        for index in removable {
            let mut rest = members.clone();
            rest.remove(*index);
            let mut found = Vec::new();
            let is_whole = end_without(
                &mut Cursor::new(&bytes),
                &opened,
                &opened.entries[*index],
                |piece| found.extend_from_slice(piece),
            );
            assert!(is_whole.expect("memory"));
            let expected = write(&rest);
            assert_eq!(found, expected[expected.len() - found.len()..], "{index}");
        }
    }
}

#[test]
fn what_is_deflated_may_lack_its_last_block_where_that_is_asked_for() {
    // A block of one stored byte that is not the last one (RFC 1951 section 3.2.4).
    let unfinished = [0, 1, 0, 0xfe, 0xff, b'a'];
    let mut bytes = archive(&[Member::new("a", &unfinished)]);
    let sum = crc32(b"a").to_le_bytes();
    let directory = bytes.len() - 22 - 47;
    for at in [8, directory + 10] {
        bytes[at] = 8;
        bytes[at + 6..at + 10].copy_from_slice(&sum);
        bytes[at + 14] = 1;
    }
    let opened = Archive::open(&mut Cursor::new(&bytes)).expect("memory");
    let entry = opened.expect("an archive").entries.remove(0);
    let mut reader = Cursor::new(&bytes);
    let mut content = Archive::content(&mut reader, &entry).expect("memory");
    assert!(content.read_to_end(&mut Vec::new()).is_err());
    let mut found = Vec::new();
    let content = Archive::content(&mut reader, &entry).expect("memory");
    let read = content.or_without_last_block().read_to_end(&mut found);
    assert_eq!((read.expect("memory"), &found[..]), (1, &b"a"[..]));
    // The checksum holds all the same.
    let content = Archive::content(&mut reader, &Entry { crc32: 0, ..entry });
    let content = content.expect("memory").or_without_last_block();
    assert!(io::read_to_string(content).is_err());
}
