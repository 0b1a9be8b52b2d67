//! A small world to tell stories in: a client repository with signed builds, and people who run the real binary.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::signer::Signer;

/// The platforms and kinds that every build of the world has.
pub const BUILD: [(&str, &str, &str); 4] = [
    ("Atlas-Setup-{version}.exe", "windows-x64", "nsis"),
    ("Atlas-{version}-universal.zip", "macos-universal", "zip"),
    ("Atlas-{version}.AppImage", "linux-x64", "appimage"),
    (
        "atlas-cli-{version}-linux-x64.tar.gz",
        "linux-x64",
        "tar.gz",
    ),
];

/// The tiers that the world's configuration has, unless a story says otherwise.
pub const TIERS: &str = "
      - { name: staff, cohort: internal, soak: 0 }
      - { name: canary, share: 1%, soak: 1h }
      - { name: early, share: 10%, soak: 4h }
      - { name: all, share: 100%, soak: 0 }";

/// A client repository, a store, and the binary.
pub struct World {
    folder: TempDir,
    binary: PathBuf,
    store: String,
    environment: BTreeMap<String, String>,
    signer: Signer,
}

/// What a command came to.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// What it printed as its result.
    pub stdout: String,
    /// What it said besides.
    pub stderr: String,
}

impl Ran {
    /// Fails unless the command ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Fails unless the text stands somewhere in what was printed.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        let all = format!("{}{}", self.stdout, self.stderr);
        assert!(all.contains(text), "expected `{text}` in:\n{all}");
        self
    }
}

impl World {
    /// A world whose store is a directory.
    pub fn on_directory(binary: impl Into<PathBuf>) -> Self {
        Self::new(binary.into(), "file:./store".to_owned(), BTreeMap::new())
    }

    /// A world whose store is this, reached with these variables.
    pub fn on_store(
        binary: impl Into<PathBuf>,
        store: String,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        Self::new(binary.into(), store, environment.into_iter().collect())
    }

    /// A new client repository with the same key and another store.
    pub fn with_store(
        &self,
        store: String,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let environment = environment.into_iter().collect();
        let world = Self {
            folder,
            binary: self.binary.clone(),
            store,
            environment,
            signer: self.signer.clone(),
        };
        world.configure(TIERS);
        world
    }

    fn new(binary: PathBuf, store: String, environment: BTreeMap<String, String>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let world = Self {
            folder,
            binary,
            store,
            environment,
            signer: Signer::new(),
        };
        world.configure(TIERS);
        world
    }

    /// The client repository.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file of the client repository.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// The store's place.
    pub fn store(&self) -> &str {
        &self.store
    }

    /// The key that the configuration trusts.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The configuration with these tiers for `stable`; empty for none.
    pub fn config_text(&self, tiers: &str) -> String {
        let artifacts: String = BUILD
            .iter()
            .map(|(name, platform, kind)| {
                format!(
                    "  - {{ path: \"dist/{}\", platform: {platform}, kind: {kind} }}\n",
                    name.replace("{version}", "*")
                )
            })
            .collect();
        let tiers = if tiers.is_empty() {
            " {}".to_owned()
        } else {
            format!("\n    tiers:{tiers}")
        };
        format!(
            "app: atlas\nstore: \"{}\"\npublic-url: /dl\nversion: {{ from: package.json }}\nartifacts:\n{artifacts}\
             signing:\n  all: {{ minisign: {{ public-key: \"{}\" }} }}\n\
             feeds: [electron-updater, manifest]\nchannels:\n  stable:{tiers}\n  beta: {{ follows: stable }}\n",
            self.store,
            self.signer.public_key(),
        )
    }

    /// Writes the configuration with these tiers for `stable`.
    pub fn configure(&self, tiers: &str) {
        self.write("lastmile.yml", self.config_text(tiers).as_bytes());
    }

    /// Writes a file of the client repository.
    pub fn write(&self, relative: &str, bytes: &[u8]) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }

    /// Builds a version: clean `dist/`, four artifacts, each signed.
    pub fn build(&self, version: &str) {
        // A folder that is not there is as clean as can be.
        let _ = fs::remove_dir_all(self.path("dist"));
        self.write(
            "package.json",
            format!("{{\"version\": \"{version}\"}}").as_bytes(),
        );
        for (name, platform, _) in BUILD {
            let name = name.replace("{version}", version);
            self.artifact(
                &name,
                format!("atlas {version} for {platform}: {name}\n")
                    .repeat(64)
                    .as_bytes(),
            );
        }
    }

    /// Writes one artifact with a good signature beside it.
    pub fn artifact(&self, name: &str, bytes: &[u8]) {
        self.write(&format!("dist/{name}"), bytes);
        let signature = self
            .signer
            .sign(bytes, &format!("timestamp:1795000000\tfile:{name}\thashed"));
        self.write(&format!("dist/{name}.minisig"), signature.as_bytes());
    }

    /// Runs the binary in the client repository, with nothing of this process's environment but the PATH.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Ran {
        self.run_with(arguments, &[])
    }

    /// Runs it with variables besides.
    pub fn run_with<S: AsRef<OsStr>>(&self, arguments: &[S], variables: &[(&str, &str)]) -> Ran {
        let output = self
            .command(arguments, variables)
            .output()
            .expect("the binary runs");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Starts it and does not wait.
    pub fn spawn<S: AsRef<OsStr>>(&self, arguments: &[S], variables: &[(&str, &str)]) -> Child {
        self.command(arguments, variables)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs")
    }

    fn command<S: AsRef<OsStr>>(&self, arguments: &[S], variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .stdin(Stdio::null());
        command
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("USER", "tester");
        command
            .envs(&self.environment)
            .envs(variables.iter().copied())
            .args(arguments);
        command
    }

    /// The words of a command as a line of text has them.
    pub fn sh(&self, line: &str) -> Ran {
        self.run(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Builds and publishes a version.
    #[track_caller]
    pub fn publish(&self, version: &str) -> Ran {
        self.build(version);
        self.sh("publish --date 2026-11-23T08:00:00Z").expect(0)
    }

    /// Builds and publishes a version in a run of this name, so that the claim says the same every time.
    #[track_caller]
    pub fn publish_in_run(&self, version: &str, run: &str) {
        self.build(version);
        self.sh(&format!("publish --run {run} --date 2026-11-23T08:00:00Z"))
            .expect(0);
    }

    /// Publishes a version and makes it the baseline of everyone, at once.
    #[track_caller]
    pub fn release_to_everyone(&self, version: &str) {
        self.publish(version);
        self.configure("");
        self.sh(&format!("rollout start --version {version}"))
            .expect(0);
        self.configure(TIERS);
    }
}
