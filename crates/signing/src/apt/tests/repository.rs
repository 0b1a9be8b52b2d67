//! A repository on disk, in which anything can be wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use release::{FileName, Sha256, Timestamp};

use crate::apt::AptRepository;
use crate::checks::Check;
use crate::openpgp::OpenPgpKeys;
use crate::openpgp::tests::judge::{gpg, is_there};
use crate::policy::{AptRule, OpenPgpRule};

/// How the release file is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `InRelease`.
    InPlace,
    /// `Release` and `Release.gpg`.
    Beside,
}

pub(super) fn has_tools() -> bool {
    let tools = [
        "apt-ftparchive",
        "apt-get",
        "dpkg-deb",
        "gpg",
        "gpgv",
        "xz",
        "bzip2",
        "zstd",
    ];
    tools.iter().all(|tool| is_there(tool))
}

/// What is made, and what is done to it on the way.
pub(super) struct Repository {
    form: Form,
    pub(super) packings: &'static [&'static str],
    /// Packages besides the one of the release.
    pub(super) others: Vec<(&'static str, &'static str, &'static str)>,
    pub(super) is_strangers: bool,
    /// To the index, before it is packed and listed.
    pub(super) index: fn(String) -> String,
    /// To the folder, before the release file is made.
    pub(super) listed: fn(&Path),
    /// To the text of the release file, before it is signed.
    pub(super) text: fn(String) -> String,
    /// To the release file, once it is signed.
    pub(super) signed: fn(String) -> String,
    /// To the folder at the end.
    pub(super) behind: fn(&Path),
}

/// Where the index lies.
pub(super) const BINARY: &str = "dists/stable/main/binary-amd64";
/// And that of packages of all architectures, where they have their own.
pub(super) const BINARY_ALL: &str = "dists/stable/main/binary-all";
pub(super) const DEB: &str = "pool/atlas_1.4.0_amd64.deb";

fn run(program: &str, arguments: &[&str], folder: &Path) -> Vec<u8> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    output.stdout
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("text")
}

/// A package of one text.
fn package(folder: &Path, name: &str, version: &str, architecture: &str) {
    let source = folder.join("source");
    fs::create_dir_all(source.join("DEBIAN")).expect("a folder");
    let control = format!(
        "Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: Snake <oil@snake.example>\nDescription: oil\n"
    );
    fs::write(source.join("DEBIAN/control"), control).expect("a file");
    let path = format!("pool/{name}_{version}_{architecture}.deb");
    run(
        "dpkg-deb",
        &["--root-owner-group", "-b", "source", &path],
        folder,
    );
    fs::remove_dir_all(source).expect("it was there");
}

impl Repository {
    pub(super) fn new(form: Form) -> Self {
        Self {
            form,
            packings: &["gz"],
            others: Vec::new(),
            is_strangers: false,
            index: |text| text,
            listed: |_| {},
            text: |text| text,
            signed: |text| text,
            behind: |_| {},
        }
    }

    pub(super) fn built(&self) -> Built {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("repository");
        let home = folder.path().join("gpg");
        for it in [root.join("pool"), root.join(BINARY), home.clone()] {
            fs::create_dir_all(it).expect("a folder");
        }
        let key = |name: &str| {
            let name = format!("{name} <oil@snake.example>");
            gpg(
                &home,
                &["--quick-gen-key", &name, "ed25519", "sign", "never"],
            );
            text(gpg(&home, &["--armor", "--export", &name]))
        };
        let own = key("Snake Oil");
        key("Stranger");
        package(&root, "atlas", "1.4.0", "amd64");
        for (name, version, architecture) in &self.others {
            package(&root, name, version, architecture);
        }
        let index = (self.index)(text(run("apt-ftparchive", &["packages", "pool"], &root)));
        let plain = root.join(BINARY).join("Packages");
        fs::write(&plain, index).expect("a file");
        for packing in self.packings {
            let (program, ending) = match *packing {
                "gz" => ("gzip", "gz"),
                "bz2" => ("bzip2", "bz2"),
                "zst" => ("zstd", "zst"),
                other => ("xz", other),
            };
            let packed = run(program, &["-k", "-c", "Packages"], &root.join(BINARY));
            fs::write(plain.with_extension(ending), packed).expect("a file");
        }
        (self.listed)(&root);
        let options = [
            "Suite=stable",
            "Codename=stable",
            "Components=main",
            "Architectures=amd64",
            "ValidTime=604800",
        ];
        let options = options.map(|it| format!("APT::FTPArchive::Release::{it}"));
        let mut arguments: Vec<&str> = options.iter().flat_map(|it| ["-o", it]).collect();
        arguments.extend(["release", "dists/stable"]);
        let release = (self.text)(text(run("apt-ftparchive", &arguments, &root)));
        // Listed, as many repositories do, and not there.
        if !self.packings.is_empty() {
            fs::remove_file(&plain).expect("it was there");
        }
        let suite = root.join("dists/stable");
        let path = suite.join("Release");
        fs::write(&path, &release).expect("a file");
        let by = if self.is_strangers {
            "Stranger"
        } else {
            "Snake Oil"
        };
        let path = path.to_str().expect("text");
        match self.form {
            Form::InPlace => {
                let signed = gpg(
                    &home,
                    &["--local-user", by, "--clearsign", "--output", "-", path],
                );
                let signed = (self.signed)(text(signed));
                fs::write(suite.join("InRelease"), signed).expect("a file");
                fs::remove_file(path).expect("it was there");
            }
            Form::Beside => {
                let signature = gpg(
                    &home,
                    &[
                        "--local-user",
                        by,
                        "--armor",
                        "--detach-sign",
                        "--output",
                        "-",
                        path,
                    ],
                );
                fs::write(suite.join("Release.gpg"), signature).expect("a file");
                fs::write(path, (self.signed)(release)).expect("a file");
            }
        }
        (self.behind)(&root);
        let fingerprint = gpg(&home, &["--with-colons", "--list-keys", "Snake Oil"]);
        let fingerprint = text(fingerprint);
        let fingerprint = fingerprint
            .lines()
            .find_map(|line| line.strip_prefix("fpr:::::::::"));
        let fingerprint = fingerprint.expect("a key").trim_end_matches(':').parse();
        let release = match self.form {
            Form::InPlace => "dists/stable/InRelease",
            Form::Beside => "dists/stable/Release",
        };
        Built {
            rule: AptRule {
                release: release.to_owned(),
                signer: OpenPgpRule {
                    key: "key.asc".to_owned(),
                    fingerprint: fingerprint.expect("a fingerprint"),
                },
            },
            key: own,
            root,
            folder,
        }
    }
}

