//! 7-Zip reads disk images too, and knows nothing of signatures: what it says of checksums is what we say.

use std::process::Command;

use super::*;
use crate::tests::skipped;

/// Whether 7-Zip finds nothing wrong. It says so of a wrong checksum, and ends as if all were well.
fn is_whole(name: &str, bytes: &[u8]) -> bool {
    let path = std::env::temp_dir().join(format!("lastmile-{}-{name}.dmg", std::process::id()));
    std::fs::write(&path, bytes).expect("a folder that can be written");
    let output = Command::new("7z").arg("t").arg(&path).output();
    std::fs::remove_file(&path).expect("the file");
    let said = output.expect("7z").stdout;
    let said = String::from_utf8_lossy(&said);
    said.contains("Everything is Ok") && !said.contains("Warnings: ")
}

#[test]
fn seven_zip_finds_the_same_checksums_wrong() {
    if Command::new("7z").output().is_err() {
        return skipped("`7z` is not installed; on Debian it is in p7zip-full");
    }
    let mut mutants: Vec<(&str, Vec<u8>)> = vec![
        ("good", GOOD.to_vec()),
        ("other", OTHER.to_vec()),
        ("unstapled", stapled(None)),
    ];
    let mut bare = Copy::good();
    bare.signature.clear();
    mutants.push(("bare", bare.placed()));
    let names = [
        "data",
        "checksum in the property list",
        "checksum in the end",
        "checksum of checksums in the end",
    ];
    for (name, _, spoil) in MUTANTS.iter().filter(|it| names.contains(&it.0)) {
        let mut copy = Copy::good();
        spoil(&mut copy);
        mutants.push((name, copy.bytes()));
    }
    assert_eq!(mutants.len(), 8);
    for (name, bytes) in mutants {
        let is_ours = !failed(&look(&bytes)).contains(&"dmg.data-checksum");
        assert_eq!(is_whole(name, &bytes), is_ours, "{name}");
        assert_eq!(is_ours, !names.contains(&name), "{name}");
    }
}
