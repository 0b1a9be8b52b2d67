//! Outside bytes: every parser is thrown thousands of spoilt real documents, and none may panic or be slow.

mod feeds;
mod linux;
mod windows;

use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use fuzz::{PARSERS, Parser};

use crate::publish::objects;
use crate::world;

/// How often each real document is spoilt.
const ROUNDS: u64 = 400;
/// A document of some kilobytes that takes this long, even in a debug build on a busy machine, is an attack that works.
const TOO_SLOW: Duration = Duration::from_secs(5);
/// What has broken parsers before: nesting, aliases, numbers at their edges, controls, half a character.
const TOKENS: [&[u8]; 22] = [
    b"[",
    b"{",
    b"\"",
    b"}",
    b"]",
    b"&a [*a,*a]",
    b"*a",
    b"!!binary ",
    b"<<: *a",
    b"- ",
    b": ",
    b"\n",
    b"\r\n",
    b"\0",
    b"\x1b[2J",
    b"\xff\xfe",
    b"\xe2\x80\xae",
    b"-1",
    b"18446744073709551616",
    b"1e999",
    b"null",
    b"%00",
];

/// A small generator with its state in one number (splitmix64, Steele and others 2014): the same run every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let end = u64::try_from(end.max(1)).expect("a length");
        usize::try_from((mixed ^ (mixed >> 31)) % end).expect("below a length")
    }
}

/// A cpio archive of one file, as the payloads of packages are (POSIX.1-1988, `odc`).
fn cpio() -> Vec<u8> {
    let member = |name: &str, content: &str| {
        let (bytes, size) = (name.len() + 1, content.len());
        let numbers = [1, 2, 0o100_755, 0, 0, 1, 0].map(|it: u32| format!("{it:06o}"));
        format!(
            "070707{}{:011o}{bytes:06o}{size:011o}{name}\0{content}",
            numbers.concat(),
            0
        )
    };
    let both = member("./a.exe", "MZ is how programs begin") + &member("TRAILER!!!", "");
    both.into_bytes()
}

/// A xar archive of one file, not signed: its table of contents in one stored block (RFC 1950, RFC 1951).
fn package() -> Vec<u8> {
    let checksum = "<checksum style=\"sha1\"><offset>0</offset><size>20</size></checksum>";
    let content = cpio();
    let size = content.len();
    let data =
        format!("<data><offset>20</offset><size>{size}</size><length>{size}</length></data>");
    let file = format!("<file id=\"1\"><name>Payload</name><type>file</type>{data}</file>");
    let toc = format!("<xar><toc>{checksum}{file}</toc></xar>");
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in toc.bytes() {
        low = (low + u32::from(byte)) % 65521;
        high = (high + low) % 65521;
    }
    let length = u16::try_from(toc.len()).expect("one block");
    let mut packed = vec![0x78, 1, 1];
    packed.extend(length.to_le_bytes());
    packed.extend((!length).to_le_bytes());
    packed.extend(toc.bytes());
    packed.extend((high << 16 | low).to_be_bytes());
    let mut bytes = b"xar!".to_vec();
    bytes.extend([0, 28, 0, 1]);
    for size in [packed.len(), toc.len()] {
        bytes.extend(u64::try_from(size).expect("small").to_be_bytes());
    }
    bytes.extend([0, 0, 0, 1]);
    bytes.extend(packed);
    bytes.extend([0; 20]);
    bytes.extend(content);
    bytes
}

/// Requirements of a signature of Apple's (`requirement.h`): `identifier "a" and ! (never or anchor apple generic)`.
fn requirements() -> Vec<u8> {
    let expression = [6, 2, 1, u32::from_be_bytes(*b"a\0\0\0"), 9, 7, 0, 15];
    let expression = expression.iter().flat_map(|it| it.to_be_bytes());
    let words =
        |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|it| it.to_be_bytes()).collect() };
    let one: Vec<_> = words(&[0xfade_0c00, 44, 1])
        .into_iter()
        .chain(expression)
        .collect();
    [words(&[0xfade_0c01, 64, 1, 3, 20]), one].concat()
}

