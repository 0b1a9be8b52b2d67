//! Noise: whatever the bytes are, nothing panics, nothing takes long, and nothing random is valid.

use proptest::prelude::*;

use super::*;
use crate::digest::DigestAlgorithm;
use crate::ticket::Ticket;

/// A program of one page with an ad-hoc signature, small enough to be spoiled thousands of times.
pub(super) fn tiny() -> Vec<u8> {
    let be = |number: u32| number.to_be_bytes();
    let le = |number: u32| number.to_le_bytes();
    let wide = |number: u64| number.to_le_bytes();
    const CODE: u32 = 256;
    const SIGNATURE: u32 = 160;
    let mut code = [0xfeed_facf, 0x0100_000c, 0, 2, 2, 72 + 16, 0, 0]
        .map(le)
        .concat();
    code.extend([le(0x19), le(72)].concat());
    code.extend(b"__LINKEDIT\0\0\0\0\0\0");
    let (start, bytes) = (u64::from(CODE) - 64, u64::from(SIGNATURE) + 64);
    code.extend([0x1000, 0x1000, start, bytes].map(wide).concat());
    code.extend([1, 1, 0, 0].map(le).concat());
    code.extend([0x1d, 16, CODE, SIGNATURE].map(le).concat());
    code.resize(256, 0x90);
    let mut directory = [0xfade_0c02, 0, 0x20400, 2, 96, 88, 0, 1, CODE]
        .map(be)
        .concat();
    directory.extend([32, 2, 0, 12]);
    directory.extend([0; 48]);
    directory.extend(b"tiny\0\0\0\0");
    directory.extend(DigestAlgorithm::Sha256.hash(&[&code]));
    let length = u32::try_from(directory.len()).expect("small");
    directory[4..8].copy_from_slice(&be(length));
    let mut bytes = code;
    bytes.extend([0xfade_0cc0, 20 + length, 1, 0, 20].map(be).concat());
    bytes.extend(directory);
    bytes.resize(256 + 160, 0);
    bytes
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        ..ProptestConfig::default()
    }
}

fn inspected(bytes: &[u8]) -> Option<Inspection> {
    inspection::inspect(&mut Strict(Cursor::new(bytes)), day(), &Trust::microsoft())
        .expect("bytes in memory")
}

#[test]
fn the_tiny_program_is_ad_hoc() {
    let found = look(&tiny());
    assert_eq!(failed(&found), ["apple.ad-hoc"], "{found:#?}");
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn nothing_random_is_valid(head in 0_usize..5, bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let heads: [&[u8]; 5] = [
            b"\xcf\xfa\xed\xfe",
            b"\xce\xfa\xed\xfe",
            b"\xca\xfe\xba\xbe\0\0\0\x02",
            b"\xca\xfe\xba\xbf\0\0\0\x01",
            b"xar!\0\x1c\0\x01\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\x80\0\0\0\x01",
        ];
        let bytes = [heads[head], &bytes].concat();
        let found = inspected(&bytes).expect("a format of Apple's");
        prop_assert_eq!(found.verdict, Verdict::Invalid);
        let _ = Ticket::parse(&bytes);
        let _ = plist::dictionary(&bytes);
    }

    #[test]
    fn spoiled_programs_are_never_valid(flips in proptest::collection::vec((0_usize..416, any::<u8>()), 1..6)) {
        let mut bytes = tiny();
        for (at, value) in flips {
            bytes[at] = value;
        }
        if let Some(found) = inspected(&bytes) {
            prop_assert_ne!(found.verdict, Verdict::Valid);
        }
    }
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn real_files_with_changes_are_not_valid(which in 0_usize..2, at in any::<u32>(), near in any::<bool>(), flip in 1_u8..) {
        let bytes = if which == 0 { program() } else { package("1.12.0") };
        let Some(mut bytes) = bytes else { return Ok(()) };
        // Half of the changes hit the headers and the signature, where most of the reading is.
        let at = usize::try_from(at).expect("64 bits");
        let at = match (near, which) {
            (true, 0) => bytes.len() - 21_968 + at % 13_000,
            (true, _) => at % 14_000,
            (false, _) => at % bytes.len(),
        };
        bytes[at] ^= flip;
        let found = inspected(&bytes);
        // A CMS carries what nobody signs, such as the root's own certificate; and nothing reads the reserve of a slice.
        let (first, last) = (16_384 + 1_308_976, 1_359_872 + 1_258_448);
        let unsigned = match which {
            0 => [first + 11_744..16_384 + 1_338_720, last + 3_968..last + 21_968],
            _ => [4185 + 276..4185 + 9492, 0..0],
        };
        if !unsigned.iter().any(|range| range.contains(&at)) {
            let is_valid = found.is_some_and(|it| it.verdict == Verdict::Valid);
            prop_assert!(!is_valid, "byte {}", at);
        }
    }
}
