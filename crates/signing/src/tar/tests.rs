//! What is read of archives, and what is refused.

use super::*;

/// One block of a header, as ustar has it, with its checksum.
pub(crate) fn header(name: &str, kind: u8, size: u64, link: &str) -> Vec<u8> {
    let mut block = vec![0; BLOCK_BYTES];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, b"0000755\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(156, &[kind]);
    put(157, link.as_bytes());
    put(MAGIC_AT, b"ustar\x0000");
    sealed(block)
}

/// With the right checksum.
fn sealed(mut block: Vec<u8>) -> Vec<u8> {
    block[148..156].copy_from_slice(b"        ");
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// A member with content, filled up to whole blocks.
pub(crate) fn member(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = header(name, kind, content.len() as u64, "");
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(BLOCK_BYTES), 0);
    bytes
}

/// The same with another mode.
pub(crate) fn with_mode(mut member: Vec<u8>, mode: u32) -> Vec<u8> {
    let content = member.split_off(BLOCK_BYTES);
    member[100..108].copy_from_slice(format!("{mode:07o}\0").as_bytes());
    [sealed(member), content].concat()
}

/// An archive of members.
pub(crate) fn archive(members: &[Vec<u8>]) -> Vec<u8> {
    [members.concat(), vec![0; 2 * BLOCK_BYTES]].concat()
}

/// A record of pax, whose length counts itself.
fn record(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len() + 1;
    while length != rest.len() + length.to_string().len() {
        length += 1;
    }
    format!("{length}{rest}").into_bytes()
}

/// Every entry with its content, or the reason.
fn read(bytes: &[u8]) -> Result<Vec<(Entry, Vec<u8>)>, String> {
    let mut found = Vec::new();
    let mut bytes = bytes;
    walk(&mut bytes, &mut |entry, content| {
        let mut read = Vec::new();
        content.read_to_end(&mut read)?;
        found.push((entry.clone(), read));
        Ok(())
    })
    .map_err(|error| error.to_string())?;
    Ok(found)
}

fn paths(bytes: &[u8]) -> Vec<String> {
    let found = read(bytes).expect("an archive");
    found.into_iter().map(|(entry, _)| entry.path).collect()
}

#[test]
fn names_contents_and_links_are_read() {
    let long = "l".repeat(200);
    let gnu = [
        member("././@LongLink", b'L', format!("{long}/gnu\0").as_bytes()),
        member("cut", b'0', b"gnu"),
    ];
    let pax = [
        member("pax", b'x', &record("path", &format!("{long}/päx"))),
        member("cut", b'0', b"pax"),
    ];
    let size = [
        member("pax", b'x', &record("size", "4")),
        member("big", b'0', b"four"),
    ];
    let bytes = archive(
        &[
            &[header("./", b'5', 0, ""), header("./a/", b'5', 0, "")][..],
            &[member("./a/b", b'0', &[7; 513])],
            &gnu,
            &pax,
            &size,
            &[
                header("link", b'2', 0, "a/b"),
                header("hard", b'1', 0, "a/b"),
            ],
        ]
        .concat(),
    );
    let found = read(&bytes).expect("an archive");
    let shown: Vec<_> = found
        .iter()
        .map(|(entry, content)| (entry.path.as_str(), content.len()))
        .collect();
    let (gnu, pax) = (format!("{long}/gnu"), format!("{long}/päx"));
    assert_eq!(
        shown,
        [
            ("", 0),
            ("a", 0),
            ("a/b", 513),
            (&gnu, 3),
            (&pax, 3),
            ("big", 4),
            ("link", 0),
            ("hard", 0),
        ]
    );
    assert_eq!(found[6].0.kind, EntryKind::Link("a/b".to_owned()));
    assert_eq!(found[7].0.kind, EntryKind::HardLink("a/b".to_owned()));
}

