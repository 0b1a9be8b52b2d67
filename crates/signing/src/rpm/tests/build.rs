//! Packages of our own, of version 4 and 6, in which anything can be wrong.

use md5::Digest as _;

use crate::digest::{DigestAlgorithm, hex};
use crate::openpgp::tests::owner::{Owner, Terms};

/// A tag, its type, how many there are, and its data.
#[derive(Clone)]
pub(in crate::rpm) struct Tag {
    pub(in crate::rpm) tag: u32,
    pub(in crate::rpm) kind: u32,
    pub(in crate::rpm) count: u32,
    pub(in crate::rpm) data: Vec<u8>,
}

pub(in crate::rpm) fn text(tag: u32, text: &str) -> Tag {
    let data = format!("{text}\0").into_bytes();
    Tag {
        tag,
        kind: 6,
        count: 1,
        data,
    }
}

pub(in crate::rpm) fn texts(tag: u32, texts: &[&str]) -> Tag {
    let data = texts.iter().map(|it| format!("{it}\0")).collect::<String>();
    let count = u32::try_from(texts.len()).expect("few");
    Tag {
        tag,
        kind: 8,
        count,
        data: data.into_bytes(),
    }
}

pub(in crate::rpm) fn number(tag: u32, number: u32) -> Tag {
    let data = number.to_be_bytes().to_vec();
    Tag {
        tag,
        kind: 4,
        count: 1,
        data,
    }
}

pub(in crate::rpm) fn bytes(tag: u32, data: Vec<u8>) -> Tag {
    let count = u32::try_from(data.len()).expect("few");
    Tag {
        tag,
        kind: 7,
        count,
        data,
    }
}

/// A header of one region.
pub(in crate::rpm) fn header(region: u32, tags: &[Tag]) -> Vec<u8> {
    let (mut index, mut data) = (Vec::new(), Vec::new());
    for tag in tags {
        let width = match tag.kind {
            3 => 2,
            4 => 4,
            5 => 8,
            _ => 1,
        };
        data.resize(data.len().next_multiple_of(width), 0);
        let offset = u32::try_from(data.len()).expect("small");
        for number in [tag.tag, tag.kind, offset, tag.count] {
            index.extend(number.to_be_bytes());
        }
        data.extend(&tag.data);
    }
    let entries = u32::try_from(tags.len() + 1).expect("few");
    let trailer = u32::try_from(data.len()).expect("small");
    for number in [region, 7, (entries * 16).wrapping_neg(), 16] {
        data.extend(number.to_be_bytes());
    }
    let length = u32::try_from(data.len()).expect("small");
    let mut bytes = Vec::new();
    for number in [0x8ead_e801, 0, entries, length, region, 7, trailer, 16] {
        bytes.extend(number.to_be_bytes());
    }
    [bytes, index, data].concat()
}

#[derive(Clone)]
pub(in crate::rpm) struct Package {
    pub(in crate::rpm) lead: Vec<u8>,
    pub(in crate::rpm) signature: Vec<Tag>,
    pub(in crate::rpm) header: Vec<Tag>,
    pub(in crate::rpm) payload: Vec<u8>,
    /// What is done to the file at the end.
    pub(in crate::rpm) behind: fn(&mut Vec<u8>),
}

pub(in crate::rpm) const PAYLOAD: &[u8] = b"070701 a payload that nobody unpacks";

pub(in crate::rpm) fn sha256(bytes: &[u8]) -> String {
    hex(&DigestAlgorithm::Sha256.hash(&[bytes]))
}

