//! Archives of 7-Zip itself, by each of its methods, and what must be refused.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;
use std::process::Command;

use super::*;
use crate::tests::skipped;
use crate::walk::tests::{bad, leaves, look};

mod mutants;

/// Entries by path: what they are, and what is in files.
pub(crate) type Found = BTreeMap<String, (EntryKind, Vec<u8>)>;

pub(crate) fn read(bytes: &[u8]) -> Result<Found, String> {
    collect(|each| walk(&mut Cursor::new(bytes), each))
}

pub(crate) fn collect(walk: impl FnOnce(Each<'_>) -> io::Result<()>) -> Result<Found, String> {
    let mut found = BTreeMap::new();
    let walked = walk(&mut |entry, content| {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        let before = found.insert(entry.path.clone(), (entry.kind.clone(), bytes));
        assert_eq!(before, None, "{} twice", entry.path);
        Ok(())
    });
    walked.map(|()| found).map_err(|error| error.to_string())
}

/// Bytes that no method makes smaller.
pub(crate) fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let step = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u8::try_from(state >> 56).expect("a byte")
    };
    (0..bytes).map(step).collect()
}

/// What looks like code of x86 to filters: calls of a few places, from everywhere.
pub(crate) fn code() -> Vec<u8> {
    let mut code = b"MZ".to_vec();
    for (place, gap) in noise(20_000).into_iter().enumerate() {
        let to = i32::from(gap % 7) * 4096 - i32::try_from(code.len()).expect("short");
        code.push(if place % 5 == 0 { 0xe9 } else { 0xe8 });
        code.extend(to.to_le_bytes());
        code.extend([0x0f, 0x84, 0x90, gap].iter().take(usize::from(gap % 5)));
    }
    code
}

/// A folder of files that show what archives can hold.
fn folder() -> (tempfile::TempDir, Found) {
    let folder = tempfile::tempdir().expect("a folder");
    let files: [(&str, Vec<u8>); 6] = [
        ("app.exe", code()),
        ("empty", Vec::new()),
        ("sub/noise.bin", noise(80_000)),
        ("sub/text.txt", b"all work and no play ".repeat(5000)),
        ("sub/ünïcode ☃.txt", b"snow".to_vec()),
        ("zeros", vec![0; 100_000]),
    ];
    std::fs::create_dir_all(folder.path().join("sub/hollow")).expect("a folder");
    let mut expected = Found::new();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), &content).expect("a file");
        expected.insert(name.to_owned(), (EntryKind::File, content));
    }
    for name in ["sub", "sub/hollow"] {
        expected.insert(name.to_owned(), (EntryKind::Folder, Vec::new()));
    }
    (folder, expected)
}

/// What the tool packs of a folder; none where there is no tool.
pub(crate) fn packed(folder: &Path, settings: &[&str]) -> Option<Vec<u8>> {
    let outside = tempfile::tempdir().expect("a folder");
    let archive = outside.path().join("archive.7z");
    let mut command = Command::new("7z");
    command.arg("a").args(settings).arg(&archive).arg(".");
    let Ok(output) = command.current_dir(folder).output() else {
        skipped("7z is not there (package p7zip-full)");
        return None;
    };
    assert!(output.status.success(), "{settings:?}: {output:?}");
    Some(std::fs::read(archive).expect("an archive"))
}

#[test]
fn what_seven_zip_packs_by_each_method_is_read() {
    let (folder, expected) = folder();
    let settings: &[&[&str]] = &[
        &[],
        &["-mx=9"],
        &["-mx=1", "-ms=off"],
        &["-mx=0"],
        &["-mhc=off"],
        &["-m0=lzma", "-mf=off"],
        &["-m0=lzma", "-ms=off", "-md=64m"],
        // As electron-builder packs what its installers hold.
        &[
            "-mx=9",
            "-md=64m",
            "-mtc=off",
            "-mhc=off",
            "-ms=off",
            "-m0=LZMA2",
        ],
        &["-m0=lzma2", "-mf=BCJ"],
        &[
            "-m0=BCJ2",
            "-m1=LZMA:d=1m",
            "-m2=LZMA:d=64k",
            "-m3=LZMA:d=64k",
            "-mb0:1",
            "-mb0s1:2",
            "-mb0s2:3",
        ],
        &[
            "-m0=BCJ2",
            "-m1=LZMA2:d=1m",
            "-m2=Copy",
            "-m3=Copy",
            "-mb0:1",
            "-mb0s1:2",
            "-mb0s2:3",
        ],
        &["-mf=ARM"],
        &["-mf=ARMT"],
        &["-mf=ARM64"],
        &["-mf=PPC"],
        &["-mf=SPARC"],
        &["-mf=IA64"],
        &["-mf=RISCV"],
        &["-mf=Delta:4"],
        &["-m0=deflate"],
        &["-m0=bzip2"],
        &["-m0=bzip2", "-mx=1", "-mmt=1"],
    ];
    for settings in settings {
        let Some(bytes) = packed(folder.path(), settings) else {
            return;
        };
        let found = read(&bytes).unwrap_or_else(|error| panic!("{settings:?}: {error}"));
        assert!(found == expected, "{settings:?}: {:?}", found.keys());
    }
}

#[test]
fn an_archive_behind_a_program_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let installer =
        crate::nsis::tests::compiled(folder.path(), "OutFile setup.exe\nSection\nSectionEnd");
    let inside = tempfile::tempdir().expect("a folder");
    std::fs::write(inside.path().join("setup.exe"), b"MZ code!").expect("a file");
    let (Some(installer), Some(archive)) = (installer, packed(inside.path(), &[])) else {
        return;
    };
    let image = Image::read(&mut Cursor::new(&installer))
        .expect("memory")
        .expect("a program");
    let program = &installer[..usize::try_from(image.overlay().start).expect("small")];
    let text = b"\xef\xbb\xbf;!@Install@!UTF-8!\r\nRunProgram=\"setup.exe\"\r\n;!@InstallEnd@!\r\n";
    let extracting = |between: &[u8], behind: &[u8]| [program, between, &archive, behind].concat();
    let mut good = vec![extracting(b"", b""), extracting(text, b"")];
    for one in good.clone() {
        let fill = one.len().next_multiple_of(8) - one.len();
        good.push(crate::nsis::tests::with_table(&one, &vec![0; fill]));
    }
    for (place, bytes) in good.iter().enumerate() {
        let contents = look(Cursor::new(bytes)).expect("a container");
        assert_eq!(bad(&contents), [], "{place}");
        assert_eq!(contents.container, "self-extracting 7z archive");
        let leaves: Vec<_> = leaves(&contents)
            .iter()
            .map(|(path, _)| path.to_string())
            .collect();
        assert_eq!(leaves, ["setup.exe"], "{place}");
        // The judge opens it too.
        let path = folder.path().join("judged.exe");
        std::fs::write(&path, bytes).expect("a file");
        let output = Command::new("7z").args(["l", "-t7z"]).arg(&path).output();
        let said = output.expect("7z").stdout;
        assert!(String::from_utf8_lossy(&said).contains("1 file"), "{place}");
    }
    for (between, behind) in [(&text[..60], &b""[..]), (b"", b"\0"), (text, b"more")] {
        let contents = look(Cursor::new(extracting(between, behind))).expect("a container");
        let said = bad(&contents);
        assert_eq!(said.len(), 1, "{said:?}");
        assert_eq!(said[0].0, "contents.parse");
    }
    // Other data behind a program is no archive.
    assert!(look(Cursor::new(extracting(b"other", b""))).is_none());
}
