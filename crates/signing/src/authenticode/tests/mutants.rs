//! Copies of good files, each with one thing wrong: the right check must fail, and nothing may panic.

use proptest::prelude::*;

use super::*;
use crate::cms::SignedData;
use crate::tests::keep;

const WHOIS: &str = "signify/whois.exe";
const DXCORE: &str = "signify/DXCore.dll";
const SIGCHECK: &str = "signify/sigcheck.exe";
const PCIIDE: &str = "signify/pciide.sys";

/// A good file that can be spoiled.
struct Copy {
    bytes: Vec<u8>,
    /// Offset of the security entry of the data directory, and what it says.
    entry: usize,
    table: usize,
    table_bytes: usize,
}

impl Copy {
    fn of(name: &str) -> Option<Self> {
        let bytes = sample(name)?;
        let image = Image::read(&mut Cursor::new(&bytes));
        let image = image.expect("bytes in memory").expect("an image");
        let number = |offset| usize::try_from(offset).expect("small");
        let table = image.table.expect("a table");
        Some(Self {
            entry: number(image.entry_at.expect("an entry")),
            table: number(table.offset),
            table_bytes: number(table.bytes),
            bytes,
        })
    }

    fn put(&mut self, at: usize, number: usize) {
        let number = u32::try_from(number).expect("small").to_le_bytes();
        self.bytes[at..at + 4].copy_from_slice(&number);
    }

    /// The contents of the table's first entry.
    fn signature(&self) -> &[u8] {
        &self.bytes[self.table + 8..]
    }

    fn signed(&self) -> SignedData<'_> {
        SignedData::parse(self.signature()).expect("a signature").0
    }

    /// Flips a bit of the first place in the table where these bytes stand, at an offset in them.
    fn flip(&mut self, needle: &[u8], offset: usize) {
        let found = self.bytes[self.table..]
            .windows(needle.len())
            .position(|window| window == needle);
        let at = self.table + found.expect("bytes of the signature") + offset;
        self.bytes[at] ^= 1;
    }

    /// Bytes at the end of the table that the data directory includes.
    fn grow(&mut self, more: &[u8]) {
        self.bytes.extend(more);
        self.table_bytes += more.len();
        self.put(self.entry + 4, self.table_bytes);
    }
}

type Spoil = fn(&mut Copy);

fn content(copy: &Copy) -> Vec<u8> {
    copy.signed().content.expect("content").into_owned()
}

fn token(copy: &Copy) -> Vec<u8> {
    let signed = copy.signed();
    let unsigned = signed.signers[0].unsigned.as_ref().expect("attributes");
    let mut tokens = unsigned.all(crate::oid::MICROSOFT_TIMESTAMP_TOKEN);
    tokens.next().expect("a token").raw.to_vec()
}

fn nested(copy: &Copy) -> Vec<u8> {
    let signed = copy.signed();
    let unsigned = signed.signers[0].unsigned.as_ref().expect("attributes");
    let mut nested = unsigned.all(crate::oid::NESTED_SIGNATURE);
    nested.next().expect("a nested signature").raw.to_vec()
}

fn countersignature(copy: &Copy) -> Vec<u8> {
    let signed = copy.signed();
    let unsigned = signed.signers[0].unsigned.as_ref().expect("attributes");
    let mut found = unsigned.all(crate::oid::COUNTERSIGNATURE);
    found.next().expect("a countersignature").raw.to_vec()
}

