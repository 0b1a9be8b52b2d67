//! Installers that makensis makes, as 7-Zip reads them, and what must be refused.

use std::path::Path;
use std::process::Command;

use super::*;
use crate::sevenz::tests::{Found, code, collect, noise, packed};
use crate::tests::{find, put, skipped};
use crate::walk::tests::{bad, leaves, look};

mod mutants;

/// Files, and further names of them as files too.
pub(crate) fn read(bytes: &[u8]) -> Result<Found, String> {
    let mut found = collect(|each| walk(&mut Cursor::new(bytes), each))?;
    let first = found.clone();
    for (kind, content) in found.values_mut() {
        if let EntryKind::HardLink(path) = kind {
            content.clone_from(&first[path].1);
            *kind = EntryKind::File;
        }
    }
    Ok(found)
}

/// What the compiler makes of a script, in a folder whose files it may take in; none where there is no compiler.
pub(crate) fn compiled(folder: &Path, script: &str) -> Option<Vec<u8>> {
    std::fs::write(folder.join("script.nsi"), script).expect("a file");
    let mut command = Command::new("makensis");
    command.args(["-V1", "-INPUTCHARSET", "UTF8", "script.nsi"]);
    let Ok(output) = command.current_dir(folder).output() else {
        skipped("makensis is not there (package nsis)");
        return None;
    };
    assert!(output.status.success(), "{script}: {output:?}");
    Some(std::fs::read(folder.join("setup.exe")).expect("an installer"))
}

/// What 7-Zip makes of an installer: each file that it unpacks.
fn judged(bytes: &[u8]) -> Option<Found> {
    let folder = tempfile::tempdir().expect("a folder");
    let (archive, out) = (folder.path().join("a.exe"), folder.path().join("out"));
    std::fs::write(&archive, bytes).expect("a file");
    let mut command = Command::new("7z");
    command
        .args(["x", "-y", "-tnsis"])
        .arg(format!("-o{}", out.display()))
        .arg(&archive);
    let Ok(output) = command.output() else {
        skipped("7z is not there (package p7zip-full)");
        return None;
    };
    assert!(output.status.success(), "{output:?}");
    let mut found = Found::new();
    let mut folders = vec![out.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path
                .strip_prefix(&out)
                .expect("inside")
                .display()
                .to_string();
            let content = std::fs::read(&path).expect("a file");
            found.insert(name, (EntryKind::File, content));
        }
    }
    Some(found)
}

/// An installer as projects write them: a plug-in, folders, folders of folders, an uninstaller, one file at two places.
pub(crate) fn script(settings: &str) -> String {
    format!(
        r#"{settings}
SetDateSave off
Name "Example"
OutFile setup.exe
InstallDir "$PROGRAMFILES\Example"
InstallDirRegKey HKLM "Software\Example" "Dir"
RequestExecutionLevel user
Page directory
Page instfiles
UninstPage instfiles
Var Mine
Section "Main"
  SetOutPath $INSTDIR
  File app.exe
  File /r tree
  File "/oname=renamed.bin" noise.bin
  SetOutPath "$INSTDIR\sub"
  File text.txt
  File /oname=$PLUGINSDIR\inner.txt text.txt
  SetOutPath "$APPDATA\Example"
  File zeros
  SetOutPath $TEMP
  File empty
  StrCpy $Mine "x"
  File "/oname=$INSTDIR\$Mine\var.txt" text.txt
  File "/oname=$INSTDIR\$$cash.txt" dollar.txt
  System::Call "kernel32::GetTickCount()i.r0"
  WriteUninstaller "$INSTDIR\uninstall.exe"
SectionEnd
Section "Uninstall"
  SetOutPath $INSTDIR
  File /oname=$PLUGINSDIR\gone.txt gone.txt
  Delete "$INSTDIR\app.exe"
SectionEnd
"#
    )
}

/// A folder of what the script takes in.
pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let files: [(&str, Vec<u8>); 9] = [
        ("app.exe", code()),
        ("noise.bin", noise(70_000)),
        ("text.txt", b"all work and no play ".repeat(3000)),
        ("dollar.txt", b"money".to_vec()),
        ("gone.txt", b"goodbye".to_vec()),
        ("zeros", vec![0; 100_000]),
        ("empty", Vec::new()),
        ("tree/one.txt", b"one".to_vec()),
        ("tree/deeper/two.txt", b"two".repeat(100)),
    ];
    std::fs::create_dir_all(folder.path().join("tree/deeper")).expect("a folder");
    for (name, content) in files {
        std::fs::write(folder.path().join(name), &content).expect("a file");
    }
    folder
}