/// A repository that was made.
pub(super) struct Built {
    rule: AptRule,
    key: String,
    root: PathBuf,
    folder: tempfile::TempDir,
}

/// The clock of the machine, as apt has no other.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seconds = i64::try_from(since.expect("after 1970").as_secs()).expect("this century");
    Timestamp::from_unix(seconds).expect("this century")
}

impl Built {
    fn read(&self) -> AptRepository {
        let keys = OpenPgpKeys::parse(self.key.as_bytes()).expect("keys");
        let mut file = |path: &str, bytes_max: u64| -> Result<_, std::convert::Infallible> {
            let bytes = fs::read(self.root.join(path)).ok();
            let most = usize::try_from(bytes_max).expect("small");
            Ok(bytes.map(|bytes| bytes[..bytes.len().min(most)].to_vec()))
        };
        AptRepository::read(&self.rule, Some(&keys), now(), &mut file).expect("never")
    }

    /// What is said of the package of the release.
    pub(super) fn checks(&self) -> Vec<Check> {
        let read = self.read();
        let bytes = fs::read(self.root.join(DEB)).expect("a package");
        let name: FileName = "atlas_1.4.0_amd64.deb".parse().expect("a name");
        let sha256 = Sha256::of(&bytes);
        let mut checks = read.checks(&name, sha256, bytes.len() as u64);
        checks.extend(read.extras(&[sha256]));
        checks
    }

    /// The checks that did not pass.
    pub(super) fn failed(&self) -> Vec<&'static str> {
        let checks = self.checks();
        let failed = checks.iter().filter(|check| !check.is_pass());
        failed.map(|check| check.id.as_str()).collect()
    }

    /// Whether apt takes the repository, and the package from it.
    pub(super) fn apt(&self) -> bool {
        self.apt_gets("1.4.0")
    }

    /// Whether apt gets a version of the package.
    pub(super) fn apt_gets(&self, version: &str) -> bool {
        let folder = self.folder.path().join("apt");
        let make = |path: &str| {
            let path = folder.join(path);
            fs::create_dir_all(&path).expect("a folder");
            path
        };
        for path in [
            "state/lists/partial",
            "cache/archives/partial",
            "etc/preferences.d",
            "etc/apt.conf.d",
            "got",
        ] {
            make(path);
        }
        let write = |path: &str, text: &str| {
            let path = folder.join(path);
            fs::write(&path, text).expect("a file");
            path.to_str().expect("text").to_owned()
        };
        let key = write("key.asc", &self.key);
        let root = self.root.to_str().expect("text");
        let source = format!("deb [arch=amd64 signed-by={key}] file:{root} stable main\n");
        let list = write("etc/sources.list", &source);
        let status = write("status", "");
        let at = folder.to_str().expect("text");
        let options = [
            format!("Dir::State={at}/state"),
            format!("Dir::State::status={status}"),
            format!("Dir::Cache={at}/cache"),
            format!("Dir::Etc={at}/etc"),
            format!("Dir::Etc::sourcelist={list}"),
            "Dir::Etc::sourceparts=-".to_owned(),
            "APT::Architecture=amd64".to_owned(),
            "APT::Architectures=amd64".to_owned(),
            "APT::Sandbox::User=root".to_owned(),
            "APT::Update::Error-Mode=any".to_owned(),
            "Acquire::Languages=none".to_owned(),
            // Whatever the machine is set to.
            "Acquire::Check-Valid-Until=true".to_owned(),
            "Acquire::Check-Date=true".to_owned(),
        ];
        let apt = |arguments: &[&str]| {
            let status = Command::new("apt-get")
                .args(options.iter().flat_map(|it| ["-o", it]))
                .args(arguments)
                .current_dir(folder.join("got"))
                .env("LC_ALL", "C")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            status.expect("it starts").success()
        };
        apt(&["update"]) && apt(&["download", &format!("atlas={version}")])
    }
}
