//! Entitlements in DER, as newer and older tools write them.

use super::*;

/// A pair of a key and a boolean.
fn pair(key: &str, value: u8) -> Vec<u8> {
    let key = tagged(UTF8_STRING, key.as_bytes());
    tagged(SEQUENCE, &[&key[..], &[1, 1, value]].concat())
}

fn tagged(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len()).expect("short");
    [&[tag, length], value].concat()
}

#[test]
fn both_forms_are_read_to_their_ends() {
    let pairs = [pair("b", 0), pair(GET_TASK_ALLOW, 0xff)].concat();
    let new = [&[2, 1, 1][..], &tagged(context(16), &pairs)].concat();
    let new = tagged(0x70, &new);
    let old = tagged(SET, &pairs);
    let expected = Entitlements {
        keys: vec!["b".to_owned(), GET_TASK_ALLOW.to_owned()],
        debuggable: true,
    };
    for bytes in [new, old] {
        assert_eq!(from_der(&bytes), Ok(expected.clone()));
        let longer = [&bytes[..], &[5, 0]].concat();
        assert!(from_der(&longer).is_err());
        assert!(from_der(&bytes[..bytes.len() - 1]).is_err());
    }
    let twice = tagged(SET, &[pair("b", 0), pair("b", 0xff)].concat());
    assert!(from_der(&twice).is_err());
}
