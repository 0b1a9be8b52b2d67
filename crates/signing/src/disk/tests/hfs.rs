//! Volumes that xorriso writes, and what is made of them.

use super::compressed::{Compressed, compressed};
use super::image::{Form, HFS, Map, of_volume};
use super::volume::{HEADER, Volume, tree};
use super::writer::Writer;
use super::*;
use crate::reading::u32_at;

/// What is in the folder that volumes are made of.
pub(super) fn files(folder: &Path) {
    let contents = folder.join("App.app/Contents");
    let resources = contents.join("Resources/Grüße.lproj");
    std::fs::create_dir_all(contents.join("MacOS")).expect("a folder");
    std::fs::create_dir_all(&resources).expect("a folder");
    std::fs::create_dir(folder.join(".background")).expect("a folder");
    let program: Vec<u8> = (0..80_000_u32)
        .flat_map(|it| (it ^ it >> 7).to_le_bytes())
        .collect();
    let write =
        |path: std::path::PathBuf, bytes: &[u8]| std::fs::write(path, bytes).expect("a file");
    write(contents.join("MacOS/App"), &program);
    write(contents.join("Info.plist"), b"<plist/>");
    write(resources.join("ä.strings"), b"hello");
    write(folder.join("empty"), b"");
    for number in 0..200 {
        write(
            folder.join(format!(".background/{number}")),
            number.to_string().as_bytes(),
        );
    }
    std::os::unix::fs::symlink("/Applications", folder.join("Applications")).expect("a link");
    let program = contents.join("MacOS/App");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(program, mode).expect("a mode");
}

/// What is shown of the files in a folder.
pub(super) fn expected(
    folder: &Path,
    prefix: &str,
    found: &mut Vec<(String, Shown)>,
    spelt: fn(&str) -> String,
) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|it| it.to_str()).expect("a name");
        let name = spelt(name);
        let shown = format!("{prefix}{name}");
        let about = path.symlink_metadata().expect("metadata");
        let mode = std::os::unix::fs::PermissionsExt::mode(&about.permissions());
        if about.is_symlink() {
            let target = path.read_link().expect("a link");
            found.push((
                shown,
                Shown::Link(target.to_str().expect("a text").to_owned()),
            ));
        } else if about.is_dir() {
            expected(&path, &format!("{shown}/"), found, spelt);
            found.push((shown, Shown::Folder));
        } else {
            let bytes = std::fs::read(&path).expect("a file");
            found.push((shown, Shown::File(bytes, Some(mode & 0o100 != 0))));
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
}