/// What is done to which file, and the check that must fail.
const MUTANTS: &[(&str, &str, &str, Spoil)] = &[
    ("body", WHOIS, "pe.digest", |it| it.bytes[5000] ^= 1),
    (
        "another digest algorithm announced",
        WHOIS,
        "cms.digest-algorithm",
        |it| {
            // SHA-256 (RFC 5754 section 2.2): the first one stands in the set of all.
            let sha256 = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
            it.flip(&sha256, 8);
        },
    ),
    ("header", WHOIS, "pe.digest", |it| it.bytes[0x50] ^= 1),
    ("last byte before the table", WHOIS, "pe.digest", |it| {
        it.bytes[it.table - 1] ^= 0x80;
    }),
    ("overlay before the table", WHOIS, "pe.digest", |it| {
        let at = it.table;
        it.bytes.splice(at..at, [0; 8]);
        it.put(it.entry, at + 8);
    }),
    ("page of a section", DXCORE, "pe.page-hashes", |it| {
        it.bytes[0x2000] ^= 1;
    }),
    ("page hashes", DXCORE, "cms.message-digest", |it| {
        let content = content(it);
        it.flip(&content, 500);
    }),
    ("signed digest", WHOIS, "pe.digest", |it| {
        let content = content(it);
        it.flip(&content, content.len() - 3);
    }),
    (
        "signed digest and its binding",
        WHOIS,
        "cms.message-digest",
        |it| {
            let content = content(it);
            it.flip(&content, content.len() - 3);
        },
    ),
    ("messageDigest", WHOIS, "cms.message-digest", |it| {
        let signed = it.signed();
        let attributes = signed.signers[0].signed.as_ref().expect("attributes");
        let digest = attributes.single(crate::oid::MESSAGE_DIGEST);
        let digest = digest.expect("messageDigest").value.to_vec();
        it.flip(&digest, 5);
    }),
    ("signed attributes", WHOIS, "cms.signature", |it| {
        let signed = it.signed();
        let attributes = signed.signers[0].signed.as_ref().expect("attributes");
        let attributes = attributes.signed_bytes()[1].to_vec();
        it.flip(&attributes, 45);
    }),
    ("signature", WHOIS, "cms.signature", |it| {
        let signature = it.signed().signers[0].signature.to_vec();
        it.flip(&signature, 100);
    }),
    ("signer's certificate", WHOIS, "x509.path", |it| {
        let certificate = it.signed().certificates[0].signature.to_vec();
        it.flip(&certificate, 100);
    }),
    (
        "key of the signer's certificate",
        WHOIS,
        "cms.signature",
        |it| {
            let certificate = it.signed().certificates[0].raw.to_vec();
            it.flip(&certificate, 400);
        },
    ),
    ("authority's certificate", WHOIS, "x509.path", |it| {
        let certificate = it.signed().certificates[1].signature.to_vec();
        it.flip(&certificate, 100);
    }),
    ("imprint of the token", WHOIS, "timestamp.token", |it| {
        let token = token(it);
        let (signed, _) = SignedData::parse(&token).expect("a token");
        let content = signed.content.expect("content").into_owned();
        it.flip(&content, 60);
    }),
    ("token's signature", WHOIS, "timestamp.token", |it| {
        let token = token(it);
        let (signed, _) = SignedData::parse(&token).expect("a token");
        it.flip(signed.signers[0].signature, 9);
    }),
    ("token's structure", WHOIS, "timestamp.token", |it| {
        let token = token(it);
        it.flip(&token, 10);
    }),
    ("authority of the token", WHOIS, "timestamp.chain", |it| {
        let token = token(it);
        let (signed, _) = SignedData::parse(&token).expect("a token");
        let signer = signed.signers[0].named(&signed.certificates).expect("one");
        let above = signed
            .certificates
            .iter()
            .find(|it| it.subject == signer.issuer);
        it.flip(above.expect("its authority").signature, 9);
    }),
    ("timestamp stripped", WHOIS, "x509.validity", |it| {
        it.flip(crate::oid::MICROSOFT_TIMESTAMP_TOKEN.0, 9);
    }),
    ("countersignature", PCIIDE, "timestamp.token", |it| {
        let countersignature = countersignature(it);
        it.flip(&countersignature, countersignature.len() - 10);
    }),
    (
        "time of the countersignature",
        PCIIDE,
        "timestamp.token",
        |it| {
            it.flip(b"090714014555Z", 1);
        },
    ),
    (
        "digest in the nested signature",
        SIGCHECK,
        "pe.digest",
        |it| {
            let nested = nested(it);
            let (signed, _) = SignedData::parse(&nested).expect("a signature");
            let content = signed.content.expect("content").into_owned();
            it.flip(&content, content.len() - 3);
        },
    ),
    ("nested signature", SIGCHECK, "cms.signature", |it| {
        let nested = nested(it);
        let (signed, _) = SignedData::parse(&nested).expect("a signature");
        it.flip(signed.signers[0].signature, 9);
    }),
    (
        "structure of the nested signature",
        SIGCHECK,
        "cms.parse",
        |it| {
            let nested = nested(it);
            it.flip(&nested, 5);
        },
    ),
    (
        "512 bytes behind the signature",
        WHOIS,
        "pe.padding",
        |it| {
            it.grow(&[0x41; 512]);
            it.put(it.table, it.table_bytes);
        },
    ),
    ("16 zeros behind the signature", WHOIS, "pe.padding", |it| {
        it.grow(&[0; 16]);
        it.put(it.table, it.table_bytes);
    }),
    ("alignment that is not zero", WHOIS, "pe.padding", |it| {
        let at = it.bytes.len() - 1;
        let used = it.signed();
        assert_eq!(used.signers.len(), 1);
        it.grow(&[0, 0, 0, 0, 0, 0, 0, 1]);
        it.put(it.table, it.table_bytes);
        assert_eq!(it.bytes[at + 8], 1);
    }),
    (
        "second entry of garbage",
        WHOIS,
        "pe.certificate-table",
        |it| {
            it.grow(&[24, 0, 0, 0, 0, 2, 2, 0]);
            it.grow(&[0xab; 16]);
        },
    ),
    (
        "second entry of another type",
        WHOIS,
        "pe.certificate-table",
        |it| {
            it.grow(&[16, 0, 0, 0, 0, 2, 1, 0]);
            it.grow(&[0; 8]);
        },
    ),
    (
        "zeros behind the entry",
        WHOIS,
        "pe.certificate-table",
        |it| it.grow(&[0; 16]),
    ),
    (
        "entry longer than the table",
        WHOIS,
        "pe.certificate-table",
        |it| {
            it.put(it.table, it.table_bytes + 8);
        },
    ),
    (
        "entry shorter than the signature",
        WHOIS,
        "pe.certificate-table",
        |it| {
            it.put(it.table, it.table_bytes - 16);
        },
    ),
    ("entry of no length", WHOIS, "pe.certificate-table", |it| {
        it.put(it.table, 0)
    }),
    ("entry of 4 GiB", WHOIS, "pe.certificate-table", |it| {
        it.put(it.table, 0xffff_ffff);
    }),
    (
        "revision of the entry",
        WHOIS,
        "pe.certificate-table",
        |it| {
            it.bytes[it.table + 5] ^= 3;
        },
    ),
    ("table cut short", WHOIS, "pe.certificate-table", |it| {
        let bytes = it.bytes.len() - 100;
        it.bytes.truncate(bytes);
    }),
    (
        "file cut before the table",
        WHOIS,
        "pe.certificate-table",
        |it| {
            it.bytes.truncate(it.table);
        },
    ),
    ("table past the end", WHOIS, "pe.certificate-table", |it| {
        it.put(it.entry, 0xffff_fff0);
    }),
    ("table of no length", WHOIS, "pe.certificate-table", |it| {
        it.put(it.entry + 4, 0)
    }),
    (
        "table in the headers",
        WHOIS,
        "pe.certificate-table",
        |it| it.put(it.entry, 64),
    ),
    ("bytes behind the table", WHOIS, "pe.trailing-data", |it| {
        it.bytes.extend([0; 8]);
    }),
    ("zip behind the table", WHOIS, "pe.trailing-data", |it| {
        it.bytes.extend(b"PK\x05\x06");
        it.bytes.extend([0; 18]);
    }),
    (
        "table smaller than it is",
        WHOIS,
        "pe.trailing-data",
        |it| {
            it.put(it.entry + 4, it.table_bytes - 8);
        },
    ),
    ("no entry in the directory", WHOIS, "pe.signed", |it| {
        it.put(it.entry, 0);
        it.put(it.entry + 4, 0);
    }),
    ("fewer directories", WHOIS, "pe.signed", |it| {
        it.put(it.entry - 36, 4);
    }),
    ("empty file", WHOIS, "pe.parse", |it| it.bytes.clear()),
    ("two bytes", WHOIS, "pe.parse", |it| it.bytes.truncate(2)),
    ("cut in the headers", WHOIS, "pe.parse", |it| {
        it.bytes.truncate(300)
    }),
    ("script instead of a program", WHOIS, "pe.parse", |it| {
        it.bytes[0] = b'#'
    }),
    ("header past the end", WHOIS, "pe.parse", |it| {
        it.put(60, 0xffff_ffff)
    }),
    ("no PE header", WHOIS, "pe.parse", |it| it.put(60, 0x40)),
];

