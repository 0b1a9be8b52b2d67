//! Repositories with one thing wrong: the check that must fail, and what apt does with it.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::repository::{BINARY, BINARY_ALL, DEB, Form, Repository, has_tools};
use crate::apt::release_file::{Readers, ReleaseFile};
use crate::apt::version::compare;
use crate::apt::{PACKINGS, index};

/// What `apt-get` 2.6 says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Apt {
    Refuses,
    /// For that reason; the list of these is what we differ in.
    Accepts(&'static str),
}
use Apt::{Accepts, Refuses};

type Mutant = (&'static str, &'static str, Apt, fn(&mut Repository));

/// Changes a file.
fn change(root: &Path, path: &str, changes: fn(&mut Vec<u8>)) {
    let path = root.join(path);
    let mut bytes = fs::read(&path).expect("a file");
    changes(&mut bytes);
    fs::write(path, bytes).expect("a file");
}

/// Without the lines of a field.
fn without(text: &str, field: &str) -> String {
    let mut is_in = false;
    let lines = text.lines().filter(|line| {
        if !line.starts_with(' ') {
            is_in = line.starts_with(field);
        }
        !is_in
    });
    lines.map(|line| format!("{line}\n")).collect()
}

/// With a field of another value.
fn with(text: &str, field: &str, value: &str) -> String {
    format!("{field}: {value}\n{}", without(text, &format!("{field}:")))
}

/// Without a path in the list of a digest.
pub(super) fn unlisted(text: &str, list: &str, path: &str) -> String {
    let mut is_in = false;
    let lines = text.lines().filter(|line| {
        if !line.starts_with(' ') {
            is_in = line.strip_suffix(':') == Some(list);
        }
        !(is_in && line.ends_with(&format!(" {path}")))
    });
    lines.map(|line| format!("{line}\n")).collect()
}

/// Packages of all architectures into an index of their own, as others do it.
pub(super) fn split_all(root: &Path) {
    let (from, to) = (root.join(BINARY), root.join(BINARY_ALL));
    let text = fs::read_to_string(from.join("Packages")).expect("a file");
    let is_all = |it: &&str| it.contains("Architecture: all");
    let paragraphs = text.split_inclusive("\n\n");
    let (all, own): (Vec<_>, Vec<_>) = paragraphs.partition(is_all);
    fs::create_dir_all(&to).expect("a folder");
    fs::write(from.join("Packages"), own.concat()).expect("a file");
    fs::write(to.join("Packages"), all.concat()).expect("a file");
}

/// A later version for all architectures, in an index of its own.
pub(super) fn with_all(it: &mut Repository) {
    it.packings = &[];
    it.others = vec![("atlas", "9.9.9", "all")];
    it.listed = split_all;
}

/// The index to another folder of the suite, unpacked.
fn moved(it: &mut Repository, listed: fn(&Path)) {
    it.packings = &[];
    it.listed = listed;
}

fn rename(root: &Path, to: &str) {
    let to = root.join(to);
    fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
    fs::rename(root.join(BINARY), to).expect("it was there");
}

