use super::*;
use crate::der::{GENERALIZED_TIME, UTC_TIME};

fn time(tag: u8, text: &str) -> Option<String> {
    let mut bytes = vec![tag, u8::try_from(text.len()).expect("a short text")];
    bytes.extend(text.bytes());
    let element = Cursor::new(&bytes).any().expect("an element");
    read_time(element).ok().map(|time| time.to_string())
}

#[test]
fn times_are_read_as_the_standard_says() {
    let good = [
        (UTC_TIME, "700101000000Z", "1970-01-01T00:00:00Z"),
        (UTC_TIME, "491231235959Z", "2049-12-31T23:59:59Z"),
        (UTC_TIME, "500101000000Z", "1950-01-01T00:00:00Z"),
        (UTC_TIME, "240229120000Z", "2024-02-29T12:00:00Z"),
        (GENERALIZED_TIME, "20000301000000Z", "2000-03-01T00:00:00Z"),
        (
            GENERALIZED_TIME,
            "20191211154445.123Z",
            "2019-12-11T15:44:45Z",
        ),
        (GENERALIZED_TIME, "20501231235959Z", "2050-12-31T23:59:59Z"),
    ];
    for (tag, text, expected) in good {
        assert_eq!(time(tag, text).as_deref(), Some(expected), "{text}");
    }
    assert!(time(GENERALIZED_TIME, "99991231235959Z").is_some());
    for bad in [
        "",
        "Z",
        "2401010000Z",
        "240101000000",
        "241301000000Z",
        "240100000000Z",
    ] {
        assert_eq!(time(UTC_TIME, bad), None, "{bad}");
    }
    for bad in [
        "20240101000000+0100",
        "20240101000000.Z",
        "20240101000000.1xZ",
    ] {
        assert_eq!(time(GENERALIZED_TIME, bad), None, "{bad}");
    }
}

#[test]
fn names_are_shown_and_escaped() {
    // CN as BMPString "ä", O as UTF8String "A, B\n\u{202e}"
    let part = |kind: u8, tag: u8, value: &[u8]| {
        let len = |n: usize| u8::try_from(n).expect("short");
        let mut inner = vec![6, 3, 0x55, 4, kind, tag, len(value.len())];
        inner.extend(value);
        let mut set = vec![0x31, len(inner.len() + 2), 0x30, len(inner.len())];
        set.extend(inner);
        set
    };
    let parts = [
        part(10, 0x0c, "A, B\n\u{202e}".as_bytes()),
        part(3, 0x1e, &[0, 0xe4]),
    ]
    .concat();
    let mut bytes = vec![0x30, u8::try_from(parts.len()).expect("short")];
    bytes.extend(parts);
    let name = Name::read(&mut Cursor::new(&bytes)).expect("a name");
    assert_eq!(name.to_string(), r"CN=ä, O=A\, B\\u{a}\\u{202e}");
    assert_eq!(name.first(oid::COMMON_NAME).as_deref(), Some("ä"));
}
