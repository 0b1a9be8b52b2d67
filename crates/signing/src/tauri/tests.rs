use std::process::Command;

use super::*;
use crate::checks::Outcome;
use crate::tests::skipped;

/// Made by `tauri signer generate` and `tauri signer sign` of `@tauri-apps/cli` 2.12.5, with a key that was thrown away.
const KEY: &str = include_str!("../../fixtures/tauri/snake-oil.pub");
const SIGNATURE: &str = include_str!("../../fixtures/tauri/atlas.app.tar.gz.sig");
const ARTIFACT: &[u8] = include_bytes!("../../fixtures/tauri/atlas.app.tar.gz");

fn failed(signature: Option<&str>, artifact: &[u8], key: &PublicKey) -> Vec<&'static str> {
    let opened = open(signature.map(str::as_bytes), key, "atlas.app.tar.gz");
    let mut reading = opened.reading(key);
    if let Some(reading) = &mut reading {
        artifact.chunks(5).for_each(|piece| reading.update(piece));
    }
    let checks = opened.checks(reading, key);
    assert!(!checks.is_empty(), "nobody looked");
    for check in &checks {
        assert!(
            !check.reason.chars().any(char::is_control),
            "{}",
            check.reason
        );
    }
    let failed = checks.iter().filter(|it| it.outcome != Outcome::Pass);
    failed.map(|it| it.id.as_str()).collect()
}

fn key() -> PublicKey {
    KEY.parse().expect("a key")
}

fn wrapped(text: &str) -> String {
    BASE64.encode(text)
}

#[test]
fn a_signature_of_tauris_is_over_these_bytes() {
    assert_eq!(failed(Some(SIGNATURE), ARTIFACT, &key()), [""; 0]);
    assert_eq!(
        failed(Some(&format!("{SIGNATURE}\n")), ARTIFACT, &key()),
        [""; 0]
    );
    assert_eq!(
        failed(Some(SIGNATURE), b"another", &key()),
        ["tauri.signature"]
    );
    assert_eq!(failed(Some(SIGNATURE), b"", &key()), ["tauri.signature"]);
    let inside = unwrapped(SIGNATURE).expect("text");
    let renamed = wrapped(&inside.replace("file:atlas", "file:other"));
    assert_eq!(
        failed(Some(&renamed), ARTIFACT, &key()),
        ["tauri.signature"],
        "signed too"
    );
    assert_eq!(key().id(), "1CCE70C1BD2673FC");
}

#[test]
fn what_projects_put_in_its_place_is_refused() {
    let inside = unwrapped(SIGNATURE).expect("text");
    let twice = wrapped(SIGNATURE.trim());
    let long = "A".repeat(8200);
    for text in [
        None,
        Some(""),
        Some("https://example.org/atlas.app.tar.gz.sig"),
        Some("atlas.app.tar.gz.sig"),
        Some(&*inside),
        Some(&*twice),
        Some(KEY),
        Some(&*long),
    ] {
        assert_eq!(
            failed(text, ARTIFACT, &key()),
            ["tauri.present"],
            "{text:?}"
        );
    }
    let other = include_str!("../../fixtures/snake-oil.pub");
    let other: PublicKey = wrapped(other).parse().expect("a key");
    assert_eq!(failed(Some(SIGNATURE), ARTIFACT, &other), ["tauri.key-id"]);
    let bare = unwrapped(KEY).expect("text");
    let bare = bare.lines().last().expect("a line");
    for text in [
        "",
        "RWQ",
        bare,
        SIGNATURE,
        &wrapped(KEY.trim()),
        "https://example.org",
    ] {
        assert!(text.parse::<PublicKey>().is_err(), "{text}");
    }
}

/// minisign takes what is inside, and nothing else of it.
#[test]
fn minisign_agrees() {
    if Command::new("minisign").arg("-v").output().is_err() {
        return skipped("minisign is not installed");
    }
    let folder = std::env::temp_dir().join(format!("lastmile-tauri-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    };
    let (key_text, inside) = (unwrapped(KEY), unwrapped(SIGNATURE));
    let public = put("key.pub", key_text.expect("text").as_bytes());
    let signature = put("artifact.minisig", inside.expect("text").as_bytes());
    for bytes in [ARTIFACT, b"another".as_slice()] {
        let artifact = put("artifact", bytes);
        let mut minisign = Command::new("minisign");
        minisign
            .arg("-Vqm")
            .arg(artifact)
            .arg("-x")
            .arg(&signature)
            .arg("-p")
            .arg(&public);
        let agrees = minisign.output().expect("minisign").status.success();
        assert_eq!(failed(Some(SIGNATURE), bytes, &key()).is_empty(), agrees);
    }
    std::fs::remove_dir_all(folder).expect("removed");
}