#[test]
fn content_that_is_not_read_is_skipped() {
    let bytes = archive(&[member("a", b'0', &[1; 5000]), member("b", b'0', b"b")]);
    let mut seen = Vec::new();
    let walked = walk(&mut bytes.as_slice(), &mut |entry, _| {
        seen.push(entry.path.clone());
        Ok(())
    });
    walked.expect("an archive");
    assert_eq!(seen, ["a", "b"]);
    assert_eq!(paths(&bytes), ["a", "b"]);
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let good = member("a", b'0', b"content");
    let cut = archive(std::slice::from_ref(&good));
    let flipped = {
        let mut bytes = cut.clone();
        bytes[0] ^= 1;
        bytes
    };
    let two_sizes = archive(&[
        member("pax", b'x', &record("size", "9")),
        member("a", b'0', b"content"),
    ]);
    let old = {
        let mut block = header("a", b'0', 0, "");
        block[MAGIC_AT..MAGIC_AT + 8].fill(0);
        archive(&[sealed(block)])
    };
    let negative = {
        let mut block = header("a", b'0', 0, "");
        block[124..136].fill(0xff);
        archive(&[sealed(block)])
    };
    let vast = {
        let mut block = header("a", b'0', 0, "");
        block[124..136].fill(0);
        block[124] = 0x80;
        block[129..136].fill(0x7f);
        archive(&[sealed(block)])
    };
    let prefixed = {
        let mut block = header("a", b'0', 0, "");
        block[MAGIC_AT..MAGIC_AT + 8].copy_from_slice(b"ustar  \0");
        block[345] = b'b';
        archive(&[sealed(block)])
    };
    let odd_number = |field: &[u8; 12]| {
        let mut block = header("a", b'0', 0, "");
        block[124..136].copy_from_slice(field);
        archive(&[sealed(block)])
    };
    let cases: [(&str, Vec<u8>, &str); 27] = [
        ("a prefix of GNU's", prefixed, "neither ustar nor GNU"),
        (
            "a size behind a NUL",
            odd_number(b"\x0000000001000"),
            "number",
        ),
        (
            "a size behind a newline",
            odd_number(b"\n0000001000\0"),
            "number",
        ),
        (
            "a size beside the header",
            archive(&[
                member("pax", b'x', &record("size", "4")),
                header("a", b'0', 0, ""),
            ]),
            "number",
        ),
        (
            "two extended headers",
            archive(&[
                member("pax", b'x', &record("path", "b")),
                member("pax", b'x', &record("size", "7")),
                good.clone(),
            ]),
            "extended header",
        ),
        (
            "a long name behind another",
            archive(&[
                member("pax", b'x', &record("path", "b")),
                member("././@LongLink", b'L', b"c\0"),
                good.clone(),
            ]),
            "extended header",
        ),
        (
            "a long name before another",
            archive(&[
                member("././@LongLink", b'L', b"c\0"),
                member("pax", b'x', &record("path", "b")),
                good.clone(),
            ]),
            "extended header",
        ),
        ("no end mark", good.clone(), "without its end mark"),
        (
            "one block at the end",
            cut[..cut.len() - 512].to_vec(),
            "without its end mark",
        ),
        (
            "cut in its content",
            good[..515].to_vec(),
            "inside an entry",
        ),
        ("cut in its header", good[..300].to_vec(), "inside an entry"),
        (
            "something behind",
            [cut.clone(), good.clone()].concat(),
            "behind its end mark",
        ),
        ("a flipped bit", flipped, "checksum"),
        ("no magic", old, "neither ustar nor GNU"),
        ("a negative size", negative, "number"),
        ("a size beyond the file", vast, "inside an entry"),
        ("two sizes", two_sizes, "number"),
        (
            "absolute",
            archive(&[member("/etc/passwd", b'0', b"")]),
            "absolute",
        ),
        (
            "leaves",
            archive(&[member("a/../../b", b'0', b"")]),
            "leaves its folder",
        ),
        (
            "of Windows",
            archive(&[member("a\\b", b'0', b"")]),
            "differently",
        ),
        (
            "a drive",
            archive(&[member("c:b", b'0', b"")]),
            "differently",
        ),
        ("a device", archive(&[header("null", b'3', 0, "")]), "kind"),
        ("sparse", archive(&[header("s", b'S', 0, "")]), "kind"),
        (
            "a link with content",
            archive(&[member("l", b'2', b"x")]),
            "kind",
        ),
        (
            "a size for every entry",
            archive(&[member("g", b'g', &record("size", "9")), good.clone()]),
            "extended header",
        ),
        (
            "a record that is too long",
            archive(&[member("x", b'x', b"99 path=a\n"), good.clone()]),
            "extended header",
        ),
        (
            "a name for nothing",
            archive(&[member("x", b'x', &record("path", "b"))]),
            "before no entry",
        ),
    ];
    for (what, bytes, expected) in cases {
        let reason = read(&bytes).expect_err(what);
        assert!(reason.contains(expected), "{what}: {reason}");
    }
    assert_eq!(paths(&cut), ["a"]);
}

#[test]
fn noise_is_refused_without_a_panic() {
    let bytes = archive(&[
        member("././@LongLink", b'L', b"long\0"),
        member("cut", b'0', &[3; 700]),
        member("pax", b'x', &record("path", "päx")),
        member("cut", b'0', b"pax"),
    ]);
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x80;
        let _ = read(&flipped);
        let _ = read(&bytes[..at]);
    }
}