/// One to four wounds at once.
fn spoil(document: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = document.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len());
        match dice.below(6) {
            0 => bytes.truncate(at),
            1 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << dice.below(8);
                }
            }
            2 => {
                bytes.splice(at..at, TOKENS[dice.below(TOKENS.len())].iter().copied());
            }
            3 => {
                bytes.splice(
                    at..at,
                    TOKENS[dice.below(TOKENS.len())].repeat(1 + dice.below(300)),
                );
            }
            4 => {
                let end = at + dice.below(bytes.len() - at);
                let piece = bytes[at..end].to_vec();
                let to = dice.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            _ => {
                let end = at + dice.below(40.min(bytes.len() - at));
                bytes.drain(at..end);
            }
        }
    }
    bytes
}

fn throw(parser: &Parser, bytes: &[u8]) {
    let began = Instant::now();
    let thrown = catch_unwind(|| (parser.parse)(bytes));
    let shown = || String::from_utf8_lossy(&bytes[..bytes.len().min(600)]).into_owned();
    assert!(thrown.is_ok(), "`{}` panics on {:?}", parser.reads, shown());
    let took = began.elapsed();
    assert!(
        took < TOO_SLOW,
        "`{}` takes {took:?} for {:?}",
        parser.reads,
        shown()
    );
}

/// Leaves the documents as files where `LASTMILE_SEEDS` says, for `tests/fuzz.sh`: `0-lastmile.yml`, with the end that tells
/// whose they are.
fn keep(documents: &std::collections::BTreeMap<String, Vec<u8>>) {
    let Some(folder) = std::env::var_os("LASTMILE_SEEDS") else {
        return;
    };
    let folder = std::path::PathBuf::from(folder);
    std::fs::create_dir_all(&folder).expect("a folder for seeds");
    for (index, (name, bytes)) in documents.iter().enumerate() {
        let name = name.replace('/', "%");
        std::fs::write(folder.join(format!("{index}-{name}")), bytes).expect("a seed");
    }
}