const IN_PLACE: &[Mutant] = &[
    ("digit of a digest", "apt.signature", Refuses, |it| {
        it.signed = |text| text.replacen("Suite: stable", "Suite: stablf", 1);
    }),
    ("text before", "apt.signature", Refuses, |it| {
        it.signed = |text| format!("Suite: stable\n{text}");
    }),
    ("empty line before", "apt.signature", Refuses, |it| {
        it.signed = |text| format!("\n{text}")
    }),
    ("text behind", "apt.signature", Refuses, |it| {
        it.signed = |text| format!("{text}Suite: stable\n");
    }),
    ("two of it", "apt.signature", Refuses, |it| {
        it.signed = |text| text.repeat(2);
    }),
    (
        "header that is not `Hash`",
        "apt.signature",
        Accepts("gpgv passes over it"),
        |it| {
            it.signed = |text| text.replacen("Hash: ", "Comment: x\nHash: ", 1);
        },
    ),
    ("line that is not escaped", "apt.signature", Refuses, |it| {
        it.signed = |text| text.replacen("\nSuite: ", "\n-Suite: ", 1);
    }),
    ("text between the blocks", "apt.signature", Refuses, |it| {
        it.signed = |text| {
            text.replacen(
                "-----END PGP SIGNATURE-----",
                "-----END PGP SIGNATURE-----\n\nSuite: x",
                1,
            )
        };
    }),
    ("signature that is cut", "apt.signature", Refuses, |it| {
        it.signed = |text| text[..text.len() - 60].to_owned();
    }),
    ("no signature", "apt.signature", Refuses, |it| {
        it.signed = |text| {
            let (_, text) = text.split_once("\n\n").expect("an empty line");
            let (text, _) = text.split_once("-----BEGIN").expect("a signature");
            text.to_owned()
        };
    }),
    ("signature of a stranger", "apt.signature", Refuses, |it| {
        it.is_strangers = true;
    }),
    ("no release file", "apt.signature", Refuses, |it| {
        it.behind = |root| {
            fs::remove_file(root.join("dists/stable/InRelease")).expect("it was there");
        };
    }),
];

const BESIDE: &[Mutant] = &[
    ("byte of the text", "apt.signature", Refuses, |it| {
        it.signed = |text| text.replacen("Suite: stable", "Suite: stablf", 1);
    }),
    ("no signature", "apt.signature", Refuses, |it| {
        it.behind = |root| {
            fs::remove_file(root.join("dists/stable/Release.gpg")).expect("it was there");
        };
    }),
    ("signature of a stranger", "apt.signature", Refuses, |it| {
        it.is_strangers = true;
    }),
    (
        "another file that is read first",
        "apt.signature",
        Refuses,
        |it| {
            it.behind = |root| {
                fs::write(root.join("dists/stable/InRelease"), "Suite: stable\n").expect("a file");
            };
        },
    ),
];

