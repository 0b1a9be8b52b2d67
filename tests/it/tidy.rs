//! The house stays as `crates/README.md` says: edges, absences, paths, and sizes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which of our crates each may depend on. The arrows only point one way.
const EDGES: [(&str, &[&str]); 9] = [
    ("release", &[]),
    ("signing", &["release"]),
    ("feed", &["release"]),
    ("store", &["release"]),
    ("github", &["release"]),
    ("ops", &["feed", "github", "release", "signing", "store"]),
    (
        "lastmile",
        &["feed", "github", "ops", "release", "signing", "store"],
    ),
    ("testkit", &["release"]),
    (
        "fuzz",
        &["feed", "github", "ops", "release", "signing", "store"],
    ),
];
const PURE: [&str; 3] = ["release", "signing", "feed"];
/// What pure sources must not name: I/O, the environment, a clock.
const IMPURE: [&str; 10] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "tokio",
    "reqwest",
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
];

/// What may be larger than 200 KiB: the lock, and Microsoft's roots, which are compiled in.
const LARGE: [&str; 2] = ["Cargo.lock", "crates/signing/roots/microsoft.table"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let skipped = path
            .file_name()
            .is_some_and(|name| name == "node_modules" || name == "target");
        if path.is_dir() && !skipped {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn crates_depend_only_on_what_the_map_allows() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let metadata = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata");
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).expect("metadata");
    let packages = metadata["packages"].as_array().expect("packages");
    let ours: Vec<_> = packages
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    let mut found = BTreeMap::new();
    for package in packages {
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        let ours = dependencies
            .iter()
            .filter(|dependency| dependency["kind"].is_null())
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|name| ours.contains(name));
        let mut edges: Vec<_> = ours.collect();
        edges.sort_unstable();
        found.insert(package["name"].as_str().expect("name"), edges);
    }
    let allowed: BTreeMap<_, _> = EDGES
        .iter()
        .map(|(name, edges)| (*name, edges.to_vec()))
        .collect();
    assert_eq!(
        found, allowed,
        "crates/README.md and EDGES say which arrows there are"
    );
}

#[test]
fn pure_crates_are_pure() {
    for name in PURE {
        for path in sources(&root().join("crates").join(name).join("src")) {
            let text = read(&path);
            // Tests may read fixtures; the code before them may not.
            let code = if path.ends_with("tests.rs")
                || path.components().any(|part| part.as_os_str() == "tests")
            {
                ""
            } else {
                text.split("#[cfg(test)]").next().unwrap_or("")
            };
            for line in code
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
            {
                let named = IMPURE.iter().find(|word| line.contains(**word));
                assert_eq!(named, None, "{}: {line}", path.display());
            }
        }
    }
}

#[test]
fn s3_and_github_are_named_in_one_crate_each() {
    for (homes, library) in [
        (&["store"][..], "aws-"),
        (&["github"], "octocrab"),
        (&["github", "ops"], "reqwest"),
    ] {
        let others = EDGES.map(|(name, _)| name);
        for name in others.iter().filter(|name| !homes.contains(name)) {
            let manifest = read(&root().join("crates").join(name).join("Cargo.toml"));
            let product = manifest.split("[dev-dependencies]").next().unwrap_or("");
            assert!(!product.contains(library), "{name} names {library}");
        }
    }
}

/// `ops` asks authorities whether certificates were revoked, and nobody else.
#[test]
fn ops_asks_the_web_in_one_file() {
    let folder = root().join("crates/ops/src");
    for path in sources(&folder) {
        let is_home = path.starts_with(folder.join("online")) || path == folder.join("online.rs");
        assert!(
            is_home || !read(&path).contains("reqwest"),
            "{} asks the web",
            path.display()
        );
    }
}

#[test]
fn crash_points_are_on_in_tests_only() {
    for (name, _) in EDGES {
        let manifest = read(&root().join("crates").join(name).join("Cargo.toml"));
        let product = manifest.split("[dev-dependencies]").next().unwrap_or("");
        let turned_on = product
            .lines()
            .filter(|line| line.contains("crash-points") && line.contains("features ="));
        assert_eq!(turned_on.count(), 0, "{name} turns crash points on");
    }
}

#[test]
fn every_path_that_the_map_names_is_there() {
    let map = read(&root().join("crates/README.md"));
    let named = map
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| word.starts_with("crates/") || word.starts_with("tests/"));
    let mut count = 0;
    for path in named {
        assert!(
            root().join(path).exists(),
            "crates/README.md names `{path}`, which is not there"
        );
        count += 1;
    }
    assert!(count > 10, "the map names {count} paths only");
    for (name, _) in EDGES {
        assert!(
            map.contains(&format!("| `{name}` |")),
            "crates/README.md does not name `{name}`"
        );
    }
}

#[test]
fn the_top_level_is_fixed() {
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "LICENSE",
        "README.md",
        "rust-toolchain.toml",
        "action.yml",
        "crates",
        "actions",
        "tests",
        ".github",
        ".ci",
        ".git",
        ".gitignore",
        "target",
        "lastmile-demo",
    ];
    for entry in fs::read_dir(root()).expect("the root") {
        let name = entry
            .expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned();
        assert!(
            allowed.contains(&name.as_str()),
            "`{name}` stands at the top level, where only what is listed here may"
        );
    }
}

#[test]
fn files_stay_short_and_small() {
    let tracked = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root())
        .output();
    let Ok(tracked) = tracked else { return };
    for name in String::from_utf8_lossy(&tracked.stdout)
        .split('\0')
        .filter(|name| !name.is_empty())
    {
        let Ok(bytes) = fs::read(root().join(name)) else {
            continue;
        };
        assert!(
            bytes.len() <= 200 * 1024 || LARGE.contains(&name),
            "{name} has {} bytes",
            bytes.len()
        );
        if name.ends_with(".rs") {
            let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
            assert!(
                lines <= 600,
                "{name} has {lines} lines; split it by the words of the field"
            );
        }
    }
}
