//! Images that tests make (`image`), volumes that other tools make, and those with one thing wrong.

mod apfs;
mod compressed;
mod hfs;
pub(crate) mod image;
mod mutants;
mod volume;
mod writer;

use std::io::{Cursor, Read as _};
use std::path::Path;
use std::process::Command;

use super::*;
use crate::disk::plain::Part;
use crate::tests::skipped;
use crate::walk::entry::EntryKind;

/// What is shown of an entry: `content`, `folder`, `-> target`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shown {
    Folder,
    Link(String),
    File(Vec<u8>, Option<bool>),
}

/// Everything in an image, sorted, or why it is refused.
fn look(bytes: &[u8]) -> Result<Vec<(String, Shown)>, String> {
    shown(|each| walk(&mut Cursor::new(bytes), each))
}

fn shown(read: impl FnOnce(Each<'_>) -> io::Result<()>) -> Result<Vec<(String, Shown)>, String> {
    let mut found = Vec::new();
    let walked = read(&mut |entry, content| {
        let shown = match &entry.kind {
            EntryKind::Folder => Shown::Folder,
            EntryKind::Link(target) => Shown::Link(target.clone()),
            EntryKind::HardLink(_) => panic!("names of one file are shown as files"),
            EntryKind::File => {
                let mut bytes = Vec::new();
                content.read_to_end(&mut bytes)?;
                Shown::File(bytes, entry.is_executable)
            }
        };
        found.push((entry.path.clone(), shown));
        Ok(())
    });
    found.sort_by(|one, other| one.0.cmp(&other.0));
    match walked {
        Ok(()) => Ok(found),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether both are the same, told in a way that can be read.
fn same(found: &[(String, Shown)], expected: &[(String, Shown)]) {
    let paths = |list: &[(String, Shown)]| list.iter().map(|it| it.0.clone()).collect::<Vec<_>>();
    assert_eq!(paths(found), paths(expected));
    for (one, other) in found.iter().zip(expected) {
        assert!(one == other, "{} differs", one.0);
    }
}

/// Compares with what 7-Zip unpacks of a file.
fn judged(path: &Path, expected: &[(String, Shown)]) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new("7z");
    command
        .arg("x")
        .arg("-y")
        .arg("-snld")
        .arg(format!("-o{}", folder.path().display()))
        .arg(path);
    let Ok(output) = command.output() else {
        return skipped("`7z` is not installed; on Debian it is in p7zip-full");
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for (path, shown) in expected {
        // The volume is a folder there, where it has a name.
        let roots = ["", "untitled", "ISOIMAGE"].map(|it| folder.path().join(it));
        let found = roots
            .iter()
            .map(|it| it.join(path))
            .find(|it| it.symlink_metadata().is_ok());
        let found = found.unwrap_or_else(|| panic!("7z has no {path}: {said}"));
        match shown {
            Shown::Folder => assert!(found.is_dir(), "{path}"),
            Shown::Link(target) => {
                let other = found.read_link();
                let other = other.unwrap_or_else(|error| panic!("{path}: {error}: {said}"));
                // It takes the folder that it unpacks to for the root.
                let other = other.strip_prefix(folder.path()).unwrap_or(&other);
                assert_eq!(other, Path::new(target.trim_start_matches('/')), "{path}");
            }
            Shown::File(bytes, _) => {
                let other = std::fs::read(&found).expect("a file");
                let at = other
                    .iter()
                    .zip(bytes)
                    .position(|(one, other)| one != other);
                assert!(
                    other == *bytes,
                    "{path}: {} bytes, at {at:?}: {said}",
                    other.len()
                );
            }
        }
    }
}

/// An image without checksums, of blocks as they are, which holds an app.
const PLAIN: &[u8] = include_bytes!("../../fixtures/apple/plain.dmg");

fn walked(image: &[u8]) -> crate::walk::Contents {
    let settings = crate::walk::Settings {
        at: crate::tests::day(),
        trust: &crate::dmg::tests::trust(),
        room: crate::walk::tests::room,
        signed: crate::walk::Signed::Opened,
    };
    let contents = crate::walk::walk(&mut Cursor::new(image), settings).expect("memory");
    contents.expect("a container")
}

/// The checks that fail, each once.
fn failed(contents: &crate::walk::Contents) -> Vec<&'static str> {
    let inside = contents.leaves.iter().flat_map(|leaf| {
        let found = leaf.signature.iter().flat_map(|it| it.all_checks());
        leaf.checks.iter().chain(found)
    });
    let all = contents.checks.iter().chain(inside);
    let bad = all.filter(|it| it.outcome != crate::checks::Outcome::Pass);
    let mut ids: Vec<_> = bad.map(|check| check.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[test]
fn what_is_wrong_with_a_file_or_the_volume_is_noticed() {
    let good = walked(PLAIN);
    assert_eq!((failed(&good), good.leaves.len()), (vec![], 4));
    // The content of a resource, which its list has a hash of.
    let mut image = PLAIN.to_vec();
    let resources = crate::tests::find(&image, b"data\0\0\0\0");
    image[resources] ^= 1;
    assert!(failed(&walked(&image)).contains(&"bundle.sealed-resources"));
    // The signature of the header of the volume.
    let mut image = PLAIN.to_vec();
    let header = crate::tests::find(&image, b"H+\0\x04");
    image[header + 3] = 3;
    assert_eq!(failed(&walked(&image)), ["contents.parse"]);
}

#[test]
fn noise_is_refused_without_a_panic() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed >> 16).expect("64 bits")
    };
    for _ in 0..1500 {
        let mut image = PLAIN.to_vec();
        for _ in 0..1 + random() % 3 {
            // Zeros and ones in places of numbers reach further than bits.
            let at = random() % (image.len() - 4);
            match random() % 4 {
                0 => image[at..at + 4].fill(0xff),
                1 => image[at..at + 4].fill(0),
                2 => image[at] ^= 1 << (random() % 8),
                _ => image[at] = image[at].wrapping_add(1),
            }
        }
        let _ = look(&image);
    }
}