const ALL: &[Mutant] = &[
    ("end that is past", "apt.validity", Refuses, |it| {
        it.text = |text| with(&text, "Valid-Until", "Wed, 01 Jan 2025 00:00:00 UTC");
    }),
    ("date of the future", "apt.validity", Refuses, |it| {
        it.text = |text| {
            let text = without(&text, "Valid-Until:");
            with(&text, "Date", "Thu, 01 Jan 2099 00:00:00 UTC")
        };
    }),
    (
        "date in another zone",
        "apt.release",
        Accepts("it takes that for no date"),
        |it| {
            it.text = |text| with(&text, "Date", "Wed, 01 Jan 2025 00:00:00 CET");
        },
    ),
    ("no date", "apt.release", Accepts("it does without"), |it| {
        it.text = |text| without(&text, "Date:");
    }),
    (
        "digests of MD5 and SHA-1 alone",
        "apt.release",
        Refuses,
        |it| {
            it.text = |text| without(&without(&text, "SHA256:"), "SHA512:");
        },
    ),
    (
        "date that is there twice",
        "apt.release",
        Accepts("it takes the last"),
        |it| it.text = |text| format!("{text}Date: Wed, 01 Jan 2025 00:00:00 UTC\n"),
    ),
    (
        "second paragraph",
        "apt.release",
        Accepts("it reads the first alone"),
        |it| it.text = |text| format!("{text}\nSuite: other\n"),
    ),
    (
        "path that leaves the folder",
        "apt.release",
        Accepts("it asks for no such file"),
        |it| {
            it.text = |text| {
                let line = text.lines().rfind(|line| line.ends_with("Packages.gz"));
                let line = line.expect("an index").replace("main/", "../main/");
                text.replacen("SHA256:\n", &format!("SHA256:\n{line}\n"), 1)
            };
        },
    ),
    (
        "index that is listed by SHA-512 alone",
        "apt.release",
        Accepts("it believes that as much"),
        |it| {
            with_all(it);
            it.text = |text| unlisted(&text, "SHA256", "main/binary-all/Packages");
        },
    ),
    (
        "list by SHA-512 that cannot be read",
        "apt.release",
        Refuses,
        |it| it.text = |text| text.replacen("SHA512:\n", "SHA512:\n 00 main\n", 1),
    ),
    (
        "path that is not spelt as apt looks for it",
        "apt.release",
        Refuses,
        |it| it.text = |text| text.replace(" main/", " ./main/"),
    ),
    (
        "index in no folder of a component",
        "apt.coverage",
        Refuses,
        |it| moved(it, |root| rename(root, "dists/stable/x/y")),
    ),
    (
        "index of all architectures, which are not named",
        "apt.coverage",
        Refuses,
        |it| moved(it, |root| rename(root, BINARY_ALL)),
    ),
    (
        "index of all architectures, which is said to be for others",
        "apt.coverage",
        Refuses,
        |it| {
            moved(it, |root| rename(root, BINARY_ALL));
            it.text = |text| {
                let text = with(&text, "Architectures", "all amd64");
                with(&text, "No-Support-for-Architecture-all", "Packages")
            };
        },
    ),
    (
        "component that is not named",
        "apt.coverage",
        Accepts("it takes what its source names"),
        |it| it.text = |text| with(&text, "Components", "contrib"),
    ),
    (
        "architecture that is not named",
        "apt.coverage",
        Accepts("it takes what its source names"),
        |it| it.text = |text| with(&text, "Architectures", "s390x"),
    ),
    (
        "index that is not listed unpacked",
        "apt.coverage",
        Refuses,
        |it| {
            it.text = |text| {
                let lines = text
                    .lines()
                    .filter(|line| !line.ends_with(" main/binary-amd64/Packages"));
                lines.map(|line| format!("{line}\n")).collect()
            };
        },
    ),
    (
        "line of a blank between packages",
        "apt.index",
        Refuses,
        |it| {
            it.index = |text| {
                let earlier = text.replace("1.4.0", "1.3.0");
                format!("{}\n \n{earlier}", text.trim_end())
            };
        },
    ),
    (
        "line of a tab behind a package",
        "apt.index",
        Accepts("it is of that package"),
        |it| it.index = |text| format!("{}\n\t\n", text.trim_end()),
    ),
    ("byte of an index", "apt.index", Refuses, |it| {
        it.behind = |root| {
            change(root, &format!("{BINARY}/Packages.gz"), |bytes| {
                let last = bytes.len() - 9;
                bytes[last] ^= 1;
            });
        };
    }),
    ("no index", "apt.index", Refuses, |it| {
        it.behind = |root| {
            fs::remove_file(root.join(BINARY).join("Packages.gz")).expect("it was there");
        };
    }),
    ("index of another size", "apt.index", Refuses, |it| {
        it.text = |text| {
            let line = text
                .lines()
                .rfind(|line| line.ends_with("binary-amd64/Packages.gz"));
            let line = line.expect("an index");
            let mut words: Vec<_> = line.split_ascii_whitespace().collect();
            words[1] = "1";
            // The last list is that of SHA-512, which is dropped.
            let text = without(&text, "SHA512:");
            let line = text
                .lines()
                .rfind(|line| line.ends_with("binary-amd64/Packages.gz"));
            let line = line.expect("an index").to_owned();
            let sha256 = line.split_ascii_whitespace().next().expect("a digest");
            words[0] = sha256;
            text.replace(&line, &format!(" {}", words.join(" ")))
        };
    }),
    (
        "packed index that says something else",
        "apt.index",
        Refuses,
        |it| {
            it.listed = |root| {
                let folder = root.join(BINARY);
                let text = fs::read_to_string(folder.join("Packages")).expect("a file");
                let text = text.replacen("Version: 1.4.0", "Version: 1.4.1", 1);
                fs::write(folder.join("Other"), text).expect("a file");
                let output = std::process::Command::new("gzip")
                    .args(["-c", "Other"])
                    .current_dir(&folder)
                    .output();
                let output = output.expect("it starts").stdout;
                fs::write(folder.join("Packages.gz"), output).expect("a file");
                fs::remove_file(folder.join("Other")).expect("it was there");
            };
        },
    ),
    ("package without SHA-256", "apt.index", Refuses, |it| {
        it.index = |text| without(&without(&text, "SHA256:"), "SHA512:");
    }),
    ("package with two digests", "apt.index", Refuses, |it| {
        it.index = |text| {
            format!(
                "{}SHA256: {}\n\n",
                text.trim_end().to_owned() + "\n",
                "0".repeat(64)
            )
        }
    }),
    (
        "package that is there with two digests",
        "apt.index",
        Refuses,
        |it| {
            it.index = |text| {
                let sha256 = text.lines().find_map(|line| line.strip_prefix("SHA256: "));
                let sha256 = sha256.expect("a digest").to_owned();
                format!("{}\n{text}", text.replace(&sha256, &"0".repeat(64)))
            };
        },
    ),
    (
        "package whose path leaves the folder",
        "apt.index",
        Accepts("it follows it"),
        |it| {
            it.index = |text| text.replacen("Filename: pool/", "Filename: pool/../pool/", 1);
        },
    ),
    ("byte of the package", "apt.digest", Refuses, |it| {
        it.behind = |root| change(root, DEB, |bytes| bytes.push(b'\n'));
    }),
    ("size of the package", "apt.digest", Refuses, |it| {
        it.index = |text| with(&text, "Size", "1");
    }),
    (
        "package that is not listed",
        "apt.coverage",
        Refuses,
        |it| {
            it.index = |text| {
                let text = text.replace("Package: atlas", "Package: other");
                let other = with(&text, "SHA256", &"0".repeat(64));
                other.replace("atlas_1.4.0_amd64", "other_1.4.0_amd64")
            };
        },
    ),
    (
        "later version beside it",
        "apt.extra",
        Accepts("it is signed too"),
        |it| it.others = vec![("atlas", "1.4.1", "amd64")],
    ),
    (
        "version for another machine",
        "apt.extra",
        Accepts("it is signed too"),
        |it| it.others = vec![("atlas", "1.4.0", "arm64")],
    ),
];

