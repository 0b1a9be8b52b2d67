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
    let many = page(|image| {
        image.section_alignment = 16;
        image.size = 1 << 30;
        image.sections[0].bytes = 1 << 29;
    });
    assert_eq!(many, Some(pages::PagesError::TooMany));
    let overlap = Some(pages::PagesError::Sections);
    assert_eq!(page(|image| image.sections[0].offset = 10), overlap);
    assert_eq!(page(|image| image.sections[0].bytes = 1 << 30), overlap);
    assert_eq!(page(|image| image.headers_bytes = 10), overlap);
}

/// An image with a certificate table of these bytes behind it.
fn with_table(table: &[u8]) -> Vec<u8> {
    let mut bytes = image();
    let length = |bytes: usize| u32::try_from(bytes).expect("small").to_le_bytes();
    let (offset, size) = (length(bytes.len()), length(table.len()));
    bytes[232..236].copy_from_slice(&offset);
    bytes[236..240].copy_from_slice(&size);
    bytes.extend(table);
    bytes
}

#[test]
fn a_table_is_read_up_to_a_limit() {
    let read_table = |bytes: &[u8]| {
        let image = read(bytes).expect("an image");
        let table = image.table.expect("a table");
        let found = image.read_table(&mut Cursor::new(bytes), table);
        found.expect("bytes in memory")
    };
    assert_eq!(read_table(&with_table(&[7; 16])), Ok(vec![7; 16]));
    let limit = usize::try_from(TABLE_BYTES_MAX).expect("small");
    let large = read_table(&with_table(&vec![0; limit + 1]));
    assert_eq!(large, Err(TableError::TooLarge));
}

#[test]
fn entries_of_a_table_are_bounded() {
    let entry = [16, 0, 0, 0, 0, 2, 2, 0, 0x30, 0x80, 0, 0, 0, 0, 0, 0];
    let table = entry.repeat(1000);
    let (found, wrong) = certificates(&table);
    assert!(found.is_empty());
    assert_eq!(wrong.len(), 9, "{wrong:?}");
    assert_eq!(wrong.last(), Some(&TableError::TooMany));
    let (found, wrong) = certificates(&[1, 2, 3]);
    let length = TableError::Length {
        number: 1,
        length: 0,
    };
    assert_eq!((found.len(), wrong), (0, vec![length]));
}