#[test]
fn what_makensis_makes_is_read_as_seven_zip_reads_it() {
    let folder = folder();
    for encoding in ["Unicode true", "Unicode false"] {
        for compressor in [
            "zlib",
            "bzip2",
            "lzma",
            "/SOLID zlib",
            "/SOLID bzip2",
            "/SOLID lzma",
        ] {
            let settings = format!("{encoding}\nSetCompressor {compressor}");
            let Some(bytes) = compiled(folder.path(), &script(&settings)) else {
                return;
            };
            let found = read(&bytes).unwrap_or_else(|error| panic!("{settings}: {error}"));
            let Some(judged) = judged(&bytes) else {
                return;
            };
            let names = |found: &Found| found.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&found), names(&judged), "{settings}");
            for (name, content) in &found {
                let (found, judged) = (&content.1, &judged[name].1);
                let differs = found.iter().zip(judged).position(|(a, b)| a != b);
                let sizes = (found.len(), judged.len());
                assert!(found == judged, "{settings}: {name}, {sizes:?} {differs:?}");
            }
        }
    }
}

/// That an installer is read, with the names and contents that the judge finds; what was found.
fn agreed(what: &str, bytes: &[u8]) -> Option<Found> {
    let found = read(bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
    let mut judged = judged(bytes)?;
    // What nothing names the judge does not show.
    let mut rest = found.clone();
    rest.retain(|name, _| !name.starts_with("data-"));
    judged.retain(|name, _| !name.starts_with("data-"));
    let names = |found: &Found| found.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&rest), names(&judged), "{what}");
    assert!(rest == judged, "{what}");
    Some(found)
}

#[test]
fn installers_with_other_settings_are_read() {
    let folder = folder();
    let settings = [
        "Unicode true\nSetCompress off",
        "Unicode false\nSetCompress off\nCRCCheck off",
        "Target amd64-unicode\nSetCompressor zlib",
        "Target amd64-unicode\nSetCompressor /SOLID lzma",
        "SetCompressor lzma\nSetCompressorDictSize 32\nCRCCheck force",
        "SetCompressor /SOLID lzma\nCRCCheck off",
        "SetCompress force\nSetCompressor zlib",
        "SetCompressor zlib\n!uninstfinalize 'true \"%1\"'",
        "SetCompressor /SOLID lzma\n!uninstfinalize 'true \"%1\"'",
        "SetCompress force\nSetCompressor bzip2",
        "SetCompress force\nSetCompressor lzma",
    ];
    for settings in settings {
        let Some(bytes) = compiled(folder.path(), &script(settings)) else {
            return;
        };
        let Some(found) = agreed(settings, &bytes) else {
            return;
        };
        assert_eq!(found.len(), 12, "{settings}");
        assert_eq!(found["app.exe"].1, code(), "{settings}");
    }
}

/// Where the first header is.
fn first_header(bytes: &[u8]) -> usize {
    find(bytes, MARK) - 4
}

/// States the checksum of what an installer is now.
fn resum(bytes: &mut [u8]) {
    let at = bytes.len() - 4;
    let sum = crc_fast::checksum(CrcAlgorithm::Crc32IsoHdlc, &bytes[512..at]);
    let sum = u32::try_from(sum).expect("32 bits");
    put(bytes, at, &sum.to_le_bytes());
}

#[test]
fn what_nothing_names_or_what_cannot_be_a_path_is_shown_by_its_offset() {
    let folder = folder();
    let script = r#"
        OutFile setup.exe
        SetCompress off
        ReserveFile gone.txt
        Section
          SetOutPath $INSTDIR
          IfSilent other
          File text.txt
          Return
          other:
          File /oname=Text.txt dollar.txt
          File "/oname=C:\Windows\noise.dll" noise.bin
          File "/oname=..\..\app.exe" app.exe
          SetOutPath $INSTDIR\Sub
          File /oname=one.txt tree\one.txt
          SetOutPath $INSTDIR\sub
          File /oname=two.txt tree\deeper\two.txt
          File /oname=$INSTDIR\text.txt\below.txt empty
        SectionEnd
    "#;
    let Some(bytes) = compiled(folder.path(), script) else {
        return;
    };
    let found = read(&bytes).expect("an installer");
    let sizes: Vec<_> = found
        .iter()
        .map(|(name, it)| (name.as_str(), it.1.len()))
        .collect();
    assert_eq!(
        sizes,
        [
            ("Sub/one.txt", 3),
            ("Sub/two.txt", 300),
            ("data-0", 7),
            ("data-207a4/app.exe", code().len()),
            ("data-42ac4/text.txt/below.txt", 0),
            ("data-f627/Text.txt", 5),
            ("data-f630/noise.dll", 70_000),
            ("text.txt", 63_000),
        ]
    );
}

