//! Texts and names of the database, in forms that the packages of the other tests do not have.

use crate::msi::names::{StreamName, shown, stream};
use crate::msi::tables::Pool;

fn pool(head: u32, entries: &[(u16, u16)]) -> Vec<u8> {
    let mut pool = head.to_le_bytes().to_vec();
    for (length, uses) in entries {
        pool.extend(length.to_le_bytes());
        pool.extend(uses.to_le_bytes());
    }
    pool
}

#[test]
fn texts_have_any_length_and_one_reading() {
    let long = vec![b'x'; 0x1_0003];
    let bytes = [b"ab", &long[..], b"c"].concat();
    let entries = [(2, 1), (0, 0), (0, 1), (3, 1), (1, 9)];
    let texts = Pool::parse(&pool(65001, &entries), bytes.clone()).expect("a pool");
    assert_eq!(texts.text(1), b"ab");
    assert_eq!(texts.text(2), b"");
    assert_eq!(texts.text(3), long);
    assert_eq!(texts.text(4), b"c");
    assert_eq!((texts.text(0), texts.text(5)), (&b""[..], &b""[..]));
    for (what, entries, bytes) in [
        ("of two readings", vec![(0, 1), (3, 2)], long.clone()),
        ("without its end", vec![(0, 1)], Vec::new()),
        ("with a rest", vec![(2, 1)], b"abc".to_vec()),
        ("that is short", vec![(2, 1)], b"a".to_vec()),
    ] {
        let parsed = Pool::parse(&pool(1252, &entries), bytes);
        assert!(parsed.is_err(), "a pool {what}");
    }
    assert!(Pool::parse(b"\0\0\0\0\0", Vec::new()).is_err());
}

#[test]
fn names_are_shown_by_their_code_page() {
    assert_eq!(shown(b"caf\xe9 \x80", 1252), "caf\u{e9} \u{20ac}");
    assert_eq!(shown("caf\u{e9}".as_bytes(), 65001), "caf\u{e9}");
    // In code page 932 this is one letter, whose second byte is `\` elsewhere.
    assert_eq!(shown(b"\x83\x5c.dll", 932), "%83%5C.dll");
    assert_eq!(shown(b"plain", 932), "plain");
}

#[test]
fn names_of_streams_hold_two_letters_in_one_unit() {
    let name = |units: &[u16]| {
        let bytes: Vec<_> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        stream(&bytes)
    };
    let letters = |one: u16, other: u16| 0x3800 + one + (other << 6);
    let file = name(&[0x4840, letters(15, 44), letters(47, 40)]);
    assert_eq!(file, Some(StreamName::Table("File".to_owned())));
    let mixed = name(&[letters(10, 62), 0x4800 + 1, u16::from(b'-')]);
    assert_eq!(mixed, Some(StreamName::Other("A.1-".to_owned())));
    assert_eq!(name(&[0xd800]), None);
}
