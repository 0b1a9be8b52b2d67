//! A container that `mkapfs` makes, and files that are written into it here: no tool of Linux does that. 7-Zip judges what was
//! written; it reads APFS by itself.

use super::compressed::{Compressed, compressed};
use super::hfs::{expected as expected_of, files};
use super::writer::{BLOCK, Writer, key};
use super::*;

/// A volume of all that is read, and what is in it.
fn made(folder: &Path) -> Option<(Writer, Vec<(String, Shown)>)> {
    let root = folder.join("root");
    std::fs::create_dir(&root).expect("a folder");
    files(&root);
    let mut writer = Writer::new(folder)?;
    writer.tree(2, &root);
    let mut expected = Vec::new();
    expected_of(&root, "", &mut expected, |name| name.to_owned());
    for form in compressed() {
        let Compressed {
            name,
            plain,
            attribute,
            resource,
        } = form;
        writer.packed(2, name, &attribute, resource.as_deref());
        expected.push((name.to_owned(), Shown::File(plain, Some(false))));
    }
    let id = writer.file(2, "two names", 0o644, b"one file", 1);
    let folder = writer.folder(2, "folder");
    writer.name(folder, "other", id, 8);
    expected.push(("folder".to_owned(), Shown::Folder));
    for name in ["two names", "folder/other"] {
        expected.push((
            name.to_owned(),
            Shown::File(b"one file".to_vec(), Some(false)),
        ));
    }
    writer.finish();
    expected.sort_by(|one, other| one.0.cmp(&other.0));
    Some((writer, expected))
}

#[test]
fn an_empty_container_of_mkapfs_holds_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(writer) = Writer::new(folder.path()) else {
        return;
    };
    assert_eq!(writer.look(), Ok(Vec::new()));
}

#[test]
fn files_of_every_form_are_read_and_7_zip_agrees() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some((writer, expected)) = made(folder.path()) else {
        return;
    };
    same(&writer.look().expect("a volume"), &expected);
    let image = writer.image();
    same(&look(&image).expect("an image"), &expected);
    // 7-Zip does not unpack files of LZFSE. It reads a container by itself, and not a disk in an image at once.
    let expected: Vec<_> = expected
        .into_iter()
        .filter(|it| !it.0.starts_with("lzfse"))
        .collect();
    judged(&writer.path, &expected);
}

#[test]
fn holes_are_zeros_and_what_has_no_place_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(mut writer) = Writer::new(folder.path()) else {
        return;
    };
    let id = writer.file(2, "hole", 0o644, &[7; BLOCK], 1);
    let own = key(id, 3, &[]);
    let (_, value) = writer
        .records
        .iter_mut()
        .find(|(key, _)| *key == own)
        .expect("its inode");
    value[100..108].copy_from_slice(&10_000_u64.to_le_bytes());
    // 7-Zip shows the first block of the container there; the driver of Linux shows zeros.
    let hole = [8192_u64, 0, 0].map(u64::to_le_bytes).concat();
    writer
        .records
        .push((key(id, 8, &4096_u64.to_le_bytes()), hole));
    let short = writer.records.clone();
    writer.finish();
    let bytes = [vec![7; BLOCK], vec![0; 10_000 - BLOCK]].concat();
    let expected = ("hole".to_owned(), Shown::File(bytes, Some(false)));
    same(&writer.look().expect("a volume"), &[expected]);
    let Some(mut writer) = Writer::new(folder.path()) else {
        return;
    };
    writer.records = short;
    writer.records.pop();
    writer.finish();
    assert_eq!(
        writer.look(),
        Err("`hole` is longer than where it lies".to_owned())
    );
}
