//! Packages with files, in which anything can be wrong.

use crate::openpgp::tests::owner::{Owner, SIGNED, Terms};
use crate::rpm::tests::build::{Package, Tag, number, sha256, text, texts};

/// A file as the header lists it.
#[derive(Clone)]
pub(super) struct Listed {
    pub(super) folder: u32,
    pub(super) name: &'static str,
    pub(super) mode: u16,
    pub(super) size: u32,
    pub(super) digest: String,
    pub(super) target: &'static str,
    pub(super) flags: u32,
    pub(super) inode: u32,
}

/// A file as the payload has it.
#[derive(Clone)]
pub(super) struct Packed {
    pub(super) name: String,
    pub(super) mode: u32,
    pub(super) content: Vec<u8>,
}

#[derive(Clone)]
pub(super) struct Filled {
    pub(super) folders: Vec<&'static str>,
    pub(super) listed: Vec<Listed>,
    pub(super) packed: Vec<Packed>,
    /// Whether the payload names files by their numbers.
    is_numbered: bool,
    pub(super) format: &'static str,
    pub(super) compressor: Option<&'static str>,
    /// What is done to the payload before it is packed.
    pub(super) plain: fn(&mut Vec<u8>),
    pub(super) pack: fn(Vec<u8>) -> Vec<u8>,
    /// What is done to the header.
    pub(super) header: fn(&mut Vec<Tag>),
}

fn listed(folder: u32, name: &'static str, mode: u16, content: &[u8], inode: u32) -> Listed {
    let is_file = mode & 0o170_000 == 0o100_000;
    Listed {
        folder,
        name,
        mode,
        size: u32::try_from(content.len()).expect("small"),
        digest: if is_file {
            sha256(content)
        } else {
            String::new()
        },
        target: "",
        flags: 0,
        inode,
    }
}

const PROGRAM: &[u8] = b"\x7fELF is how programs begin";

pub(super) fn gzip(plain: Vec<u8>) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&plain).expect("memory");
    encoder.finish().expect("memory")
}

impl Filled {
    /// A program of two names, a file, a link, a folder, and a ghost.
    pub(super) fn new() -> Self {
        let target = "../../bin/atlas";
        let listed = vec![
            listed(0, "atlas", 0o100_755, PROGRAM, 1),
            listed(0, "other", 0o100_755, PROGRAM, 1),
            listed(1, "atlas", 0o040_755, b"", 3),
            listed(2, "file", 0o100_644, b"a text", 4),
            Listed {
                flags: 1 << 6,
                digest: String::new(),
                ..listed(2, "ghost", 0o100_644, b"", 5)
            },
            Listed {
                target,
                ..listed(2, "link", 0o120_777, target.as_bytes(), 6)
            },
        ];
        let packed = |name: &str, mode, content: &[u8]| Packed {
            name: name.to_owned(),
            mode,
            content: content.to_vec(),
        };
        let packed = vec![
            packed("./usr/bin/atlas", 0o100_755, b""),
            packed("./usr/bin/other", 0o100_755, PROGRAM),
            packed("./usr/share/atlas", 0o040_755, b""),
            packed("./usr/share/atlas/file", 0o100_644, b"a text"),
            packed("./usr/share/atlas/link", 0o120_777, target.as_bytes()),
        ];
        Self {
            folders: vec!["/usr/bin/", "/usr/share/", "/usr/share/atlas/"],
            listed,
            packed,
            is_numbered: false,
            format: "cpio",
            compressor: Some("gzip"),
            plain: |_| {},
            pack: gzip,
            header: |_| {},
        }
    }

    /// The same, where the payload names files by their numbers.
    pub(super) fn numbered() -> Self {
        let mut filled = Self::new();
        filled.is_numbered = true;
        for packed in &mut filled.packed {
            let path = packed.name.trim_start_matches('.');
            let index = filled.listed.iter().position(|it| {
                let folder = filled.folders[usize::try_from(it.folder).expect("small")];
                path == format!("{folder}{}", it.name)
            });
            packed.name = format!("{:08x}", index.expect("it is listed"));
        }
        filled
    }

    fn payload(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut entry = |packed: &Packed, is_whole: bool| {
            let (size, name, mode) = (packed.content.len(), packed.name.len() + 1, packed.mode);
            let zero = "0".repeat(8);
            let head = match is_whole {
                true => format!(
                    "07070100000001{mode:08x}{zero}{zero}00000001{zero}{size:08x}{zero}{zero}{zero}{zero}{name:08x}{zero}{}\0",
                    packed.name
                ),
                false => format!("07070X{}", packed.name),
            };
            bytes.extend(head.as_bytes());
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes.extend(&packed.content);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        };
        for packed in &self.packed {
            entry(packed, !self.is_numbered);
        }
        let end = Packed {
            name: "TRAILER!!!".to_owned(),
            mode: 0,
            content: Vec::new(),
        };
        entry(&end, true);
        (self.plain)(&mut bytes);
        (self.pack)(bytes)
    }

    pub(super) fn file(&self) -> Vec<u8> {
        let list = |value: fn(&Listed) -> u64| self.listed.iter().map(value).collect::<Vec<_>>();
        let numbers = |tag, kind, width: usize, value: fn(&Listed) -> u64| {
            let numbers = list(value);
            Tag {
                tag,
                kind,
                count: u32::try_from(numbers.len()).expect("few"),
                data: numbers
                    .iter()
                    .flat_map(|it| it.to_be_bytes()[8 - width..].to_vec())
                    .collect(),
            }
        };
        let of_texts = |tag, value: fn(&Listed) -> &str| {
            texts(tag, &self.listed.iter().map(value).collect::<Vec<_>>())
        };
        let payload = self.payload();
        let mut package = Package::new("atlas", &[number(5093, 8)]);
        package.header.retain(|tag| tag.tag != 1124);
        *Package::tag(&mut package.header, 5092) = texts(5092, &[&sha256(&payload)]);
        package.payload = payload;
        package.header.extend([
            numbers(1030, 3, 2, |it| u64::from(it.mode)),
            numbers(1033, 3, 2, |_| 0),
            numbers(1034, 4, 4, |_| 1_767_225_600),
            of_texts(1035, |it| &it.digest),
            of_texts(1036, |it| it.target),
            numbers(1037, 4, 4, |it| u64::from(it.flags)),
            of_texts(1039, |_| "root"),
            of_texts(1040, |_| "root"),
            numbers(1045, 4, 4, |_| 0),
            numbers(1095, 4, 4, |_| 1),
            numbers(1096, 4, 4, |it| u64::from(it.inode)),
            of_texts(1097, |_| ""),
            numbers(1116, 4, 4, |it| u64::from(it.folder)),
            of_texts(1117, |it| it.name),
            texts(1118, &self.folders),
            text(1124, self.format),
            number(5011, 8),
            match self.is_numbered {
                true => numbers(5008, 5, 8, |it| u64::from(it.size)),
                false => numbers(1028, 4, 4, |it| u64::from(it.size)),
            },
        ]);
        package
            .header
            .extend(self.compressor.map(|it| text(1125, it)));
        package.header.sort_by_key(|tag| tag.tag);
        (self.header)(&mut package.header);
        package.sign_v4(&Owner::new(1), &Terms::at(SIGNED));
        package.file()
    }
}
