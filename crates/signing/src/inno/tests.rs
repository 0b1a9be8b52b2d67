//! Installers whose lists and data the compilers of five versions made (`fixtures/installers/inno`), which innoextract reads too, and
//! lists that were written as they are wanted.

mod writer;

use std::io::{self, Cursor};

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::cab::tests::contents::{run, shown, tree};
use crate::digest::hex;
use crate::inno::{is_installer, walk};
use writer::{Form, PROGRAM_BYTES, Place, V6_4_3, V7_0, installer, program, sealed, table};

/// Each file with its SHA-256; other names of it have that of nothing.
fn files(bytes: &[u8]) -> io::Result<Vec<(String, String)>> {
    shown(|each| walk(&mut Cursor::new(bytes), each))
}

fn paths(bytes: &[u8]) -> Vec<String> {
    let found = files(bytes).expect("an installer");
    found.into_iter().map(|(path, _)| path).collect()
}

fn refusal(bytes: &[u8]) -> String {
    assert!(is_installer(&mut Cursor::new(bytes)).expect("memory"));
    files(bytes).expect_err("refused").to_string()
}

macro_rules! made {
    ($name:literal) => {
        installer(
            1,
            include_bytes!(concat!("../../fixtures/installers/inno/", $name, ".data")),
            include_bytes!(concat!("../../fixtures/installers/inno/", $name, ".list")),
        )
    };
}

/// What compilers made of `setup.iss`: packed with zip, bzip2, LZMA, not at all and without the program, and as one with LZMA2.
fn made() -> [(&'static str, Vec<u8>); 5] {
    [
        ("5.5.7", made!("5.5.7")),
        ("6.0.0", made!("6.0.0")),
        ("6.1.0", made!("6.1.0")),
        ("6.3.0", made!("6.3.0")),
        ("6.4.0", made!("6.4.0")),
    ]
}

const HELPER: &str = "149f9522";

#[test]
fn installers_of_five_compilers_are_read() {
    for (version, bytes) in made() {
        let found = files(&bytes).unwrap_or_else(|error| panic!("{version}: {error}"));
        let found: Vec<_> = found
            .iter()
            .map(|(path, sum)| (path.as_str(), &sum[..8]))
            .collect();
        // The number is that of the entry in the script.
        let twice = match version {
            "6.3.0" => "(4)/{app}/data/data.txt",
            _ => "(5)/{app}/data/data.txt",
        };
        let mut expected = vec![
            ("{app}/app.exe", "ffb30282"),
            ("{app}/lib/Helper Two.dll", HELPER),
            // What is unpacked while the installer runs is another name of it.
            ("{tmp}/helper.dll", "e3b0c442"),
            ("{app}/data/data.txt", "a995a56a"),
            (twice, "e3b0c442"),
            ("{code_Where|x}/y/empty", "e3b0c442"),
        ];
        if version == "6.3.0" {
            expected.remove(0);
        }
        assert_eq!(found, expected, "{version}");
    }
}

/// `setup.exe` is what others throw changed copies of at this reader.
#[test]
fn the_small_program_in_front_is_the_one_that_is_kept() {
    let kept = include_bytes!("../../fixtures/installers/inno/setup.exe");
    assert!(made!("6.3.0") == kept);
}

#[test]
fn installers_are_read_as_innoextract_reads_them() {
    for (version, bytes) in made().into_iter().take(3) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("setup.exe"), &bytes).expect("a file");
        let arguments = ["-e", "-s", "-d", "out", "setup.exe"];
        if run(folder.path(), "innoextract", &arguments).is_none() {
            return;
        }
        let judged = tree(&folder.path().join("out"));
        assert_eq!(judged.len(), 5, "{judged:?}");
        let found = files(&bytes).expect("an installer");
        for (path, sum) in judged {
            let ours = match path.as_str() {
                // The last of two at one path.
                "app/data/data.txt" => "(5)/{app}/data/data.txt".to_owned(),
                "tmp/helper.dll" => "{app}/lib/Helper Two.dll".to_owned(),
                "code$Where$x/y/empty" => "{code_Where|x}/y/empty".to_owned(),
                path => path.replacen("app/", "{app}/", 1),
            };
            assert!(found.contains(&(ours, sum)), "{version}: {path}");
        }
    }
}

#[test]
fn what_is_encrypted_or_elsewhere_is_said() {
    let encrypted = made!("encrypted");
    assert!(refusal(&encrypted).contains("is encrypted"));
    let beside = installer(
        1,
        b"",
        include_bytes!("../../fixtures/installers/inno/beside.list"),
    );
    assert!(refusal(&beside).contains("lie in others beside it"));
    // Where the list itself is encrypted.
    let list = V7_0.list(&V7_0.entries(&[], 0), &[], 2);
    assert!(refusal(&installer(2, b"", &list)).contains("is encrypted"));
    let none = V7_0.list(&V7_0.entries(&[], 0), &[], 0);
    assert_eq!(paths(&installer(2, b"", &none)), [""; 0]);
}