fn number(bytes: &[u8], at: usize) -> usize {
    let field = bytes[at..].first_chunk().expect("there");
    usize::try_from(u32::from_le_bytes(*field)).expect("small")
}

/// Codes of strings as they are, and as they were.
type Codes = [(u8, u8); 4];
const ANSI_2: Codes = [(1, 255), (2, 254), (3, 253), (4, 252)];
const PARK: Codes = [(1, 3), (2, 2), (3, 1), (4, 0)];

/// An installer that is not compressed, with strings as older versions have them.
fn made_older(mut bytes: Vec<u8>, codes: &Codes) -> Vec<u8> {
    let is_wide = codes == &PARK;
    let header = first_header(&bytes) + 28 + 4;
    let begins = header + number(&bytes, header + 4 + 8 * 3);
    let ends = header + number(&bytes, header + 4 + 8 * 4);
    let mut at = begins;
    while at < ends {
        let is_code = !is_wide || bytes[at + 1] == 0;
        let code = codes.iter().find(|(now, _)| is_code && *now == bytes[at]);
        match code {
            None => at += if is_wide { 2 } else { 1 },
            Some((_, then)) if is_wide => {
                let [low, high] = [bytes[at + 2], bytes[at + 3]];
                bytes[at..at + 2].copy_from_slice(&[*then, 0xe0]);
                // Numbers are written in another way.
                if matches!(*then, 1 | 3) {
                    let number = u16::from(low & 0x7f) | u16::from(high & 0x7f) << 7 | 0x8000;
                    bytes[at + 2..at + 4].copy_from_slice(&number.to_le_bytes());
                }
                at += 4;
            }
            Some((_, then)) => {
                bytes[at] = *then;
                at += 3;
            }
        }
    }
    resum(&mut bytes);
    bytes
}

#[test]
fn strings_of_older_versions_are_read() {
    let folder = folder();
    for (encoding, codes) in [("Unicode false", ANSI_2), ("Unicode true", PARK)] {
        let text = script(&format!("{encoding}\nSetCompress off"));
        let Some(bytes) = compiled(folder.path(), &text) else {
            return;
        };
        let newer = read(&bytes).expect("an installer");
        let found = agreed(encoding, &made_older(bytes, &codes)).unwrap_or_default();
        // The instruction that writes an uninstaller has another number there, so its data are shown as they are.
        let is_named = |name: &&String| !name.starts_with("data-");
        let names: Vec<_> = found.keys().filter(is_named).collect();
        let expected = newer
            .keys()
            .filter(|name| codes != PARK || *name != "uninstall.exe");
        assert_eq!(names, expected.collect::<Vec<_>>(), "{encoding}");
        let data = found.len() - names.len();
        assert_eq!(data, if codes == PARK { 2 } else { 0 }, "{encoding}");
    }
}

/// An installer with other data behind its first header.
fn with_data(plain: &[u8], data: &[u8]) -> Vec<u8> {
    let first = first_header(plain);
    let mut bytes = [&plain[..first + 28], data, &[0; 4]].concat();
    let reach = u32::try_from(bytes.len() - first).expect("small");
    put(&mut bytes, first + 24, &reach.to_le_bytes());
    resum(&mut bytes);
    bytes
}

#[test]
fn code_that_was_filtered_is_read() {
    let folder = folder();
    let Some(plain) = compiled(folder.path(), &script("SetCompress off")) else {
        return;
    };
    // All blocks in one stream, with a byte in front that says that code was filtered.
    let data = folder.path().join("data");
    let blocks = &plain[first_header(&plain) + 28..plain.len() - 4];
    std::fs::write(&data, blocks).expect("a file");
    let mut command = Command::new("xz");
    let settings = "--lzma1=dict=1MiB,lc=3,lp=0,pb=2";
    command
        .args(["-c", "--format=raw", "--x86", settings])
        .arg(&data);
    let Ok(output) = command.output() else {
        skipped("xz is not there (package xz-utils)");
        return;
    };
    let stream = [&[1, 0x5d, 0, 0, 0x10, 0], &output.stdout[..]].concat();
    let found = agreed("filtered", &with_data(&plain, &stream)).unwrap_or_default();
    assert_eq!(Ok(found), read(&plain));
}