#[test]
fn no_parser_panics_on_a_spoilt_document() {
    let world = world();
    world.release_to_everyone("1.3.0");
    world.publish("1.4.0");
    world.sh("rollout start --version 1.4.0").expect(0);
    let mut documents = objects(&world);
    for file in ["lastmile.yml", "dist/Atlas-1.4.0.AppImage.minisig"] {
        let bytes = std::fs::read(world.path(file)).expect("a file of the world");
        documents.insert(file.to_owned(), bytes);
    }
    let key = format!(
        "untrusted comment: snake oil\n{}\n",
        world.signer().public_key()
    );
    let message = "feat(ui)!: add tabs (#12)\n\nbody\n\nBREAKING CHANGE: no `--old` any more\n  @octocat\nRelease-As: 2.0.0\nRefs: 676104e, a215868\n";
    documents.insert("COMMIT_EDITMSG".to_owned(), message.as_bytes().to_vec());
    documents.insert("minisign.pub".to_owned(), key.into_bytes());
    for (name, bytes) in [
        (
            "signed.exe",
            &include_bytes!("../../crates/signing/fixtures/pki/signed.exe")[..],
        ),
        (
            "signed.msi",
            include_bytes!("../../crates/signing/fixtures/packages/metadata.msi"),
        ),
        (
            "tiny.msi",
            include_bytes!("../../crates/signing/fixtures/installers/tiny.msi"),
        ),
        (
            "setup.exe",
            include_bytes!("../../crates/signing/fixtures/installers/inno/setup.exe"),
        ),
        (
            "signed.cab",
            include_bytes!("../../crates/signing/fixtures/packages/signed.cab"),
        ),
        (
            "signed.ps1",
            include_bytes!("../../crates/signing/fixtures/scripts/signed.ps1"),
        ),
        (
            "signed.wsf",
            include_bytes!("../../crates/signing/fixtures/scripts/signed.wsf"),
        ),
        (
            "signed.macho",
            include_bytes!("../../crates/signing/fixtures/apple/agile.macho"),
        ),
        (
            "signed.dmg",
            include_bytes!("../../crates/signing/fixtures/apple/good.dmg"),
        ),
        (
            "plain.dmg",
            include_bytes!("../../crates/signing/fixtures/apple/plain.dmg"),
        ),
        (
            "gnu.tar",
            include_bytes!("../../crates/signing/fixtures/archives/gnu.tar"),
        ),
        (
            "gnu.tar.gz",
            include_bytes!("../../crates/signing/fixtures/archives/gnu.tar.gz"),
        ),
        (
            "pax.tar.xz",
            include_bytes!("../../crates/signing/fixtures/archives/pax.tar.xz"),
        ),
        (
            "pax.tar.zst",
            include_bytes!("../../crates/signing/fixtures/archives/pax.tar.zst"),
        ),
        (
            "pax.tar.bz2",
            include_bytes!("../../crates/signing/fixtures/archives/pax.tar.bz2"),
        ),
        (
            "atlas.deb",
            include_bytes!("../../crates/signing/fixtures/archives/atlas.deb"),
        ),
        (
            "atlas.rpm",
            include_bytes!("../../crates/signing/fixtures/archives/atlas.rpm"),
        ),
        (
            "nested.zip",
            include_bytes!("../../crates/signing/fixtures/archives/nested.zip"),
        ),
        (
            "app.asar.zip",
            include_bytes!("../../crates/signing/fixtures/archives/app.asar.zip"),
        ),
        (
            "an app.zip",
            include_bytes!("../../crates/signing/fixtures/apple/good.app.zip"),
        ),
        (
            "gzip.squashfs",
            include_bytes!("../../crates/signing/fixtures/archives/gzip.squashfs"),
        ),
        (
            "lzo.squashfs",
            include_bytes!("../../crates/signing/fixtures/archives/lzo.squashfs"),
        ),
        (
            "xz.squashfs",
            include_bytes!("../../crates/signing/fixtures/archives/xz.squashfs"),
        ),
        (
            "zstd.squashfs",
            include_bytes!("../../crates/signing/fixtures/archives/zstd.squashfs"),
        ),
        (
            "signed.msix",
            include_bytes!("../../crates/signing/fixtures/zipped/signed.msix"),
        ),
        (
            "signed.nupkg",
            include_bytes!("../../crates/signing/fixtures/zipped/countersigned.nupkg"),
        ),
        (
            "snake-oil.gpg.asc",
            include_bytes!("../../crates/signing/fixtures/openpgp/snake-oil.gpg.asc"),
        ),
        (
            "atlas.tar.gz.asc",
            include_bytes!("../../crates/signing/fixtures/openpgp/atlas.tar.gz.asc"),
        ),
        (
            "hello.assert",
            include_bytes!("../../crates/signing/fixtures/snap/hello.assert"),
        ),
        (
            "atlas.app.tar.gz.sig",
            include_bytes!("../../crates/signing/fixtures/tauri/atlas.app.tar.gz.sig"),
        ),
        (
            "root.json",
            include_bytes!("../../crates/signing/fixtures/tuf/root.json"),
        ),
        (
            "4.targets.json",
            include_bytes!("../../crates/signing/fixtures/tuf/metadata/4.targets.json"),
        ),
        (
            "ca.crl",
            include_bytes!("../../crates/signing/fixtures/revocation/ca.crl"),
        ),
        (
            "leaf.ocsp",
            include_bytes!("../../crates/signing/fixtures/revocation/leaf.ocsp"),
        ),
        (
            "roots.pem",
            include_bytes!("../../crates/signing/fixtures/pki/certificates.pem"),
        ),
    ] {
        documents.insert(name.to_owned(), bytes.to_vec());
    }
    documents.insert("a.requirements".to_owned(), requirements());
    documents.insert("a.pkg".to_owned(), package());
    documents.insert("a.rpm".to_owned(), linux::rpm());
    documents.insert("a.deb".to_owned(), linux::deb());
    documents.insert("dists/InRelease".to_owned(), linux::in_release().into());
    documents.insert("dists/Release".to_owned(), linux::RELEASE.into());
    documents.insert("dists/Packages".to_owned(), linux::PACKAGES.into());
    documents.insert("a.AppImage".to_owned(), linux::appimage());
    documents.insert("a.sigstore.json".to_owned(), linux::BUNDLE.into());
    documents.insert("a.cpio".to_owned(), cpio());
    documents.insert("a.7z".to_owned(), windows::sevenz());
    for (name, blocks) in [
        ("apart.nsis.exe", windows::Blocks::Apart),
        ("solid.nsis.exe", windows::Blocks::Solid),
    ] {
        documents.insert(name.to_owned(), windows::nsis(&blocks));
    }
    let appcast = "<rss xmlns:sparkle=\"http://www.andymatuschak.org/xml-namespaces/sparkle\"><channel><item><title><![CDATA[new]]></title><sparkle:version>1.4.0</sparkle:version><enclosure url=\"https://dl.example.com/a%20b.zip\" length=\"26\" sparkle:edSignature=\"AAAA\"/></item></channel></rss>";
    documents.insert("b.appcast.xml".to_owned(), appcast.into());
    let note = "{\"schema\": 1, \"min-writer\": 1, \"app\": \"atlas\", \"version\": \"1.4.0\", \"repository\": \"acme/atlas\", \"tag\": \"v1.4.0\", \"release\": 7}";
    documents.insert("github/1.4.0.json".to_owned(), note.into());
    let answer = "[{\"id\": 1, \"name\": \"a.zip\", \"size\": 3, \"state\": \"uploaded\", \"digest\": \"sha256:00\"}]";
    documents.insert("an answer of GitHub".to_owned(), answer.into());
    let answer = "{\"records\": [{\"recordName\": \"2/2/00\", \"fields\": {\"signedTicket\": {\"value\": \"czhjaAEAAAA=\", \"type\": \"BYTES\"}}, \"deleted\": false}]}";
    documents.insert("an answer of Apple".to_owned(), answer.into());
    let arguments = "s3://atlas-dist/a/b?region=eu-west-1&endpoint=http://[::1]:9000 1.4.0-rc.1+x dist/**/{a,b}*.exe";
    documents.insert("an argument".to_owned(), arguments.as_bytes().to_vec());
    for (name, text) in feeds::FEEDS {
        documents.insert(name.to_owned(), text.into());
    }
    keep(&documents);
    let mut dice = Dice(20_261_125);
    for parser in PARSERS {
        let of_it: Vec<_> = documents
            .iter()
            .filter(|(key, _)| key.ends_with(parser.reads))
            .collect();
        assert!(!of_it.is_empty(), "no document for `{}`", parser.reads);
        for (_, document) in of_it {
            throw(parser, document);
            (0..ROUNDS).for_each(|_| throw(parser, &spoil(document, &mut dice)));
        }
    }
}

/// Aliases that double nine times nine times, and nesting deeper than any stack: refused, not expanded.
#[test]
fn yaml_bombs_are_refused() {
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let below = format!("*a{}, ", level - 1).repeat(9);
        laughs.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    let deep = format!("app: {}", "[".repeat(100_000));
    let wide = format!("app: {}", "{a: ".repeat(20_000));
    let dashes = format!("app:\n{}", "- ".repeat(50_000));
    let questions = format!("app:\n {}", "? ".repeat(50_000));
    let steps: String = (0..600)
        .map(|level| format!("{}a:\n", " ".repeat(level)))
        .collect();
    for bomb in [laughs, deep, wide, dashes, questions, steps] {
        for parser in PARSERS {
            throw(parser, bomb.as_bytes());
        }
        let world = world();
        world.write("lastmile.yml", bomb.as_bytes());
        world.sh("config check").expect(2);
    }
}
