use std::io::Cursor;

use super::*;

/// A PE32+ image of headers and one section of 16 bytes, without a signature.
fn image() -> Vec<u8> {
    let mut bytes = vec![0; 64 + 24 + 240 + 40 + 16];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, b"MZ");
    put(60, &64_u32.to_le_bytes());
    put(64, b"PE\0\0");
    put(70, &1_u16.to_le_bytes());
    put(84, &240_u16.to_le_bytes());
    put(88, &0x20b_u16.to_le_bytes());
    put(88 + 32, &4096_u32.to_le_bytes());
    put(88 + 60, &368_u32.to_le_bytes());
    put(88 + 108, &16_u32.to_le_bytes());
    put(88 + 240 + 16, &16_u32.to_le_bytes());
    put(88 + 240 + 20, &368_u32.to_le_bytes());
    bytes
}

fn read(bytes: &[u8]) -> Result<Image, PeError> {
    Image::read(&mut Cursor::new(bytes)).expect("bytes in memory")
}

#[test]
fn the_headers_say_where_things_are() {
    let found = read(&image()).expect("an image");
    assert_eq!(found.checksum_at, 88 + 64);
    assert_eq!(found.entry_at, Some(88 + 112 + 32));
    assert_eq!((found.table, found.headers_bytes), (None, 368));
    let section = Section {
        offset: 368,
        bytes: 16,
    };
    assert_eq!(found.sections, [section]);
}

#[test]
fn headers_that_lie_are_refused() {
    let with = |at: usize, value: &[u8]| {
        let mut bytes = image();
        bytes[at..at + value.len()].copy_from_slice(value);
        read(&bytes).err()
    };
    assert_eq!(with(0, b"ZM"), Some(PeError::NoDosHeader));
    assert_eq!(with(64, b"NE"), Some(PeError::NoPeHeader));
    assert_eq!(with(60, &[0xff; 4]), Some(PeError::HeadersTooLarge));
    assert_eq!(with(60, &[0xff, 0xff, 0, 0]), Some(PeError::Truncated));
    assert_eq!(with(70, &97_u16.to_le_bytes()), Some(PeError::Sections));
    assert_eq!(
        with(84, &8_u16.to_le_bytes()),
        Some(PeError::OptionalHeader)
    );
    assert_eq!(
        with(84, &120_u16.to_le_bytes()),
        Some(PeError::OptionalHeader)
    );
    assert_eq!(with(84, &[0xff; 2]), Some(PeError::Truncated));
    assert_eq!(with(88, &[7, 1]), Some(PeError::Magic));
    for length in 0..image().len() {
        assert!(
            length >= 368 || read(&image()[..length]).is_err(),
            "{length}"
        );
    }
}

#[test]
fn page_hashes_need_sections_that_can_be_told_apart() {
    let good = read(&image()).expect("an image");
    let algorithm = crate::digest::DigestAlgorithm::Sha256;
    let page = |change: fn(&mut Image)| {
        let mut image = good.clone();
        change(&mut image);
        pages::PageHasher::new(&image, algorithm).err()
    };
    assert_eq!(page(|_| {}), None);
    let alignment = page(|image| image.section_alignment = 0);
    assert_eq!(alignment, Some(pages::PagesError::Alignment(0)));
    let overlap = Some(pages::PagesError::Sections);
    assert_eq!(page(|image| image.sections[0].offset = 10), overlap);
    assert_eq!(page(|image| image.sections[0].bytes = 1 << 30), overlap);
    assert_eq!(page(|image| image.headers_bytes = 10), overlap);
}