#[test]
fn each_mutant_fails_its_check_and_is_judged() {
    if !has_tools() {
        return;
    }
    let mut wrong = Vec::new();
    for (form, mutants) in [
        (Form::InPlace, IN_PLACE),
        (Form::Beside, BESIDE),
        (Form::InPlace, ALL),
    ] {
        for (what, check, expected, spoil) in mutants {
            let mut repository = Repository::new(form);
            spoil(&mut repository);
            let built = repository.built();
            let failed = built.failed();
            if failed != [*check] {
                wrong.push(format!(
                    "{form:?}, {what}: expected {check}, found {failed:?}: {:?}",
                    built.checks().last()
                ));
            }
            let accepts = built.apt();
            if accepts != matches!(expected, Accepts(_)) {
                wrong.push(format!("{form:?}, {what}: apt accepts: {accepts}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Whatever stands in a release file or an index, the answer is anything but a panic.
    #[test]
    fn texts_of_any_kind_never_panic(
        text in "(Date|SHA256|Valid-Until|Package|Size|[ -~]{0,6}):? ?[ -~\\n\t]{0,80}",
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        drop(ReleaseFile::parse(&text));
        for (_, packing) in PACKINGS {
            drop(index::read(&bytes, packing, Readers::Clients, &mut BTreeMap::new()));
            drop(index::read(text.as_bytes(), packing, Readers::Nobody, &mut BTreeMap::new()));
        }
        prop_assert_eq!(compare(&text, &text), Ordering::Equal);
    }
}
