//! Archives of a writer of our own, and what must be refused.

use proptest::prelude::*;

use super::*;

/// A member in the old ASCII form.
pub(crate) fn odc(name: &str, mode: u32, content: &[u8]) -> Vec<u8> {
    let bytes = name.len() + 1;
    let header = format!(
        "070707{:06o}{:06o}{mode:06o}{:06o}{:06o}{:06o}{:06o}{:011o}{bytes:06o}{:011o}",
        1,
        2,
        0,
        0,
        1,
        0,
        3,
        content.len()
    );
    [header.as_bytes(), name.as_bytes(), b"\0", content].concat()
}

/// A member in the new form, that lies at an offset which is a multiple of four.
fn newc(magic: &str, name: &str, mode: u32, links: u32, content: &[u8]) -> Vec<u8> {
    let (size, bytes) = (content.len(), name.len() + 1);
    let sum: u32 = content.iter().map(|byte| u32::from(*byte)).sum();
    let header = format!(
        "{magic}{:08X}{mode:08X}{:08x}{:08x}{links:08x}{:08x}{size:08x}{:08x}{:08x}{:08x}{:08x}{bytes:08x}{sum:08x}",
        1, 0, 0, 0, 0, 0, 0, 0
    );
    let mut member = [header.as_bytes(), name.as_bytes(), b"\0"].concat();
    member.resize(member.len().next_multiple_of(4), 0);
    member.extend_from_slice(content);
    member.resize(member.len().next_multiple_of(4), 0);
    member
}

/// An archive of the old form, filled up as Apple's tools do.
pub(crate) fn archive(members: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = members.concat();
    bytes.extend(odc("TRAILER!!!", 0, b""));
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn read(mut bytes: &[u8]) -> Result<Vec<(Entry, Vec<u8>)>, String> {
    let mut found = Vec::new();
    let walked = walk(&mut bytes, &mut |entry, content| {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        found.push((entry.clone(), bytes));
        Ok(())
    });
    walked.map(|()| found).map_err(|error| error.to_string())
}

fn shown(bytes: &[u8]) -> Vec<(String, EntryKind, bool, Vec<u8>)> {
    let found = read(bytes).expect("an archive").into_iter();
    found
        .map(|(entry, content)| {
            (
                entry.path,
                entry.kind,
                entry.is_executable == Some(true),
                content,
            )
        })
        .collect()
}

#[test]
fn both_forms_are_read() {
    let old = archive(&[
        odc(".", 0o040_755, b""),
        odc("./bin/a", 0o100_755, b"program"),
        odc("./b", 0o120_755, b"bin/a"),
        odc("./c", 0o100_644, b""),
    ]);
    let expected = [
        (String::new(), EntryKind::Folder, true, vec![]),
        (
            "bin/a".to_owned(),
            EntryKind::File,
            true,
            b"program".to_vec(),
        ),
        (
            "b".to_owned(),
            EntryKind::Link("bin/a".to_owned()),
            true,
            vec![],
        ),
        ("c".to_owned(), EntryKind::File, false, vec![]),
    ];
    assert_eq!(shown(&old), expected);
    for magic in ["070701", "070702"] {
        let new = [
            newc(magic, ".", 0o040_755, 2, b""),
            newc(magic, "bin/a", 0o100_755, 1, b"program"),
            newc(magic, "b", 0o120_755, 1, b"bin/a"),
            newc(magic, "c", 0o100_644, 1, b""),
            newc(magic, "TRAILER!!!", 0, 1, b""),
        ];
        assert_eq!(shown(&new.concat()), expected, "{magic}");
        assert!(is_cpio(&new.concat()));
    }
    assert!(is_cpio(&old) && !is_cpio(b"070707 is a number") && !is_cpio(b"070707"));
    // What is not read is passed.
    let mut count = 0;
    let walked = walk(&mut old.as_slice(), &mut |_, _| {
        count += 1;
        Ok(())
    });
    assert!(walked.is_ok() && count == 4);
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let file = |name: &str| odc(name, 0o100_644, b"text");
    let changed = |at: usize, value: u8| {
        let mut bytes = archive(&[file("a")]);
        bytes[at] = value;
        bytes
    };
    let new = |name: &str, links: u32, content: &[u8]| {
        [
            newc("070702", name, 0o100_644, links, content),
            newc("070702", "TRAILER!!!", 0, 1, b""),
        ]
        .concat()
    };
    let mut sum = new("a", 1, b"text");
    sum[112] ^= 1;
    let mut fill = new("a", 1, b"tex");
    fill[115] = 1;
    let behind = |bytes: &[u8]| [&archive(&[file("a")])[..], bytes].concat();
    for (what, bytes, error) in [
        ("nothing", vec![], CpioError::Truncated),
        ("no end", file("a"), CpioError::Truncated),
        ("another magic", changed(5, b'6'), CpioError::Magic),
        ("a space", changed(20, b' '), CpioError::Number),
        ("a sign", changed(66, b'+'), CpioError::Number),
        ("an eight", changed(20, b'8'), CpioError::Number),
        ("a name without an end", changed(77, b'b'), CpioError::Text),
        (
            "a name that ends twice",
            archive(&[file("a\0b")]),
            CpioError::Text,
        ),
        (
            "a long name",
            archive(&[file(&"a".repeat(4096))]),
            CpioError::Text,
        ),
        (
            "a device",
            archive(&[odc("a", 0o020_644, b"")]),
            CpioError::Kind("a".to_owned()),
        ),
        (
            "a folder with content",
            archive(&[odc("a", 0o040_755, b"text")]),
            CpioError::Kind("a".to_owned()),
        ),
        (
            "a file that is the folder itself",
            archive(&[file(".")]),
            CpioError::Kind(String::new()),
        ),
        (
            "another name of a file",
            new("a", 2, b""),
            CpioError::HardLink("a".to_owned()),
        ),
        ("a sum", sum, CpioError::Checksum("a".to_owned())),
        ("what fills up", fill, CpioError::Magic),
        (
            "another form behind",
            [file("a"), new("b", 1, b"text")].concat(),
            CpioError::Magic,
        ),
        ("bytes behind", behind(b"more"), CpioError::Behind),
        ("many zeros behind", behind(&[0; 70_000]), CpioError::Behind),
        (
            "an archive behind",
            behind(&archive(&[])),
            CpioError::Behind,
        ),
    ] {
        assert_eq!(read(&bytes), Err(error.to_string()), "{what}");
    }
    for name in ["/a", "../a", "a/../b", "a\\b", "c:a"] {
        let error = read(&archive(&[file(name)])).expect_err(name);
        assert!(error.contains("leaves its folder"), "{error}");
    }
}

proptest! {
    #[test]
    fn noise_is_refused_without_a_panic(
        at in 0_usize..400,
        value in any::<u8>(),
        cut in 0_usize..400,
        form in any::<bool>(),
    ) {
        let mut bytes = match form {
            true => archive(&[odc("a", 0o100_644, b"text"), odc("b", 0o120_755, b"a")]),
            false => [
                newc("070701", "a", 0o100_644, 1, b"text"),
                newc("070701", "b", 0o120_755, 1, b"a"),
                newc("070701", "TRAILER!!!", 0, 1, b""),
            ].concat(),
        };
        prop_assert!(read(&bytes[..cut.min(200)]).is_err());
        let at = at.min(bytes.len() - 1);
        bytes[at] = value;
        let _ = read(&bytes);
    }
}
