//! Packages of our own; `debsig-verify` is the judge.

use std::io::Cursor;
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;
use crate::openpgp::tests::judge::is_there;
use crate::openpgp::tests::owner::{Owner, SIGNED, Terms};
use crate::report::Verdict;
use crate::tests::{day, failed, printable};

/// A name and what is in it.
pub(super) type Part = (&'static str, Vec<u8>);

#[derive(Clone)]
struct Package {
    parts: Vec<Part>,
    /// What is done to the file at the end.
    behind: fn(&mut Vec<u8>),
}

/// A `control.tar.gz` of one file.
fn control() -> Vec<u8> {
    use std::io::Write as _;
    let member = tar::tests::member("control", b'0', b"Package: hello\n");
    let level = flate2::Compression::fast();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), level);
    let archive = tar::tests::archive(&[member]);
    packed.write_all(&archive).expect("memory");
    packed.finish().expect("memory")
}

fn terms() -> Terms {
    Terms::at(SIGNED)
}

impl Package {
    fn unsigned() -> Self {
        let control = control();
        let data = [&[0xfd, b'7', b'z', b'X', b'Z', 0], &b"the data, odd"[..]].concat();
        let parts = vec![
            ("debian-binary", VERSION.to_vec()),
            ("control.tar.gz", control),
            ("data.tar.xz", data),
        ];
        Self {
            parts,
            behind: |_| {},
        }
    }

    fn signed(owner: &Owner) -> Self {
        let mut package = Self::unsigned();
        let signature = owner.sign(&package.covered(), &terms());
        package.parts.push(("_gpgorigin", signature));
        package
    }

    /// What debsigs signs.
    fn covered(&self) -> Vec<u8> {
        let parts = self.parts.iter().take(3);
        parts.flat_map(|(_, bytes)| bytes.clone()).collect()
    }

    fn file(&self) -> Vec<u8> {
        let mut file = ar(&self.parts);
        (self.behind)(&mut file);
        file
    }
}

pub(super) fn ar(parts: &[Part]) -> Vec<u8> {
    let mut file = b"!<arch>\n".to_vec();
    for (name, bytes) in parts {
        let size = bytes.len();
        file.extend(format!("{name:<16}1767225600  0     0     100644  {size:<10}`\n").bytes());
        file.extend(bytes);
        if bytes.len() % 2 == 1 {
            file.push(b'\n');
        }
    }
    file
}

fn look(file: &[u8], keys: &OpenPgpKeys) -> Inspection {
    printable(inspect(&mut Cursor::new(file), day(), keys))
}

fn keys_of(owner: &Owner) -> OpenPgpKeys {
    OpenPgpKeys::parse(&owner.export(&owner.certificate())).expect("keys")
}

/// A folder with what `debsig-verify` wants: a keyring, and a policy that demands a signature of origin.
fn policy(owner: &Owner) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let fingerprint = owner.fingerprint().to_string();
    let id = &fingerprint[24..];
    let make = |name: &str, file: &str, bytes: &[u8]| {
        let path = folder.path().join(name).join(id);
        std::fs::create_dir_all(&path).expect("a folder");
        std::fs::write(path.join(file), bytes).expect("a file");
    };
    make(
        "keyrings",
        "debsig.gpg",
        &owner.export(&owner.certificate()),
    );
    let rule = format!(r#"<Required Type="origin" File="debsig.gpg" id="{id}"/>"#);
    let policy = format!(
        r#"<?xml version="1.0"?><!DOCTYPE Policy SYSTEM "https://www.debian.org/debsig/1.0/policy.dtd">
<Policy xmlns="https://www.debian.org/debsig/1.0/"><Origin Name="Snake" id="{id}" Description="oil"/>
<Selection>{rule}</Selection><Verification MinOptional="0">{rule}</Verification></Policy>"#
    );
    make("policies", "snake.pol", policy.as_bytes());
    folder
}