/// The volume that xorriso puts beside one of ISO 9660, cut out.
pub(super) fn volume_of(folder: &Path) -> Option<Vec<u8>> {
    let iso = folder.with_extension("iso");
    let mut xorriso = Command::new("xorriso");
    xorriso
        .args([
            "-as",
            "mkisofs",
            "-quiet",
            "-input-charset",
            "utf-8",
            "-hfsplus",
            "-o",
        ])
        .arg(&iso)
        .arg(folder);
    let Ok(output) = xorriso.output() else {
        skipped("`xorriso` is not installed; on Debian it is in xorriso");
        return None;
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let disk = std::fs::read(&iso).expect("an image");
    let entries = disk[512..].as_chunks::<512>().0.iter();
    let entry = entries
        .take(16)
        .find(|it| it[48..].starts_with(b"Apple_HFS\0"))
        .expect("a partition");
    let number = |at| u32_at(entry, at).expect("there") as usize;
    let start = number(8) * 512;
    Some(disk[start..start + number(12) * 512].to_vec())
}

/// As volumes store it.
pub(super) fn decomposed(name: &str) -> String {
    unicode_normalization::UnicodeNormalization::nfd(name).collect()
}

/// The folder, the volume of it, and what is shown.
type Made<V = Vec<u8>> = (tempfile::TempDir, V, Vec<(String, Shown)>);

pub(super) fn made() -> Option<Made> {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("root");
    std::fs::create_dir(&root).expect("a folder");
    files(&root);
    let volume = volume_of(&root)?;
    let mut shown = Vec::new();
    expected(&root, "", &mut shown, decomposed);
    Some((folder, volume, shown))
}

const PRIVATE: &str = "____HFS+ Private Data";

/// What xorriso does not write: hard links, compressed files, and a file of more than eight pieces.
fn with_more() -> Option<Made<Volume>> {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("root");
    std::fs::create_dir(&root).expect("a folder");
    files(&root);
    let mut expected = Vec::new();
    self::expected(&root, "", &mut expected, decomposed);
    let linked = b"what two names have";
    std::fs::create_dir(root.join(PRIVATE)).expect("a folder");
    std::fs::write(root.join(PRIVATE).join("iNode77"), linked).expect("a file");
    let compressed = compressed();
    let names = ["one", "other", "pieces"]
        .into_iter()
        .chain(compressed.iter().map(|it| it.name));
    for name in names {
        std::fs::write(root.join(format!("more-{name}")), b"").expect("a file");
    }
    let bytes = volume_of(&root)?;
    let mut volume = Volume { bytes };
    let mut push = |name: &str, bytes: Vec<u8>| {
        expected.push((format!("more-{name}"), Shown::File(bytes, Some(false))))
    };
    let mut private = 0;
    for at in volume.names(PRIVATE) {
        volume.put(at, &[0; 8]);
        let end = at + PRIVATE.len() * 2;
        if volume.bytes[end..].starts_with(&[0, 1]) {
            private = end;
        }
    }
    for name in ["one", "other"] {
        let record = volume.record(&format!("more-{name}"));
        volume.put(record + 48, b"hlnkhfs+");
        volume.put(record + 44, &77_u32.to_be_bytes());
        let made = volume.bytes[private + 12..private + 16].to_vec();
        volume.put(record + 12, &made);
        push(name, linked.to_vec());
    }
    let record = volume.record("more-pieces");
    let id = volume.bytes[record + 8..record + 12].to_vec();
    let block = volume.block();
    let content: Vec<_> = (0_u8..10).flat_map(|it| vec![it; block]).collect();
    // In the wrong order, so that no two are one piece.
    let (first, _) = volume.append(
        &content
            .chunks(block)
            .rev()
            .flatten()
            .copied()
            .collect::<Vec<_>>(),
    );
    let pieces: Vec<_> = (0..10).rev().map(|it| (first + it, 1)).collect();
    volume.put(record + 88, &Volume::fork(content.len(), &pieces));
    let key = [&[0, 0], &id[..], &8_u32.to_be_bytes()].concat();
    let rest = Volume::fork(0, &pieces[8..])[16..].to_vec();
    let overflow = volume.append_fork(&tree(&[(key, rest)]));
    volume.put(HEADER + 192, &overflow);
    push("pieces", content);
    let mut attributes = Vec::new();
    for form in compressed {
        let Compressed {
            name,
            plain,
            attribute,
            resource,
        } = form;
        let record = volume.record(&format!("more-{name}"));
        volume.put(record + 41, &[0x20]);
        if let Some(resource) = resource {
            let fork = volume.append_fork(&resource);
            volume.put(record + 168, &fork);
        }
        let id = &volume.bytes[record + 8..record + 12];
        let units: Vec<_> = "com.apple.decmpfs"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        let key = [&[0, 0], id, &[0; 4], &[0, 17], &units].concat();
        let length = u32::try_from(attribute.len()).expect("small").to_be_bytes();
        let data = [
            &[0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0][..],
            &length,
            &attribute,
        ]
        .concat();
        attributes.push((key, data));
        push(name, plain);
    }
    attributes.sort();
    let fork = volume.append_fork(&tree(&attributes));
    volume.put(HEADER + 352, &fork);
    expected.sort_by(|one, other| one.0.cmp(&other.0));
    Some((folder, volume, expected))
}

#[test]
fn links_pieces_and_compressed_files_are_read_and_7_zip_agrees() {
    let Some((folder, volume, expected)) = with_more() else {
        return;
    };
    same(&look(&volume.image()).expect("an image"), &expected);
    let path = folder.path().join("volume.hfs");
    std::fs::write(&path, &volume.bytes).expect("a file");
    // 7-Zip does not unpack files of LZFSE, and follows no hard links.
    let is_read = |name: &str| {
        !["more-lzfse", "more-o"]
            .iter()
            .any(|it| name.starts_with(it))
    };
    let expected: Vec<_> = expected.into_iter().filter(|it| is_read(&it.0)).collect();
    judged(&path, &expected);
}

#[test]
fn volumes_of_xorriso_are_read_in_every_form_and_map() {
    let Some((_folder, volume, expected)) = made() else {
        return;
    };
    for map in [Map::None, Map::Guid, Map::Apple] {
        let image = of_volume(&volume, HFS, map, Form::Zlib);
        let found = look(&image).unwrap_or_else(|error| panic!("{map:?}: {error}"));
        let of = |list: &[(String, Shown)]| list.iter().map(|it| it.0.clone()).collect::<Vec<_>>();
        assert_eq!(of(&found), of(&expected), "{map:?}");
        assert!(found == expected, "{map:?}");
    }
    for form in [Form::Raw, Form::Bzip2, Form::Lzfse, Form::Xz] {
        let image = of_volume(&volume, HFS, Map::Guid, form);
        assert!(look(&image).as_ref() == Ok(&expected), "{form:?}");
    }
}

/// What a bundle in a container is judged as, and every path that is reported.
fn bundles(image: &[u8]) -> (Vec<String>, crate::inspection::Inspection) {
    let root = include_str!("../../../fixtures/apple/roots.pem");
    let trust = crate::Trust::microsoft()
        .with_extra_roots(root)
        .expect("a root");
    let settings = crate::walk::Settings {
        at: crate::tests::day(),
        trust: &trust,
        room: crate::walk::tests::room,
        signed: crate::walk::Signed::Opened,
    };
    let contents = crate::walk::walk(&mut Cursor::new(image), settings).expect("memory");
    let contents = contents.expect("a container");
    assert_eq!(contents.container, "disk image");
    for check in &contents.checks {
        assert_eq!(check.outcome, crate::checks::Outcome::Pass, "{check:?}");
    }
    let paths = contents
        .leaves
        .iter()
        .map(|leaf| leaf.path.clone())
        .collect();
    let mut leaves = contents.leaves.into_iter();
    let bundle = leaves
        .find(|leaf| leaf.path.ends_with(".app"))
        .expect("a bundle");
    (paths, bundle.signature.expect("an inspection"))
}

/// The app of `fixtures/apple`, unpacked.
pub(super) fn app(folder: &Path) {
    let bytes = include_bytes!("../../../fixtures/apple/good.app.zip");
    let mut reader = Cursor::new(&bytes[..]);
    let archive = crate::zip::Archive::open(&mut reader)
        .expect("memory")
        .expect("an archive");
    for entry in &archive.entries {
        let path = folder.join(&entry.path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        let mut content = Vec::new();
        let mut opened = crate::zip::Archive::content(&mut reader, entry).expect("memory");
        opened.read_to_end(&mut content).expect("memory");
        match entry.kind {
            crate::zip::EntryKind::Folder => std::fs::create_dir_all(&path).expect("a folder"),
            crate::zip::EntryKind::Link => {
                let target = String::from_utf8(content).expect("a text");
                std::os::unix::fs::symlink(target, &path).expect("a link");
            }
            crate::zip::EntryKind::File => std::fs::write(&path, content).expect("a file"),
        }
        if entry.is_executable == Some(true) && entry.kind == crate::zip::EntryKind::File {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&path, mode).expect("a mode");
        }
    }
    std::os::unix::fs::symlink("/Applications", folder.join("Applications")).expect("a link");
}

#[test]
fn bundles_in_images_are_judged_with_names_in_any_spelling() {
    use crate::report::Verdict;
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("root");
    std::fs::create_dir(&root).expect("a folder");
    app(&root);
    let Some(volume) = volume_of(&root) else {
        return;
    };
    let image = |volume: &[u8]| of_volume(volume, HFS, Map::Guid, Form::Lzfse);
    let (paths, found) = bundles(&image(&volume));
    assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
    assert!(
        paths.contains(&"Snake.app/Contents/MacOS/Snake".to_owned()),
        "{paths:?}"
    );
    if let Some(mut writer) = Writer::new(folder.path()) {
        writer.tree(2, &root);
        writer.finish();
        let (_, found) = bundles(&writer.image());
        assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
    }
    // The list says `ü` in one letter, and the volume has two.
    let list = root.join("Snake.app/Contents/_CodeSignature/CodeResources");
    let text = std::fs::read_to_string(&list).expect("a list");
    let at = text.find("<key>files2</key>").expect("a list") + "<key>files2</key>".len();
    let at = at + text[at..].find("<dict>").expect("a dictionary") + "<dict>".len();
    let hash = crate::digest::DigestAlgorithm::Sha256.hash(&[b"hello"]);
    let hash = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, hash);
    let entry =
        format!("<key>Resources/gr\u{fc}n</key><dict><key>hash2</key><data>{hash}</data></dict>");
    let text = format!("{}{entry}{}", &text[..at], &text[at..]);
    std::fs::write(&list, text).expect("a list");
    std::fs::create_dir_all(root.join("Snake.app/Contents/Resources")).expect("a folder");
    std::fs::write(
        root.join("Snake.app/Contents/Resources/gr\u{fc}n"),
        b"hello",
    )
    .expect("a file");
    let Some(volume) = volume_of(&root) else {
        return;
    };
    let (_, found) = bundles(&image(&volume));
    assert_eq!(
        crate::tests::failed(&found),
        ["bundle.info-plist"],
        "{found:#?}"
    );
}
