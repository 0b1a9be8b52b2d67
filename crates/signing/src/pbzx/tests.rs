//! Chunks of a writer of our own around a real xz stream.

use proptest::prelude::*;

use super::*;
use crate::unpack::Packing;

const XZ: &[u8] = include_bytes!("../../fixtures/archives/pax.tar.xz");

fn plain() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut reader = Packing::Xz.unpacked(XZ);
    reader.read_to_end(&mut bytes).expect("a stream");
    bytes
}

fn chunk(plain: usize, packed: &[u8]) -> Vec<u8> {
    let be = |number: usize| (number as u64).to_be_bytes();
    [&be(plain), &be(packed.len()), packed].concat()
}

pub(crate) fn pbzx(full: usize, chunks: &[Vec<u8>]) -> Vec<u8> {
    [b"pbzx", &(full as u64).to_be_bytes()[..], &chunks.concat()].concat()
}

fn read(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut found = Vec::new();
    let read = PbzxReader::new(bytes).read_to_end(&mut found);
    read.ok().map(|_| found)
}

#[test]
fn chunks_are_read_as_they_are_and_compressed() {
    let plain = plain();
    let full = plain.len();
    let packed = chunk(full, XZ);
    let text = b"and more".to_vec();
    let short = chunk(text.len(), &text);
    assert_eq!(read(&pbzx(full, &[])), Some(vec![]));
    let all = pbzx(full, &[packed.clone(), packed.clone(), short.clone()]);
    let expected = [&plain[..], &plain, &text].concat();
    assert_eq!(read(&all), Some(expected));
    let whole = pbzx(full, &[packed.clone(), packed.clone()]);
    assert_eq!(read(&whole), Some([&plain[..], &plain].concat()));
    for (what, bytes) in [
        ("nothing", vec![]),
        ("no chunk size", b"pbzx\0\0".to_vec()),
        ("an empty chunk size", pbzx(0, &[])),
        ("a huge chunk size", pbzx(1 << 40, &[])),
        (
            "a short chunk that is not the last",
            pbzx(full, &[short.clone(), short.clone()]),
        ),
        (
            "a long chunk",
            pbzx(full - 1, std::slice::from_ref(&packed)),
        ),
        ("more than it states", pbzx(full, &[chunk(full - 1, XZ)])),
        (
            "less than it states",
            pbzx(full + 1, &[chunk(full + 1, XZ)]),
        ),
        (
            "something behind the stream",
            pbzx(full, &[chunk(full, &[XZ, b"\0"].concat())]),
        ),
        ("something behind the chunks", [&all[..], b"more"].concat()),
        ("an end in the middle", all[..all.len() - 1].to_vec()),
    ] {
        assert_eq!(read(&bytes), None, "{what}");
    }
}

proptest! {
    #[test]
    fn noise_is_refused_without_a_panic(at in 0_usize..28, value in any::<u8>()) {
        let plain = plain();
        let mut bytes = pbzx(plain.len(), &[chunk(plain.len(), XZ)]);
        bytes[at] = value;
        let found = read(&bytes);
        prop_assert!(found.is_none_or(|found| found == plain));
    }
}
