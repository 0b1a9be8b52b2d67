//! What squashfs-tools make is read as `unsquashfs` reads it.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use super::*;
use crate::tests::skipped;

/// A folder with what images hold: files smaller than a block, longer than one, with holes, of two names; many in one folder.
fn tree(root: &Path) {
    let folder = |name: &str| {
        std::fs::create_dir_all(root.join(name)).expect("a folder");
    };
    let write = |name: &str, bytes: &[u8], mode: u32| {
        let path = root.join(name);
        std::fs::write(&path, bytes).expect("a file");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("a mode");
    };
    folder("usr/bin");
    folder("usr/empty");
    folder("many/more");
    let noise: Vec<u8> = (0..300_000_u32)
        .flat_map(|it| it.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    write("usr/bin/noise", &noise, 0o755);
    write(
        "usr/bin/text",
        "some text\n".repeat(50_000).as_bytes(),
        0o644,
    );
    write("usr/bin/nothing", b"", 0o600);
    write("usr/bin/block", &[b'x'; 128 * 1024], 0o711);
    let mut holes = vec![0; 3 * 1024 * 1024];
    holes[2_000_000..2_000_004].copy_from_slice(b"here");
    write("usr/bin/holes", &holes, 0o644);
    for number in 0..700 {
        let name = format!("many/more/file-{number:04}-with-a-name-that-takes-some-room");
        write(
            &name,
            format!("file {number}").repeat(number % 9).as_bytes(),
            0o644,
        );
    }
    std::fs::hard_link(root.join("usr/bin/noise"), root.join("usr/bin/twin")).expect("a link");
    symlink("bin/text", root.join("usr/link")).expect("a link");
    symlink("../../nowhere", root.join("usr/bin/dangling")).expect("a link");
}

/// Whether squashfs-tools are there; says why not.
pub(crate) fn has_tools() -> bool {
    // Where it is, it says its version, and what it returns differs.
    let found = Command::new("unsquashfs").arg("-version").output().is_ok();
    if !found {
        skipped("`unsquashfs` is not installed");
    }
    found
}

/// Runs one of squashfs-tools.
pub(crate) fn run(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.expect("it starts").success()
}

/// What is in a folder, as an image shows it; names of a file that is there already are links to the first.
fn unpacked(root: &Path) -> BTreeMap<String, (EntryKind, bool, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut ahead = vec![root.to_owned()];
    while let Some(path) = ahead.pop() {
        let meta = std::fs::symlink_metadata(&path).expect("there");
        let is_executable = meta.mode() & 0o100 != 0;
        let (kind, bytes) = if meta.is_dir() {
            let below = std::fs::read_dir(&path).expect("a folder");
            ahead.extend(below.map(|it| it.expect("there").path()));
            (EntryKind::Folder, Vec::new())
        } else if meta.is_symlink() {
            let target = std::fs::read_link(&path).expect("a link");
            (
                EntryKind::Link(target.to_str().expect("text").to_owned()),
                Vec::new(),
            )
        } else {
            (EntryKind::File, std::fs::read(&path).expect("a file"))
        };
        let path = path
            .strip_prefix(root)
            .expect("below")
            .to_str()
            .expect("text");
        found.insert(path.to_owned(), (kind, is_executable, bytes));
    }
    found
}

#[test]
fn what_mksquashfs_packs_is_what_unsquashfs_unpacks() {
    if !has_tools() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    let (root, file) = (path("root"), path("image.squashfs"));
    std::fs::create_dir(&root).expect("a folder");
    tree(Path::new(&root));
    for options in [
        "-comp gzip",
        "-comp xz",
        "-comp xz -b 1M -Xbcj x86",
        "-comp zstd",
        "-comp zstd -b 4K -Xcompression-level 19",
        "-comp lzo",
        "-comp lzo -b 1M -Xalgorithm lzo1x_1",
        "-comp lzo -Xalgorithm lzo1x_1_11",
        "-comp gzip -noI -noD -noF",
        "-comp gzip -no-fragments -no-exports -no-xattrs",
        "-comp gzip -always-use-fragments -all-root -nopad",
    ] {
        let mut arguments = vec![root.as_str(), &file, "-noappend", "-quiet", "-no-progress"];
        arguments.extend(options.split(' '));
        assert!(run("mksquashfs", &arguments), "{options}");
        let out = path("out");
        assert!(
            run("unsquashfs", &["-d", &out, "-no-xattrs", &file]),
            "{options}"
        );
        let mut expected = unpacked(Path::new(&out));
        std::fs::remove_dir_all(&out).expect("there");
        let bytes = std::fs::read(&file).expect("an image");
        let found = read(&bytes).unwrap_or_else(|error| panic!("{options}: {error}"));
        let mut by_path = BTreeMap::new();
        for (path, kind, is_executable, bytes) in found {
            let (kind, bytes) = match kind {
                EntryKind::HardLink(first) => {
                    assert_eq!(
                        (first.as_str(), path.as_str()),
                        ("usr/bin/noise", "usr/bin/twin")
                    );
                    let (kind, _, bytes): &(EntryKind, bool, Vec<u8>) = &by_path[&first];
                    (kind.clone(), bytes.clone())
                }
                kind => (kind, bytes),
            };
            let twice = by_path.insert(path, (kind, is_executable, bytes));
            assert!(twice.is_none(), "{options}");
        }
        assert_eq!(by_path.len(), expected.len(), "{options}");
        for (path, found) in by_path {
            let expected = expected.remove(&path).expect("unpacked");
            assert!(found == expected, "{options}: `{path}` differs");
        }
    }
}

/// What cannot be read says why.
#[test]
fn other_images_are_named() {
    let mut image = image::image(&image::sample());
    for (number, expected) in [(2, "lzma"), (5, "lz4"), (9, "something that is not known")] {
        image[20] = number;
        let error = read(&image).expect_err("not read");
        assert!(error.contains(expected), "{error}");
    }
    image[28] = 3;
    assert_eq!(read(&image), Err(SquashfsError::Magic.to_string()));
}

/// The writer of these tests writes what others read.
#[test]
fn images_of_our_own_are_good() {
    let image = image::image(&image::sample());
    let found = read(&image).expect("an image");
    let kinds: Vec<_> = found
        .iter()
        .map(|it| (it.0.as_str(), &it.1, it.2, it.3.len()))
        .collect();
    let twin = EntryKind::HardLink("app".to_owned());
    let link = EntryKind::Link("docs/readme".to_owned());
    assert_eq!(
        kinds,
        [
            ("", &EntryKind::Folder, true, 0),
            ("app", &EntryKind::File, true, image::BLOCK + 7),
            ("docs", &EntryKind::Folder, true, 0),
            ("docs/readme", &EntryKind::File, false, 4),
            ("empty", &EntryKind::File, false, 0),
            ("hole", &EntryKind::File, false, image::BLOCK + 4),
            ("link", &link, true, 0),
            ("twin", &twin, true, 0),
        ]
    );
    assert!(found[1].3.ends_with(b"\x07its end"));
    assert_eq!(found[3].3, b"text");
    if has_tools() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("out");
        assert!(accepted(&image, &out));
        let theirs = unpacked(&out);
        assert_eq!(theirs.len(), found.len());
        for (path, _, _, bytes) in &found[..7] {
            assert_eq!(&theirs[path].2, bytes, "{path}");
        }
    }
}

/// Whether `unsquashfs` unpacks an image without a complaint.
pub(crate) fn accepted(image: &[u8], out: &Path) -> bool {
    let file = out.with_extension("squashfs");
    std::fs::write(&file, image).expect("a file");
    let text = |path: &Path| path.to_str().expect("text").to_owned();
    run(
        "unsquashfs",
        &["-strict-errors", "-d", &text(out), &text(&file)],
    )
}