impl Package {
    /// Not signed.
    pub(in crate::rpm) fn new(name: &str, more: &[Tag]) -> Self {
        let mut lead = vec![0xed, 0xab, 0xee, 0xdb, 3, 0, 0, 0, 0, 1];
        lead.extend(name.as_bytes());
        lead.resize(76, 0);
        lead.extend([0, 1, 0, 5]);
        lead.resize(96, 0);
        let mut header = vec![
            texts(100, &["C"]),
            text(1000, name),
            text(1001, "1.4.0"),
            text(1002, "1"),
            Tag {
                kind: 9,
                ..texts(1004, &["A package"])
            },
            text(1021, "linux"),
            text(1022, "noarch"),
            text(1124, "cpio"),
            texts(5092, &[&sha256(PAYLOAD)]),
        ];
        header.extend(more.iter().cloned());
        Self {
            lead,
            signature: Vec::new(),
            header,
            payload: PAYLOAD.to_vec(),
            behind: |_| {},
        }
    }

    /// Of version 4, as rpm 4.18 builds and signs it.
    pub(in crate::rpm) fn v4(name: &str, owner: &Owner, terms: &Terms) -> Self {
        let mut package = Self::new(name, &[number(5093, 8)]);
        package.sign_v4(owner, terms);
        package
    }

    /// Of version 6, as rpm 6 builds and signs it: several signatures.
    pub(in crate::rpm) fn v6(name: &str, owners: &[&Owner], terms: &Terms) -> Self {
        let more = [
            number(5114, 6),
            text(5121, &hex(&DigestAlgorithm::Sha512.hash(&[PAYLOAD]))),
            text(5123, &hex(&sha3::Sha3_256::digest(PAYLOAD))),
        ];
        let mut package = Self::new(name, &more);
        package.sign_v6(owners, terms);
        package
    }

    pub(in crate::rpm) fn header_bytes(&self) -> Vec<u8> {
        header(63, &self.header)
    }

    /// The signature header for what is there now.
    pub(in crate::rpm) fn sign_v4(&mut self, owner: &Owner, terms: &Terms) {
        let over = self.header_bytes();
        let all = [over.as_slice(), &self.payload].concat();
        let is_rsa = owner.sign(b"", terms).len() > 200;
        let size = u32::try_from(all.len()).expect("small");
        self.signature = vec![
            bytes(if is_rsa { 268 } else { 267 }, owner.sign(&over, terms)),
            text(269, &hex(&DigestAlgorithm::Sha1.hash(&[&over]))),
            text(273, &sha256(&over)),
            number(1000, size),
            bytes(1004, md5::Md5::digest(&all).to_vec()),
            number(1007, 124),
            bytes(1008, vec![0; 32]),
        ];
    }

    pub(in crate::rpm) fn sign_v6(&mut self, owners: &[&Owner], terms: &Terms) {
        use base64::Engine as _;
        let over = self.header_bytes();
        let encode = |bytes: Vec<u8>| base64::engine::general_purpose::STANDARD.encode(bytes);
        let signatures: Vec<_> = owners
            .iter()
            .map(|it| encode(it.sign(&over, terms)))
            .collect();
        let signatures: Vec<_> = signatures.iter().map(String::as_str).collect();
        self.signature = vec![
            text(273, &sha256(&over)),
            texts(278, &signatures),
            text(279, &hex(&sha3::Sha3_256::digest(&over))),
            bytes(999, vec![0; 32]),
        ];
    }

    /// A tag of one of the headers.
    pub(in crate::rpm) fn tag(tags: &mut [Tag], tag: u32) -> &mut Tag {
        tags.iter_mut().find(|it| it.tag == tag).expect("there")
    }

    pub(in crate::rpm) fn file(&self) -> Vec<u8> {
        let mut file = [self.lead.clone(), header(62, &self.signature)].concat();
        file.resize(file.len().next_multiple_of(8), 0);
        file.extend(self.header_bytes());
        file.extend(&self.payload);
        (self.behind)(&mut file);
        file
    }

    /// Where the header begins in the file.
    pub(in crate::rpm) fn header_at(&self) -> usize {
        (self.lead.len() + header(62, &self.signature).len()).next_multiple_of(8)
    }
}
