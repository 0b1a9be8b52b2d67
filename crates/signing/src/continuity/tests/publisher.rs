//! Who may have signed, as electron-updater asks: its own code is the judge of ours.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rand::{Rng as _, SeedableRng as _};

use super::*;
use crate::continuity::publisher::accepts;
use crate::tests::skipped;

const SUBJECT: &str = "O=Snake Oil Ltd, CN=Snake Oil Signer";

fn step(names: &[&str], installer: &[u8]) -> ContinuityReport {
    let names: Vec<_> = names.iter().map(|it| (*it).to_owned()).collect();
    let publishers = [Publishers {
        path: "app-update.yml".to_owned(),
        names: Ok(Some(names)),
    }];
    let new = released(Platform::WindowsX64, Kind::Nsis, installer);
    compare(Comparison {
        previous: &[],
        next: &[new],
        publishers: &publishers,
    })
}

#[test]
fn an_installer_is_signed_by_a_publisher_that_apps_accept() {
    let signed = fixture!("pki/signed.exe");
    for names in [
        &["Snake Oil Signer"][..],
        &["Somebody Else", "Snake Oil Signer"],
        &[SUBJECT],
        &["CN=Snake Oil Signer"],
        &["CN=\"Snake Oil Signer\" , O=Snake Oil Ltd"],
    ] {
        let report = step(names, signed);
        assert_eq!(failed(&report), [""; 0], "{names:?}");
        assert_eq!(passed(&report), ["continuity.publisher-name"]);
    }
    for names in [
        &["Snake Oil Ltd"][..],
        &["snake oil signer"],
        &["CN=Snake Oil Signer, O=Another"],
        &["CN=Snake Oil Signer, C=US"],
        &["OU=Snake Oil Signer"],
        &[],
        &[""],
    ] {
        let report = step(names, signed);
        assert_eq!(failed(&report), ["continuity.publisher-name"], "{names:?}");
        let said = &report.steps[0].checks[0].reason;
        assert!(
            said.contains("signed by `O=Snake Oil Ltd, CN=Snake Oil Signer`"),
            "{said}"
        );
    }
    // What Windows does not accept, nobody asks for its name.
    let mut spoilt = signed.to_vec();
    spoilt[0x300] ^= 1;
    let report = step(&["Snake Oil Signer"], &spoilt);
    assert_eq!(failed(&report), ["continuity.publisher-name"]);
}

#[test]
fn apps_that_do_not_ask_are_noted_and_files_that_cannot_be_read_fail() {
    let new = released(Platform::WindowsX64, Kind::Nsis, fixture!("pki/signed.exe"));
    let with = |names| {
        compare(Comparison {
            previous: &[],
            next: std::slice::from_ref(&new),
            publishers: &[Publishers {
                path: "app-update.yml".to_owned(),
                names,
            }],
        })
    };
    let report = with(Ok(None));
    assert_eq!(failed(&report), [""; 0]);
    assert!(notes(&report).contains("names no `publisherName`"));
    let report = with(Err("no YAML".to_owned()));
    assert_eq!(failed(&report), ["continuity.readable"]);
    // Where no such file is found, that is said.
    let report = compared(std::slice::from_ref(&new), std::slice::from_ref(&new));
    assert!(notes(&report).contains("no `app-update.yml` was found"));
}

/// The file lies deep in what users unpack, and is found in containers inside.
#[test]
fn what_an_app_asks_is_found_inside() {
    use crate::tar::tests::{archive, member};
    let text = b"provider: generic\npublisherName: Snake Oil\n";
    let inner = archive(&[member("app/resources/app-update.yml", b'0', text)]);
    let outer = archive(&[
        member("inner.tar", b'0', &inner),
        member("app-update.yml.bak", b'0', text),
    ]);
    let found = released(Platform::WindowsX64, Kind::TarGz, &outer);
    let updates: Vec<_> = found.facts.app_updates().collect();
    assert_eq!(
        updates,
        [("inner.tar!/app/resources/app-update.yml", text.as_slice())]
    );
}

/// Names and subjects that differ in little things, each answered by electron-updater itself and by us.
#[test]
fn electron_updater_gives_the_same_answers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/judges/electron-updater");
    if !folder.join("node_modules").is_dir() {
        return skipped("run `npm ci --ignore-scripts` in tests/judges/electron-updater");
    }
    let mut random = rand::rngs::StdRng::seed_from_u64(20_261_125);
    let pieces = [
        "CN=",
        "O=",
        "OU=",
        "Snake Oil",
        "Snake",
        " Oil",
        "\"",
        "\"\"",
        ",",
        ", ",
        ";",
        "+",
        " + ",
        "=",
        " = ",
        "\\",
        "\\,",
        "\\2C",
        "\\4",
        "\\0x",
        "\\-1",
        "\\+1",
        "\\ 4",
        "  ",
        "é",
        "\u{1f40d}",
        "\\é",
        "CN=Snake Oil",
        "CN=Snake Oil, O=Snake",
        "\u{a0}",
        "\u{feff}",
        "\t",
    ];
    let mut text = || {
        let count = random.gen_range(0..7);
        let parts = (0..count).map(|_| pieces[random.gen_range(0..pieces.len())]);
        parts.collect::<String>()
    };
    let mut cases = vec![
        (
            vec!["Snake Oil".to_owned()],
            "CN=Snake Oil, O=Snake Oil, C=US".to_owned(),
        ),
        (vec![], "CN=Snake Oil".to_owned()),
    ];
    for round in 0..4_000 {
        let subject = text();
        let mut names: Vec<_> = (0..round % 3).map(|_| text()).collect();
        if round % 2 == 0 {
            names.push(subject.clone());
        }
        cases.push((names, subject));
    }
    let request = serde_json::to_vec(&cases).expect("JSON");
    let mut judge = Command::new("node");
    let judge = judge.arg("publisher.mjs").current_dir(&folder);
    let spawned = judge.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut judge) = spawned else {
        return skipped("`node` is not installed");
    };
    let mut input = judge.stdin.take().expect("a pipe");
    input.write_all(&request).expect("the request");
    drop(input);
    let output = judge.wait_with_output().expect("an answer");
    let answers: Vec<bool> = serde_json::from_slice(&output.stdout).expect("answers");
    assert_eq!(answers.len(), cases.len());
    let accepted = answers.iter().filter(|it| **it).count();
    assert!(accepted > 500 && accepted < 3_500, "{accepted}");
    for ((names, subject), answer) in cases.iter().zip(answers) {
        assert_eq!(accepts(names, subject), answer, "{names:?} {subject:?}");
    }
}
