use super::*;

#[test]
fn elements_keep_their_bytes() {
    let bytes = [0x30, 0x05, 0x02, 0x01, 0x05, 0x04, 0x00, 0xff];
    let mut cursor = Cursor::new(&bytes);
    let sequence = cursor.expect(SEQUENCE).expect("a sequence");
    assert_eq!((sequence.raw, cursor.rest()), (&bytes[..7], &bytes[7..]));
    let mut inside = sequence.inside().expect("its inside");
    assert_eq!(inside.any().and_then(|it| it.small()), Ok(5));
    assert_eq!(inside.optional(INTEGER), Ok(None));
    assert_eq!(inside.expect(OCTET_STRING).map(|it| it.value), Ok(&[][..]));
    assert_eq!(inside.end(), Ok(()));
    let missing = DerError::Missing { expected: SET };
    assert_eq!(inside.expect(SET), Err(missing));
}

#[test]
fn indefinite_lengths_end_where_their_zeros_stand() {
    // SEQUENCE (indefinite) { SET (indefinite) { INTEGER 1 }, OCTET STRING of two zeros }, INTEGER 2
    let bytes = [
        0x30, 0x80, 0x31, 0x80, 2, 1, 1, 0, 0, 4, 2, 0, 0, 0, 0, 2, 1, 2,
    ];
    let mut cursor = Cursor::new(&bytes);
    let outer = cursor.any().expect("the sequence");
    assert_eq!(outer.value, &bytes[2..13]);
    assert_eq!(outer.inside().expect("its inside").count(), 2);
    assert_eq!(cursor.any().and_then(|it| it.small()), Ok(2));
}

#[test]
fn lies_are_errors() {
    let found = |bytes: &'static [u8]| Cursor::new(bytes).any().err();
    assert_eq!(found(&[]), Some(DerError::Truncated));
    assert_eq!(found(&[0x30]), Some(DerError::Truncated));
    assert_eq!(found(&[0x30, 0x02, 0x00]), Some(DerError::Truncated));
    assert_eq!(
        found(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]),
        Some(DerError::Truncated)
    );
    assert_eq!(found(&[0x30, 0x85, 0, 0, 0, 0, 0]), Some(DerError::Length));
    assert_eq!(found(&[0x04, 0x80, 0, 0]), Some(DerError::Length));
    assert_eq!(found(&[0x30, 0x80, 2, 1, 1]), Some(DerError::Truncated));
    assert_eq!(found(&[0x1f, 0x01, 0x00]), Some(DerError::LongTag));
    let deep = [[0x30, 0x80]; 200].concat();
    assert_eq!(Cursor::new(&deep).any().err(), Some(DerError::Depth));
}

#[test]
fn depth_is_bounded() {
    let mut bytes = Vec::new();
    for _ in 0..100 {
        bytes.splice(0..0, [0x30, bytes.len().min(127) as u8]);
        bytes.truncate(120);
    }
    let mut cursor = Cursor::new(&bytes);
    let mut depth = 0;
    while let Ok(inside) = cursor.enter(SEQUENCE) {
        cursor = inside;
        depth += 1;
    }
    assert!(depth <= usize::from(DEPTH_MAX) + 1, "{depth}");
}

#[test]
fn numbers_are_not_negative() {
    let number = |bytes: &'static [u8]| {
        Cursor::new(bytes)
            .any()
            .and_then(|element| element.unsigned())
    };
    assert_eq!(number(&[2, 2, 0, 0x80]), Ok(&[0x80][..]));
    assert_eq!(number(&[2, 1, 0]), Ok(&[][..]));
    assert!(number(&[2, 1, 0x80]).is_err() && number(&[2, 0]).is_err());
    assert!(number(&[4, 1, 0]).is_err());
}