const PLAIN: &[u8] = b"MZ and so on";

fn stored(plain: &[u8]) -> Vec<u8> {
    [b"zlb\x1a", plain].concat()
}

/// The place of the plain bytes in a chunk of their own.
fn place() -> Place {
    Place {
        slices: (0, 0),
        start: 0,
        at: 0,
        bytes: PLAIN.len() as u64,
        packed: PLAIN.len() as u64,
        digest: Sha256::digest(PLAIN).into(),
        flags: 0,
    }
}

fn list_of(form: &Form, files: &[(&str, u32)], places: &[Place]) -> Vec<u8> {
    form.list(&form.entries(files, places.len()), &form.places(places), 0)
}

#[test]
fn the_newest_lists_are_read_as_their_sources_say() {
    for (form, version) in [(&V6_4_3, 1), (&V7_0, 2)] {
        let list = list_of(
            form,
            &[(r"{app}\a.exe", 0), (r"{app}\beside.exe", u32::MAX)],
            &[place()],
        );
        let found = files(&installer(version, &stored(PLAIN), &list)).expect("an installer");
        let expected = ("{app}/a.exe".to_owned(), hex(&Sha256::digest(PLAIN)));
        assert_eq!(found, [expected], "{}", form.mark);
    }
}

#[test]
fn names_are_shown_as_the_script_has_them() {
    let list = |name: &str| {
        let list = list_of(&V7_0, &[(name, 0)], &[place()]);
        installer(2, &stored(PLAIN), &list)
    };
    for (name, expected) in [
        (r"{app}\lib\a.dll", "{app}/lib/a.dll"),
        (r"C:\a.dll", "C_/a.dll"),
        (r"\\server\a.dll", "server/a.dll"),
        (r"{code:Where|x}\a.dll", "{code_Where|x}/a.dll"),
        ("{app}/a.dll", "{app}/a.dll"),
    ] {
        assert_eq!(paths(&list(name)), [expected]);
    }
    for name in [r"{app}\..\a.dll", "", "\u{1}"] {
        assert!(refusal(&list(name)).contains("leaves its folder"), "{name}");
    }
    // What no entry names is shown all the same.
    let unnamed = list_of(&V7_0, &[], &[place()]);
    assert_eq!(
        paths(&installer(2, &stored(PLAIN), &unnamed)),
        ["unnamed/0"]
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    let with = |places: &[Place], data: &[u8]| {
        let list = list_of(&V7_0, &[("{app}/a", 0), ("{app}/b", 1)], places);
        installer(2, data, &list)
    };
    let second = |change: fn(&mut Place)| {
        let mut second = Place {
            start: 16,
            ..place()
        };
        change(&mut second);
        with(&[place(), second], &[stored(PLAIN), stored(PLAIN)].concat())
    };
    assert_eq!(paths(&second(|_| {})), ["{app}/a", "{app}/b"]);
    let mut broken = stored(PLAIN);
    broken[2] = b'x';
    let one = with(&[place()], &stored(PLAIN));
    let entries = V7_0.entries(&[("{app}/a", 0)], 1);
    let places = V7_0.places(&[place()]);
    let followed = V7_0.list(&entries, &[&places[..], b"x"].concat(), 0);
    let short = V7_0.list(&entries[..entries.len() - 200], &places, 0);
    let mut other = V7_0.list(&entries, &places, 0);
    other[23] = b'9';
    let in_list = |at: usize| {
        let list = V7_0.list(&entries, &places, 0);
        let mut bytes = installer(2, &stored(PLAIN), &list);
        bytes[PROGRAM_BYTES + stored(PLAIN).len() + at] ^= 1;
        bytes
    };
    let made = |list: &[u8]| installer(2, &stored(PLAIN), list);
    for (what, bytes, expected) in [
        ("overlapping chunks", second(|it| it.start = 15), "overlap"),
        (
            "one chunk of two lengths",
            second(|it| (it.start, it.packed, it.at) = (0, 11, 12)),
            "overlap",
        ),
        (
            "one chunk packed and not",
            second(|it| (it.start, it.flags, it.at) = (0, 16, 12)),
            "overlap",
        ),
        ("a gap in a chunk", second(|it| it.at = 1), "files overlap"),
        (
            "one place twice",
            second(|it| it.start = 0),
            "files overlap",
        ),
        (
            "a short file",
            second(|it| it.bytes = 11),
            "`{app}/b` does not have the digest",
        ),
        (
            "an empty file",
            second(|it| it.bytes = 0),
            "`{app}/b` does not have the digest",
        ),
        (
            "a long file",
            second(|it| it.bytes = 13),
            "cannot be unpacked",
        ),
        (
            "another digest",
            second(|it| it.digest[31] ^= 1),
            "`{app}/b` does not have the digest",
        ),
        (
            "an endless file",
            second(|it| it.bytes = u64::MAX),
            "cannot be unpacked",
        ),
        (
            "another slice",
            second(|it| it.slices = (0, 1)),
            "beside it",
        ),
        (
            "an encrypted chunk",
            second(|it| it.flags = 8),
            "is encrypted",
        ),
        (
            "another chunk",
            with(&[place()], &broken),
            "has a content that is not there",
        ),
        ("no content", one, "has a content that is not there"),
        ("a list that goes on", made(&followed), "something follows"),
        ("a list that ends", made(&short), "cannot be unpacked"),
        (
            "another version",
            made(&other),
            "is `Inno Setup Setup Data (9.0.0.3)`",
        ),
        ("a spoilt header of encryption", in_list(64), "checksum"),
        ("a spoilt header of a block", in_list(64 + 53), "checksum"),
        ("a spoilt piece", in_list(64 + 53 + 30), "checksum"),
        (
            "no file behind",
            second(|_| {})[..PROGRAM_BYTES + 20].to_vec(),
            "ends inside",
        ),
    ] {
        let said = refusal(&bytes);
        assert!(said.contains(expected), "{what}: {said}");
    }
    // A program that is stored as it is, with one bit changed.
    let (_, mut bytes) = made_plain();
    bytes[PROGRAM_BYTES + 40] ^= 1;
    assert!(refusal(&bytes).contains("`{app}/lib/Helper Two.dll` does not have the digest"));
}

fn made_plain() -> (&'static str, Vec<u8>) {
    let [.., plain, _] = made();
    plain
}

#[test]
fn a_program_is_an_installer_by_its_table() {
    let is = |bytes: &[u8]| is_installer(&mut Cursor::new(bytes)).expect("memory");
    let at = PROGRAM_BYTES as u64;
    let good = table(1, at, at, 0);
    assert!(is(&program(std::slice::from_ref(&good))));
    // Its loader looks at the checksum, and not at how the table begins.
    let mut other = good[..40].to_vec();
    other[0] = b'x';
    assert!(is(&program(&[sealed(other)])));
    let mut spoilt = good.clone();
    spoilt[20] ^= 1;
    assert!(refusal(&program(std::slice::from_ref(&spoilt))).contains("damaged, or several"));
    assert!(refusal(&program(&[good.clone(), good.clone()])).contains("damaged, or several"));
    spoilt[0] = b'x';
    assert!(!is(&program(&[spoilt])));
    assert!(!is(&program(&[])));
    assert!(!is(b"MZ"));
    let mut old = program(&[]);
    old[0x30..0x34].copy_from_slice(b"Inno");
    assert!(refusal(&old).contains("before 5.1.5"));
    let longer = table(1, at + 1, at, 0);
    assert!(refusal(&program(&[longer])).contains("ends inside"));
}

#[test]
fn large_windows_and_numbers_are_refused() {
    // The list says that it has files without end.
    let mut entries = V7_0.entries(&[], 0);
    let counts = 43 * 5;
    entries[counts + 32..counts + 36].fill(0xff);
    let list = V7_0.list(&entries, &[], 0);
    assert!(refusal(&installer(2, b"", &list)).contains("larger than is read"));
    // A window of 4 GiB, for a file of as many bytes.
    let mut entries = V7_0.entries(&[("{app}/a", 0)], 1);
    entries[counts + 147] = 4;
    let place = Place {
        bytes: u64::MAX / 2,
        flags: 16,
        ..place()
    };
    let list = V7_0.list(&entries, &V7_0.places(&[place]), 0);
    let said = refusal(&installer(2, &stored(b"\x28 and so on.."), &list));
    assert!(said.contains("needs more memory"), "{said}");
}

proptest! {
    #[test]
    fn spoilt_installers_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        of in 0..7_usize,
    ) {
        let spoil = |bytes: &mut [u8]| {
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
        };
        // Behind the checksums of lists, and in data that has none.
        let bytes = match of {
            0 => {
                let mut entries = V7_0.entries(&[("{app}/a", 0)], 1);
                spoil(&mut entries);
                let list = V7_0.list(&entries, &V7_0.places(&[place()]), 0);
                installer(2, &stored(PLAIN), &list)
            }
            1 => {
                let mut places = V7_0.places(&[place(), Place { start: 16, ..place() }]);
                spoil(&mut places);
                let list = V7_0.list(&V7_0.entries(&[("{app}/a", 0)], 2), &places, 0);
                installer(2, &[stored(PLAIN), stored(PLAIN)].concat(), &list)
            }
            of => {
                let (_, mut bytes) = made().into_iter().nth(of - 2).expect("one of them");
                spoil(&mut bytes);
                bytes
            }
        };
        drop(is_installer(&mut Cursor::new(&bytes)));
        drop(files(&bytes));
    }
}