#[test]
fn one_thing_wrong_fails_its_check() {
    let mut wrong = Vec::new();
    for (what, name, check, spoil) in MUTANTS {
        let Some(mut copy) = Copy::of(name) else {
            return;
        };
        spoil(&mut copy);
        let found = look(&copy.bytes, day(), &trust());
        let ids = failed(&found);
        if found.verdict == Verdict::Valid || !ids.contains(check) {
            wrong.push(format!("{what} of {name}: expected {check}, found {ids:?}"));
        }
        keep(what, &copy.bytes);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_nobody_signs_may_change() {
    let harmless: [(&str, Spoil); 3] = [
        ("checksum", |it| {
            let header = it.entry - 8 * 4 - 96 + 64;
            it.bytes[header] ^= 0xff;
        }),
        ("the same signature twice", |it| {
            let table = it.bytes[it.table..].to_vec();
            it.grow(&table);
        }),
        ("alignment", |it| {
            let behind = it.bytes.len() - 8;
            assert!(behind > it.table);
        }),
    ];
    for (what, spoil) in harmless {
        let Some(mut copy) = Copy::of(WHOIS) else {
            return;
        };
        spoil(&mut copy);
        let found = look(&copy.bytes, day(), &trust());
        assert_eq!(
            found.verdict,
            Verdict::Valid,
            "{what}: {:?}",
            failed(&found)
        );
    }
}

#[test]
fn a_signature_of_another_file_fails() {
    let (Some(whois), Some(mut other)) = (Copy::of(WHOIS), Copy::of(PCIIDE)) else {
        return;
    };
    other.bytes.truncate(other.table);
    other.bytes.extend(&whois.bytes[whois.table..]);
    other.put(other.entry + 4, whois.table_bytes);
    let found = look(&other.bytes, day(), &trust());
    assert_eq!(failed(&found), ["pe.digest"]);
    assert_eq!(found.verdict, Verdict::Invalid);
}

#[test]
fn a_timestamp_of_the_future_does_not_count() {
    let Some(copy) = Copy::of(WHOIS) else { return };
    let found = look(&copy.bytes, time("2019-12-01T00:00:00Z"), &trust());
    assert_eq!(failed(&found), ["timestamp.time"]);
    assert_eq!(found.verdict, Verdict::Untrusted);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Anything may be written over headers and table; the answer may be anything but a panic, and `valid` only where
    /// nothing that is signed was touched.
    #[test]
    fn random_changes_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in proptest::option::of(any::<prop::sample::Index>()),
        in_table in any::<bool>(),
    ) {
        let Some(mut copy) = Copy::of(PCIIDE) else { return Ok(()) };
        let start = if in_table { copy.table } else { 0 };
        let mut touched_file = false;
        for (at, byte) in changes {
            let at = start + at.index(copy.bytes.len() - start);
            touched_file |= at < copy.table && copy.bytes[at] != byte;
            copy.bytes[at] = byte;
        }
        if let Some(cut) = cut {
            copy.bytes.truncate(cut.index(copy.bytes.len()));
            touched_file = true;
        }
        let found = look(&copy.bytes, day(), &trust());
        // The checksum alone may differ.
        let header = copy.entry - 8 * 4 - 112 + 64;
        let original = Copy::of(PCIIDE).expect("it was there");
        copy.bytes.resize(original.bytes.len(), 0);
        copy.bytes[header..header + 4].copy_from_slice(&original.bytes[header..header + 4]);
        let same = copy.bytes[..copy.table] == original.bytes[..copy.table];
        prop_assert!(found.verdict != Verdict::Valid || !touched_file || same);
    }
}