/// NSIS 2 writes the length of a stored block once, NSIS 3 twice.
#[test]
fn both_kinds_of_stored_blocks_are_read() {
    let folder = folder();
    let settings = "Unicode false\nSetCompress off";
    let Some(newer) = compiled(folder.path(), &script(settings)) else {
        return;
    };
    let older = made_older(newer.clone(), &ANSI_2);
    for (is_twice, plain) in [(false, older), (true, newer)] {
        let blocks = &plain[first_header(&plain) + 28..plain.len() - 4];
        let pieces = blocks.chunks(65_535).flat_map(|piece| {
            let is_last = piece.as_ptr_range().end == blocks.as_ptr_range().end;
            let length = u16::try_from(piece.len()).expect("16 bits");
            let again = if is_twice {
                &(!length).to_le_bytes()[..]
            } else {
                &[]
            };
            [
                &[u8::from(is_last)][..],
                &length.to_le_bytes(),
                again,
                piece,
            ]
            .concat()
        });
        let mut stream: Vec<_> = pieces.collect();
        let whole = with_data(&plain, &stream);
        // The judge takes every header for one of version 2, and so opens no other one that is stored.
        let found = match is_twice {
            true => read(&whole),
            false => Ok(agreed("stored", &whole).unwrap_or_default()),
        };
        assert_eq!(found, read(&plain), "{is_twice}");
        stream.push(0);
        let error = read(&with_data(&plain, &stream)).expect_err("a byte too many");
        assert!(error.contains("stands behind"), "{error}");
    }
}

/// An installer as electron-builder makes them: the app in a 7z archive that a plug-in unpacks.
pub(crate) fn electron(folder: &Path) -> Option<Vec<u8>> {
    let app = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(app.path().join("resources")).expect("a folder");
    for name in ["App.exe", "resources/elevate.exe", "resources/app.js"] {
        let begins = if name.ends_with("exe") { "MZ" } else { "let" };
        std::fs::write(app.path().join(name), format!("{begins} {name}")).expect("a file");
    }
    let archive = packed(app.path(), &["-mx=9", "-md=64m", "-ms=off", "-mhc=off"])?;
    std::fs::write(folder.join("app.7z"), archive).expect("a file");
    compiled(
        folder,
        r#"
        Unicode true
        SetCompressor zlib
        OutFile setup.exe
        RequestExecutionLevel user
        Section
          SetOutPath $INSTDIR
          SetCompress off
          File /oname=$PLUGINSDIR\app-64.7z app.7z
          SetCompress auto
          System::Call "kernel32::GetTickCount()i.r0"
          WriteUninstaller "$INSTDIR\Uninstall App.exe"
        SectionEnd
        Section Uninstall
          RMDir /r $INSTDIR
        SectionEnd
        "#,
    )
}

#[test]
fn the_app_of_an_electron_installer_is_found() {
    let folder = folder();
    let Some(bytes) = electron(folder.path()) else {
        return;
    };
    let contents = look(Cursor::new(&bytes)).expect("a container");
    assert_eq!(bad(&contents), []);
    assert_eq!(contents.container, "NSIS installer");
    let leaves = leaves(&contents);
    let paths: Vec<_> = leaves.iter().map(|(path, _)| *path).collect();
    assert_eq!(
        paths,
        [
            "$PLUGINSDIR/app-64.7z!/App.exe",
            "$PLUGINSDIR/app-64.7z!/resources/elevate.exe",
            "$PLUGINSDIR/System.dll",
            "Uninstall App.exe",
        ]
    );
}

/// A program with room for a signature behind it, as much as one has: a table of 16 bytes, `fill` in front.
pub(crate) fn with_table(bytes: &[u8], fill: &[u8]) -> Vec<u8> {
    let image = Image::read(&mut Cursor::new(bytes))
        .expect("memory")
        .expect("a program");
    let entry = usize::try_from(image.entry_at.expect("an entry")).expect("small");
    let mut signed = [bytes, fill].concat();
    let at = u32::try_from(signed.len()).expect("small");
    put(&mut signed, entry, &at.to_le_bytes());
    put(&mut signed, entry + 4, &16_u32.to_le_bytes());
    signed.extend([16, 0, 0, 0, 0, 2, 2, 0, 0x30, 0x80, 0, 0, 0, 0, 0, 0]);
    signed
}

#[test]
fn a_signature_may_stand_behind_the_data_and_nothing_else() {
    let folder = folder();
    let Some(mut bytes) = compiled(folder.path(), &script("SetCompressor zlib")) else {
        return;
    };
    let unsigned = read(&bytes).expect("an installer");
    let fill = vec![0; bytes.len().next_multiple_of(8) - bytes.len()];
    let signed = with_table(&bytes, &fill);
    let found = agreed("signed", &signed).unwrap_or_default();
    let names = |found: &Found| found.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&found), names(&unsigned));
    for fill in [vec![0; 8], vec![0, 1]] {
        let error = read(&with_table(&bytes, &fill)).expect_err("more than a fill");
        assert!(error.contains("and the file at"), "{error}");
    }
    // An installer with a mark that is not at a multiple of 512 is none to its program.
    let first = first_header(&bytes);
    bytes.insert(first, 0);
    assert!(!is_nsis(&mut Cursor::new(&bytes)).expect("memory"));
}