fn debsig(folder: &Path, file: &[u8]) -> bool {
    let path = folder.join("package.deb");
    std::fs::write(&path, file).expect("a file");
    let status = Command::new("debsig-verify")
        .arg("--policies-dir")
        .arg(folder.join("policies"))
        .arg("--keyrings-dir")
        .arg(folder.join("keyrings"))
        .arg(path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.expect("it starts").success()
}

#[test]
fn a_signed_package_is_valid_with_its_key() {
    let owner = Owner::new(1);
    let package = Package::signed(&owner);
    let found = look(&package.file(), &keys_of(&owner));
    assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
    assert_eq!(found.signatures[0].place, "_gpgorigin");
    let inspected = crate::inspect(&mut Cursor::new(package.file()), day(), &Trust::nothing());
    let inspected = printable(inspected.map(|it| it.expect("a package")));
    assert_eq!(inspected.verdict, Verdict::Untrusted);
    assert_eq!(failed(&inspected), ["openpgp.key"]);
    let unsigned = look(&Package::unsigned().file(), &keys_of(&owner));
    assert_eq!(unsigned.verdict, Verdict::Unsigned);
    assert_eq!(failed(&unsigned), ["deb.signed"]);
    // With a signature of the maintainer too, and in armour.
    let mut both = package.clone();
    let text = crate::openpgp::tests::armoured("PGP SIGNATURE", &both.parts[3].1);
    both.parts.push(("_gpgmaint", text.into_bytes()));
    let found = look(&both.file(), &keys_of(&owner));
    assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
}

#[test]
fn archives_that_are_not_compressed_are_taken() {
    let owner = Owner::new(1);
    let mut package = Package::unsigned();
    let member = tar::tests::member("control", b'0', b"Package: hello\n");
    let tar = tar::tests::archive(&[member]);
    package.parts[1] = ("control.tar", tar.clone());
    package.parts[2] = ("data.tar", tar);
    let signature = owner.sign(&package.covered(), &terms());
    package.parts.push(("_gpgorigin", signature));
    let found = look(&package.file(), &keys_of(&owner));
    assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
}

/// A package that dpkg built can be read.
#[test]
fn what_dpkg_builds_is_a_package() {
    if !is_there("dpkg-deb") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (root, file) = (folder.path().join("root"), folder.path().join("atlas.deb"));
    std::fs::create_dir_all(root.join("DEBIAN")).expect("a folder");
    let control = "Package: atlas\nVersion: 1.4.0\nArchitecture: all\nMaintainer: Snake <oil@snake.example>\nDescription: oil\n";
    std::fs::write(root.join("DEBIAN/control"), control).expect("a file");
    for compression in ["gzip", "xz", "zstd", "none"] {
        let status = Command::new("dpkg-deb")
            .arg(format!("-Z{compression}"))
            .args(["--root-owner-group", "--build"])
            .args([&root, &file])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(status.expect("it starts").success(), "{compression}");
        let bytes = std::fs::read(&file).expect("a file");
        let found = look(&bytes, &OpenPgpKeys::none());
        assert_eq!(failed(&found), ["deb.signed"], "{compression}: {found:#?}");
    }
}

/// What `debsig-verify` 0.28 says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Debsig {
    Refuses,
    /// For that reason; the list of these is what we differ in.
    Accepts(&'static str),
}
use Debsig::{Accepts, Refuses};

type Mutant = (&'static str, &'static str, Debsig, fn(&mut Package, &Owner));

const FOREIGN: &str = "it looks for what it knows, and past the rest";

const MUTANTS: &[Mutant] = &[
    ("magic", "deb.parse", Refuses, |it, _| {
        it.behind = |file| file[0] ^= 1
    }),
    ("size past the end", "deb.parse", Refuses, |it, _| {
        it.behind = |file| file[56] = b'9'
    }),
    ("size that is no number", "deb.parse", Refuses, |it, _| {
        it.behind = |file| file[56] = b'x'
    }),
    ("end of a header", "deb.parse", Refuses, |it, _| {
        it.behind = |file| file[66] = b'x'
    }),
    (
        "padding",
        "deb.parse",
        Accepts("it skips the byte"),
        |it, _| {
            it.behind = |file| {
                let data = crate::tests::find(file, b"the data, odd");
                file[data + 13] = 0;
            }
        },
    ),
    ("bytes behind", "deb.parse", Refuses, |it, _| {
        it.behind = |file| file.extend(b"PK\x05\x06")
    }),
    ("cut", "deb.parse", Refuses, |it, _| {
        it.behind = |file| file.truncate(file.len() - 9)
    }),
    (
        "byte of the control",
        "openpgp.signature",
        Refuses,
        |it, _| it.parts[1].1[9] ^= 1,
    ),
    ("byte of the data", "openpgp.signature", Refuses, |it, _| {
        it.parts[2].1[9] ^= 1
    }),
    (
        "end of the control moved into the data",
        "deb.members",
        Accepts("lengths of members are not signed"),
        |it, _| {
            let last = it.parts[1].1.pop().expect("a byte");
            it.parts[2].1.insert(0, last);
        },
    ),
    (
        "byte of the signature",
        "openpgp.signature",
        Refuses,
        |it, _| {
            let last = it.parts[3].1.len() - 1;
            it.parts[3].1[last] ^= 1;
        },
    ),
    ("no signature", "deb.signed", Refuses, |it, _| {
        drop(it.parts.pop())
    }),
    (
        "signature of another package",
        "openpgp.signature",
        Refuses,
        |it, owner| it.parts[3].1 = owner.sign(b"other", &terms()),
    ),
    (
        "signature by a stranger",
        "openpgp.key",
        Refuses,
        |it, _| it.parts[3].1 = Owner::new(9).sign(&it.covered(), &terms()),
    ),
    ("empty signature", "openpgp.present", Refuses, |it, _| {
        it.parts[3].1.clear()
    }),
    ("another member behind", "deb.members", Refuses, |it, _| {
        it.parts.push(("data.tar.gz", vec![0x1f, 0x8b]))
    }),
    ("another member before", "deb.members", Refuses, |it, _| {
        it.parts.insert(1, ("data.tar.gz", vec![0x1f, 0x8b]))
    }),
    (
        "signature before the data",
        "deb.members",
        Accepts(FOREIGN),
        |it, _| it.parts.swap(2, 3),
    ),
    (
        "data before the control",
        "deb.members",
        Accepts(FOREIGN),
        |it, _| it.parts.swap(1, 2),
    ),
    (
        "two signatures of origin",
        "deb.members",
        Accepts("it takes the first"),
        |it, _| it.parts.push(it.parts[3].clone()),
    ),
    (
        "kind of signature that is not known",
        "deb.members",
        Accepts(FOREIGN),
        |it, _| it.parts.push(("_gpgbuilder", it.parts[3].1.clone())),
    ),
    ("no data", "deb.members", Refuses, |it, _| {
        drop(it.parts.remove(2))
    }),
    (
        "data of another kind",
        "deb.members",
        Accepts("names of members are not signed"),
        |it, _| it.parts[2].0 = "data.tar.gz",
    ),
    (
        "data that is no tar archive",
        "deb.members",
        Accepts("names of members are not signed"),
        |it, _| it.parts[2].0 = "data.tar",
    ),
    ("version of the format", "deb.members", Refuses, |it, _| {
        it.parts[0].1 = b"3.0\n".to_vec()
    }),
    ("nine members", "deb.parse", Accepts(FOREIGN), |it, _| {
        it.parts.extend(vec![("x", vec![0, 0]); 5])
    }),
];

#[test]
fn each_mutant_fails_its_check_and_is_judged() {
    let owner = Owner::new(1);
    let keys = keys_of(&owner);
    let plain = Package::signed(&owner);
    let judge = is_there("debsig-verify").then(|| policy(&owner));
    if let Some(folder) = &judge {
        assert!(debsig(folder.path(), &plain.file()));
    }
    let mut wrong = Vec::new();
    for (what, check, expected, spoil) in MUTANTS {
        let mut copy = plain.clone();
        spoil(&mut copy, &owner);
        let file = copy.file();
        let found = look(&file, &keys);
        let ids = failed(&found);
        if found.verdict == Verdict::Valid || !ids.contains(check) {
            wrong.push(format!("{what}: expected {check}, found {ids:?}"));
        }
        if let Some(folder) = &judge {
            let accepts = debsig(folder.path(), &file);
            if accepts != matches!(expected, Accepts(_)) {
                wrong.push(format!(
                    "{what}: debsig-verify accepts: {accepts}, expected {expected:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Anything may be written anywhere; the answer may be anything but a panic, and `valid` only where what is signed is
    /// what it was.
    #[test]
    fn random_changes_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let owner = Owner::new(1);
        let original = Package::signed(&owner).file();
        let mut copy = original.clone();
        for (at, byte) in changes {
            copy[at.index(original.len())] = byte;
        }
        if let Some(cut) = cut {
            copy.truncate(cut.index(original.len()));
        }
        if look(&copy, &keys_of(&owner)).verdict == Verdict::Valid {
            let contents = |file: &[u8]| {
                let members = ar::members(&mut Cursor::new(file)).expect("memory").expect("an archive");
                let range = |it: &Member| usize::try_from(it.start).expect("small")..usize::try_from(it.end).expect("small");
                members.iter().take(3).map(|it| file[range(it)].to_vec()).collect::<Vec<_>>()
            };
            prop_assert_eq!(contents(&copy), contents(&original));
        }
    }
}
