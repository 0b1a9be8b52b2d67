//! Feeds as tools write them, and what is none.

use super::*;

fn listed(name: &str, text: &str) -> Listing {
    let read = read(name, text.as_bytes()).expect("a feed by its name");
    read.unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn refused(name: &str, text: &str) -> String {
    let read = read(name, text.as_bytes()).expect("a feed by its name");
    read.expect_err("refused").to_string()
}

/// As electron-builder 26 writes it.
const LATEST: &str = "version: 1.4.0\nfiles:\n  - url: Atlas-Setup-1.4.0.exe\n    sha512: z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==\n    size: 7\npath: Atlas-Setup-1.4.0.exe\nsha512: z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==\nreleaseDate: '2026-11-20T10:00:00.000Z'\n";

#[test]
fn electron_builder_lists_files_and_once_more_for_old_clients() {
    let found = listed("latest.yml", LATEST);
    assert_eq!(found.version.as_deref(), Some("1.4.0"));
    let names: Vec<_> = found.files.iter().map(|it| (it.name(), it.size)).collect();
    let name = || "Atlas-Setup-1.4.0.exe".to_owned();
    assert_eq!(names, [(name(), Some(7)), (name(), None)]);
    // Another channel is known by what it says, and any other YAML is none.
    assert!(read("nightly-mac.yml", LATEST.as_bytes()).is_some());
    assert!(
        read(
            "builder-debug.yml",
            b"x64:\n  firstOrDefaultFilePatterns: []\n"
        )
        .is_none()
    );
    assert!(read("docker-compose.yml", b"version: '3'\nservices: {}\n").is_none());
}

#[test]
fn what_an_installer_from_the_web_loads_is_listed() {
    let sha512 =
        "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";
    let package = |more: &str| {
        format!("{LATEST}packages:\n  x64:\n    path: atlas-1.4.0-x64.nsis.7z\n    size: 3\n{more}")
    };
    let found = listed("latest.yml", &package(&format!("    sha512: {sha512}\n")));
    let is_there = |it: &Listed| it.name() == "atlas-1.4.0-x64.nsis.7z" && it.size == Some(3);
    assert!(found.files.iter().any(is_there), "{found:?}");
    refused("latest.yml", &package(""));
}

#[test]
fn each_file_of_electron_builder_is_for_its_systems() {
    let of = |name: &str| {
        let installs = listed(name, LATEST).installs;
        installs
            .iter()
            .map(|(it, _)| it.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of("latest.yml"),
        ["windows-x64", "windows-arm64", "windows-ia32"]
    );
    assert_eq!(
        of("beta-mac.yml"),
        ["macos-x64", "macos-arm64", "macos-universal"]
    );
    assert_eq!(of("latest-linux.yml"), ["linux-x64"]);
    assert_eq!(of("latest-linux-arm64.yml"), ["linux-arm64"]);
    assert_eq!(of("latest-linux-arm.yml"), ["linux-armv7l"]);
}

#[test]
fn a_feed_that_is_spoilt_is_refused() {
    for text in [
        "version: 1.4.0\nfiles: []\n",
        "version: 1.4.0\nfiles:\n  - url: a.exe\n",
        "version: 1.4.0\nfiles:\n  - url: a.exe\n    sha512: abc\n",
        "files: {",
        "version: 1\nversion: 2\nfiles: []\n",
    ] {
        refused("latest.yml", text);
    }
    refused("RELEASES", "abc a-1.4.0-full.nupkg 3\n");
    refused(
        "RELEASES",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709 a.exe 3\n",
    );
    refused(
        "releases.win.json",
        "{\"Assets\":[{\"Version\":\"1.4.0\",\"FileName\":\"a\",\"Size\":1}]}",
    );
    refused("releases.win.json", "{}");
    refused(
        "latest.json",
        "{\"version\":\"1.4.0\",\"platforms\":{\"linux-x86_64\":{\"url\":\"a\"}}}",
    );
    refused("latest.json", "{");
    assert!(read("latest.json", b"{\"version\":\"1.4.0\"}").is_none());
}

#[test]
fn squirrel_lists_packages_by_sha1() {
    let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    let text = format!(
        "\u{feff}{sha1} Atlas-1.3.0-full.nupkg 5\r\n{sha1} https://dl.example/my-atlas-1.4.0-beta1-full.nupkg?a=b 7 # 10%\r\n\r\n"
    );
    let found = listed("RELEASES", &text);
    let versions: Vec<_> = found
        .files
        .iter()
        .filter_map(|it| it.version.as_deref())
        .collect();
    assert_eq!(versions, ["1.3.0", "1.4.0-beta1"]);
    assert_eq!(
        found.files.last().map(Listed::name).as_deref(),
        Some("my-atlas-1.4.0-beta1-full.nupkg")
    );
}

#[test]
fn velopack_lists_packages_by_both_digests() {
    // As vpk writes it: notes may hold surrogates as .NET escapes them.
    let text = r#"{"Assets":[{"PackageId":"Atlas","Version":"1.4.0","Type":"Full","FileName":"Atlas-1.4.0-osx-arm64-full.nupkg","SHA1":"DA39A3EE5E6B4B0D3255BFEF95601890AFD80709","SHA256":"E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855","Size":7,"NotesMarkdown":"\uD83D\uDE80"}]}"#;
    let found = listed("releases.osx-arm64.json", text);
    assert_eq!(found.files.first().map(|it| it.digests.len()), Some(2));
    let platforms: Vec<_> = found.installs.iter().map(|(it, _)| it.as_str()).collect();
    assert_eq!(platforms, ["macos-arm64"]);
    assert_eq!(listed("releases.win.json", text).installs.len(), 3);
    assert_eq!(listed("releases.stable.json", text).installs, []);
}

#[test]
fn tauri_lists_a_signature_for_each_target() {
    let text = r#"{"version":"v1.4.0","notes":"","pub_date":"2026-11-20T10:00:00Z","platforms":{"darwin-aarch64":{"signature":"ZA==","url":"https://dl.example/Atlas_aarch64.app.tar.gz"},"windows-x86_64-nsis":{"signature":"ZQ==","url":"https://dl.example/Atlas_1.4.0_x64-setup.exe"}}}"#;
    let found = listed("latest.json", text);
    let platforms: Vec<_> = found.installs.iter().map(|(it, _)| it.as_str()).collect();
    assert_eq!(platforms, ["macos-arm64", "windows-x64"]);
    let signatures: Vec<_> = found
        .files
        .iter()
        .filter_map(|it| it.signature.as_deref())
        .collect();
    assert_eq!(signatures, ["ZA==", "ZQ=="]);
}

#[test]
fn an_app_says_who_may_have_signed() {
    let names = |text: &str| publisher_names(text.as_bytes()).ok();
    let one = "provider: generic\nurl: https://dl.example\npublisherName: Snake Oil, Inc.\nupdaterCacheDirName: atlas-updater\n";
    assert_eq!(names(one), Some(Some(vec!["Snake Oil, Inc.".to_owned()])));
    let both = "publisherName:\n  - CN=Snake Oil\n  - Old Oil\n";
    assert_eq!(names(both).flatten().map(|it| it.len()), Some(2));
    assert_eq!(names("provider: github\n"), Some(None));
    assert_eq!(names("publisherName: null\n"), Some(None));
    assert_eq!(names("publisherName: { a: b }\n"), None);
    assert_eq!(names("- a\n"), None);
}

use release::Listed;
