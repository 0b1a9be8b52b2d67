//! AppImages of our own, signed by `gpg` and by ourselves; `gpgv` is the judge of signatures, and `unsquashfs` of where the
//! image begins.

mod mutants;

use std::io::Cursor;
use std::path::Path;
use std::process::Command;

use super::*;
use crate::openpgp::tests::armoured;
use crate::openpgp::tests::judge::{gpg, gpgv, is_there};
use crate::openpgp::tests::owner::{Owner, SIGNED, Terms};
use crate::report::Verdict;
use crate::squashfs::tests::image::{Node, image, sample};
use crate::squashfs::tests::judged::{has_tools, run};
use crate::tests::{day, failed, find, printable, put};
use crate::walk::entry::EntryKind;

/// Bytes of the two sections, as runtimes have them.
const SIGNATURE_BYTES: usize = 1024;
const KEY_BYTES: usize = 8192;

/// A section of an ELF image: its name, type, and bytes.
type Part = (&'static str, u32, Vec<u8>);

/// The parts of an AppImage, each of which can be spoilt before they are put together.
#[derive(Clone)]
pub(super) struct AppImage {
    parts: Vec<Part>,
    image: Vec<u8>,
    /// What is done to the ELF image at the end.
    behind: fn(&mut Vec<u8>),
}

impl AppImage {
    fn unsigned() -> Self {
        Self {
            parts: vec![
                ("", 0, Vec::new()),
                (".text", 1, vec![0xc3; 64]),
                (".bss", 8, Vec::new()),
                (".sha256_sig", 1, vec![0; SIGNATURE_BYTES]),
                (".sig_key", 1, vec![0; KEY_BYTES]),
                (".shstrtab", 3, Vec::new()),
            ],
            image: image(&sample()),
            behind: |_| {},
        }
    }

    fn signed(owner: &Owner) -> Self {
        let mut found = Self::unsigned();
        let signature = owner.sign(found.text().as_bytes(), &Terms::at(SIGNED));
        found.set(3, &armoured("PGP SIGNATURE", &signature));
        let key = owner.export(&owner.certificate());
        found.set(4, &armoured("PGP PUBLIC KEY BLOCK", &key));
        found
    }

    /// Writes a text to the beginning of a section.
    fn set(&mut self, section: usize, text: &str) {
        let bytes = &mut self.parts[section].2;
        bytes.fill(0);
        put(bytes, 0, text.as_bytes());
    }

    /// What is signed, made in the simplest way.
    fn text(&self) -> String {
        let mut zeroed = self.clone();
        zeroed.parts[3].2.fill(0);
        zeroed.parts[4].2.fill(0);
        hex(&sha2::Sha256::digest(zeroed.file()))
    }

    fn file(&self) -> Vec<u8> {
        let mut file = elf(&self.parts);
        (self.behind)(&mut file);
        file.extend(&self.image);
        file
    }
}

/// An ELF image of one segment.
fn elf(parts: &[Part]) -> Vec<u8> {
    let mut file = vec![0; 64 + 56];
    put(&mut file, 0, b"\x7fELF\x02\x01\x01\x00AI\x02");
    // an executable for x86-64
    put(&mut file, 16, &[2, 0, 62, 0, 1, 0, 0, 0]);
    let names: Vec<u8> = parts
        .iter()
        .flat_map(|(name, ..)| [name.as_bytes(), b"\0"].concat())
        .collect();
    let mut table = Vec::new();
    let mut name = 0_u32;
    for (text, kind, bytes) in parts {
        let bytes = if *text == ".shstrtab" { &names } else { bytes };
        let mut entry = vec![0; 64];
        put(&mut entry, 0, &name.to_le_bytes());
        put(&mut entry, 4, &kind.to_le_bytes());
        if *kind != 0 {
            put(&mut entry, 24, &(file.len() as u64).to_le_bytes());
            let size = if *kind == 8 { 4096 } else { bytes.len() as u64 };
            put(&mut entry, 32, &size.to_le_bytes());
        }
        file.extend(bytes);
        table.extend(entry);
        name += text.len() as u32 + 1;
    }
    let at = file.len() as u64;
    put(&mut file, 64, &[1, 0, 0, 0, 5, 0, 0, 0]);
    put(&mut file, 64 + 32, &at.to_le_bytes());
    file.extend(table);
    put(&mut file, 32, &64_u64.to_le_bytes());
    put(&mut file, 40, &at.to_le_bytes());
    let (count, last) = (parts.len() as u16, parts.len() as u16 - 1);
    for (at, value) in [
        (52, 64),
        (54, 56),
        (56, 1),
        (58, 64),
        (60, count),
        (62, last),
    ] {
        put(&mut file, at, &value.to_le_bytes());
    }
    file
}

/// One that is not signed, and has a program of Windows in it.
pub(crate) fn of_programs() -> Vec<u8> {
    let program = Node::File(0o755, b"MZ is how programs begin".to_vec());
    let text = Node::File(0o644, b"text".to_vec());
    AppImage {
        image: image(&Node::Folder(vec![("a.exe", program), ("b.txt", text)])),
        ..AppImage::unsigned()
    }
    .file()
}

/// One that an owner signed.
pub(crate) fn signed_by(owner: &Owner) -> Vec<u8> {
    AppImage::signed(owner).file()
}

fn look(file: &[u8], keys: &OpenPgpKeys) -> Inspection {
    printable(inspect(&mut Cursor::new(file), day(), keys))
}

fn keys_of(owner: &Owner) -> OpenPgpKeys {
    OpenPgpKeys::parse(&owner.export(&owner.certificate())).expect("keys")
}

fn names(file: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let walked = walk(&mut Cursor::new(file), &mut |entry, content| {
        if entry.kind == EntryKind::File {
            found.push(entry.path.clone());
        }
        io::copy(content, &mut io::sink()).map(drop)
    });
    walked.expect("an image");
    found
}

#[test]
fn a_signed_appimage_is_valid_with_its_key() {
    let owner = Owner::new(1);
    let signed = AppImage::signed(&owner);
    let file = signed.file();
    let found = look(&file, &keys_of(&owner));
    assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
    assert_eq!(found.signatures[0].place, ".sha256_sig");
    assert_eq!(names(&file), ["app", "docs/readme", "empty", "hole"]);
    let inspected = crate::inspect(&mut Cursor::new(&file), day(), &Trust::nothing());
    let inspected = printable(inspected.map(|it| it.expect("an AppImage")));
    assert_eq!(inspected.verdict, Verdict::Untrusted);
    assert_eq!(failed(&inspected), ["openpgp.key"]);
    let unsigned = look(&AppImage::unsigned().file(), &keys_of(&owner));
    assert_eq!(unsigned.verdict, Verdict::Unsigned);
    assert_eq!(failed(&unsigned), ["appimage.signed"]);
    // Other runtimes have no room for a key, or none for a signature.
    let mut without = AppImage::unsigned();
    without.parts.remove(4);
    let text = hex(&sha2::Sha256::digest(without.file()));
    let signature = owner.sign(text.as_bytes(), &Terms::at(SIGNED));
    without.set(3, &armoured("PGP SIGNATURE", &signature));
    assert_eq!(
        look(&without.file(), &keys_of(&owner)).verdict,
        Verdict::Valid
    );
    without.parts.remove(3);
    assert_eq!(
        look(&without.file(), &keys_of(&owner)).verdict,
        Verdict::Unsigned
    );
    // An ELF image that is none has nothing to inspect.
    let mut plain = elf(&signed.parts);
    plain[8] = 0;
    let inspected = crate::inspect(&mut Cursor::new(&plain), day(), &Trust::nothing());
    assert!(inspected.expect("memory").is_none());
    assert_eq!(failed(&look(&plain, &keys_of(&owner))), ["appimage.parse"]);
}

/// A program of the linker, with sections as `appimagetool`'s runtimes have them, an image of `mksquashfs` behind it, and a
/// signature of `gpg`, over text as `appimagetool` has it made and over bytes as older ones do.
#[test]
fn what_gpg_signs_is_valid_and_gpgv_agrees() {
    let tools = ["cc", "objcopy", "gpg", "gpgv"];
    if !tools.iter().all(|tool| is_there(tool)) || !has_tools() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    std::fs::create_dir_all(path("root/usr/bin")).expect("a folder");
    std::fs::write(path("main.c"), "int main(void) { return 0; }\n").expect("a file");
    std::fs::write(path("sig"), [0; SIGNATURE_BYTES]).expect("a file");
    std::fs::write(path("key"), [0; KEY_BYTES]).expect("a file");
    assert!(run("cc", &["-o", &path("runtime"), &path("main.c")]));
    let signature = format!(".sha256_sig={}", path("sig"));
    let key = format!(".sig_key={}", path("key"));
    let sections = ["--add-section", &signature, "--add-section", &key];
    assert!(run(
        "objcopy",
        &[&sections[..], &[&path("runtime")]].concat()
    ));
    std::fs::copy(path("runtime"), path("root/usr/bin/app")).expect("a file");
    assert!(run(
        "mksquashfs",
        &[&path("root"), &path("image"), "-quiet"]
    ));
    let mut file = std::fs::read(path("runtime")).expect("a file");
    let end = file.len();
    put(&mut file, 8, b"AI\x02");
    file.extend(std::fs::read(path("image")).expect("an image"));
    // Where the image begins, by who unpacks it.
    std::fs::write(path("it.AppImage"), &file).expect("a file");
    let (offset, out) = (end.to_string(), path("out"));
    assert!(run(
        "unsquashfs",
        &["-o", &offset, "-d", &out, &path("it.AppImage")]
    ));
    assert!(Path::new(&path("out/usr/bin/app")).exists());
    assert_eq!(names(&file), ["usr/bin/app"]);
    let home = folder.path();
    gpg(
        home,
        &[
            "--quick-gen-key",
            "oil@snake.example",
            "ed25519",
            "sign",
            "never",
        ],
    );
    let exported = gpg(home, &["--export"]);
    let keys = OpenPgpKeys::parse(&exported).expect("a key");
    let at = offset_of(Path::new(&path("runtime")), ".sha256_sig");
    std::fs::write(path("digest"), hex(&sha2::Sha256::digest(&file))).expect("a file");
    for mode in ["--textmode", "--no-textmode"] {
        let signature = gpg(
            home,
            &["--armor", mode, "--detach-sign", "-o", "-", &path("digest")],
        );
        let mut signed = file.clone();
        put(&mut signed, at, &signature);
        let now = gpg_time();
        let found = printable(inspect(&mut Cursor::new(&signed), now, &keys));
        assert_eq!(found.verdict, Verdict::Valid, "{mode}: {found:#?}");
        let text = std::fs::read(path("digest")).expect("a file");
        let packets = gpg_dearmour(home, &signature);
        assert_eq!(gpgv(&exported, &packets, &text), Some(true), "{mode}");
        // Not with a line end, which over text would be another one.
        let line = [&text[..], b"\n"].concat();
        assert_eq!(gpgv(&exported, &packets, &line), Some(false), "{mode}");
        signed[end + 200] ^= 1;
        let found = printable(inspect(&mut Cursor::new(&signed), now, &keys));
        assert_eq!(failed(&found), ["openpgp.signature"], "{mode}");
    }
}

/// `gpg` signs now.
fn gpg_time() -> Timestamp {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = i64::try_from(now.expect("past 1970").as_secs()).expect("this century");
    Timestamp::from_unix(now + 60).expect("this century")
}

fn gpg_dearmour(home: &Path, text: &[u8]) -> Vec<u8> {
    let path = home.join("armoured");
    std::fs::write(&path, text).expect("a file");
    gpg(
        home,
        &["--dearmor", "-o", "-", path.to_str().expect("text")],
    )
}

/// Where a section begins, as `readelf` has it.
fn offset_of(file: &Path, section: &str) -> usize {
    let output = Command::new("readelf")
        .args(["-S", "-W"])
        .arg(file)
        .output();
    let text = String::from_utf8(output.expect("it starts").stdout).expect("text");
    let line = text
        .lines()
        .find(|line| line.contains(section))
        .expect("there");
    let behind = line.split(section).nth(1).expect("there");
    // type, address, offset
    let offset = behind.split_whitespace().nth(2).expect("there");
    usize::from_str_radix(offset, 16).expect("a number")
}
