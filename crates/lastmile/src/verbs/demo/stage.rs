//! The folder of the demo, and running this binary in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ops::Error;
use release::name::printable;

use super::fixtures;
use crate::failure::Failure;
use crate::output::plain;

/// The file that says a folder is a demo's, so that it may be removed.
const MARKER: &str = ".lastmile-demo";
/// Where the byte that step 8 flips stands.
const FLIPPED: (&str, usize) = ("dist/Atlas-Setup-1.4.0.exe", 600);

/// The folder.
pub(super) struct Stage {
    folder: PathBuf,
    binary: PathBuf,
}

impl Stage {
    /// A new folder, in place of an earlier demo's.
    pub(super) fn set(folder: &Path) -> Result<Self, Failure> {
        if folder.exists() && !folder.join(MARKER).exists() {
            let next = format!(
                "`{}` exists and is no demo's; give another with `--dir`",
                printable(&folder.to_string_lossy())
            );
            return Err(Error::Missing {
                what: "--dir",
                next,
            }
            .into());
        }
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(|source| local(folder, source))?;
        }
        let stage = Self {
            folder: folder.to_owned(),
            binary: std::env::current_exe().map_err(|source| local(folder, source))?,
        };
        stage.write(MARKER, b"")?;
        Ok(stage)
    }

    pub(super) fn title(&self, number: &str, text: &str) {
        plain(&format!("\n{number}. {text}\n"));
    }

    /// What a build of the version leaves behind: `dist/`, `package.json`, and the configuration with these tiers.
    pub(super) fn build(&self, version: &str, tiers: &str) -> Result<(), Failure> {
        let dist = self.folder.join("dist");
        if dist.exists() {
            fs::remove_dir_all(&dist).map_err(|source| local(&dist, source))?;
        }
        for (name, bytes) in fixtures::build(version) {
            self.write(&format!("dist/{name}"), bytes)?;
        }
        self.write(
            "package.json",
            format!("{{ \"name\": \"atlas\", \"version\": \"{version}\" }}\n").as_bytes(),
        )?;
        self.write("snake-oil-ca.pem", fixtures::ROOT.as_bytes())?;
        self.write("lastmile.yml", fixtures::config(tiers).as_bytes())
    }

    /// Makes the folder a git repository of three commits.
    pub(super) fn repository(&self) -> Result<(), Failure> {
        for (name, bytes) in fixtures::REPOSITORY {
            self.write(&format!(".git/{name}"), bytes)?;
        }
        // Without it no folder is a repository (gitrepository-layout(5)).
        let refs = self.folder.join(".git/refs");
        fs::create_dir_all(&refs).map_err(|source| local(&refs, source))
    }

    /// Runs a command line of this binary, shows both, and holds it to its exit code.
    pub(super) fn run(&self, line: &str, code: i32) -> Result<(), Failure> {
        plain(&format!("\n   $ lastmile {line}\n"));
        let output = Command::new(&self.binary)
            .args(line.split_whitespace())
            .current_dir(&self.folder)
            .env("LASTMILE_ACTOR", "you")
            .output();
        let output = output.map_err(|source| local(&self.binary, source))?;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        // What goes to standard error before the last line is progress, which a person sees as bars.
        let error = stderr.lines().last().filter(|_| !output.status.success());
        for text in stdout.lines().chain(error) {
            plain(&format!("   {text}\n"));
        }
        let found = output.status.code();
        if code != 0 {
            plain(&format!("   exit {code}\n"));
        }
        if found == Some(code) {
            Ok(())
        } else {
            Err(unexpected(line, code, found))
        }
    }

    /// One tier further, as planned on the newest revision.
    pub(super) fn advance(&self, to: &str) -> Result<(), Failure> {
        let expect = self.revision()?;
        self.run(&format!("rollout advance --to {to} --expect {expect}"), 0)
            .map(drop)
    }

    /// One tier further before the soak is over.
    pub(super) fn refuse_early(&self, to: &str) -> Result<(), Failure> {
        let expect = self.revision()?;
        self.run(&format!("rollout advance --to {to} --expect {expect}"), 3)
            .map(drop)
    }

    pub(super) fn resume(&self) -> Result<(), Failure> {
        let expect = self.revision()?;
        self.run(&format!("rollout resume --expect {expect}"), 0)
            .map(drop)
    }

    /// Flips the lowest bit of one byte of an artifact. Twice is as before.
    pub(super) fn flip_one_byte(&self) -> Result<(), Failure> {
        let path = self.folder.join(FLIPPED.0);
        let mut bytes = fs::read(&path).map_err(|source| local(&path, source))?;
        if let Some(byte) = bytes.get_mut(FLIPPED.1) {
            let before = *byte;
            *byte ^= 1;
            plain(&format!(
                "\n   {}, byte {}: {before:#04x} becomes {:#04x}\n",
                FLIPPED.0, FLIPPED.1, *byte
            ));
        }
        fs::write(&path, bytes).map_err(|source| local(&path, source))
    }

    /// A file that a CDN would serve.
    pub(super) fn served(&self, address: &str) -> Result<Vec<u8>, Failure> {
        let path = self.folder.join("dist-store/public").join(address);
        fs::read(&path).map_err(|source| local(&path, source))
    }

    /// The newest revision, as `plan` prints it.
    fn revision(&self) -> Result<u64, Failure> {
        let bytes = self.served("atlas/channels/stable.json")?;
        let document: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(document["revision"].as_u64().unwrap_or_default())
    }

    pub(super) fn farewell(&self) -> String {
        let folder = printable(&self.folder.to_string_lossy());
        let binary = printable(&self.binary.to_string_lossy());
        format!(
            "\nEverything lies in {folder}:\n\
             \x20 lastmile.yml, dist/, .git/      the client repository\n\
             \x20 dist-store/public/              what a CDN would serve: releases, feeds, the channel\n\
             \x20 dist-store/state/               claims and the log: the truth, never served\n\
             \nTry next:\n\
             \x20 alias lastmile='{binary}'\n\
             \x20 cd {folder}\n\
             \x20 lastmile inspect --trust snake-oil-ca.pem dist/Atlas-Setup-1.4.0.exe\n\
             \x20 lastmile rollout status\n\
             \x20 lastmile rollout explain --platform windows-x64 --version 1.3.0 --id your-install\n\
             \x20 lastmile rollout plan --version 1.4.0\n\
             \x20 lastmile publish --help\n"
        )
    }

    fn write(&self, relative: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.folder.join(relative);
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        folder
            .and_then(|()| fs::write(&path, bytes))
            .map_err(|source| local(&path, source))
    }
}

fn local(path: &Path, source: std::io::Error) -> Failure {
    Error::Local {
        path: printable(&path.to_string_lossy()),
        source,
    }
    .into()
}

/// The demo found its own tool to behave otherwise than it says: that is a defect, and worth an exit code.
fn unexpected(line: &str, expected: i32, found: Option<i32>) -> Failure {
    let found = found.map_or("a signal".to_owned(), |code| code.to_string());
    let source = std::io::Error::other(format!(
        "expected exit {expected}, found {found}; this is a defect of lastmile, please report it"
    ));
    Error::Local {
        path: format!("lastmile {line}"),
        source,
    }
    .into()
}
