//! Repositories made by the real git, which is the judge of what we read from them and write into them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A repository and the git that works on it, without the configuration of whoever runs the tests.
pub struct Git {
    folder: PathBuf,
}

impl Git {
    /// A new repository in this folder; none where git is missing.
    pub fn init(folder: &Path) -> Option<Self> {
        let git = Self::at(folder)?;
        git.run(&["init", "--quiet", "--initial-branch=main"]);
        Some(git)
    }

    /// The repository that is there.
    pub fn at(folder: &Path) -> Option<Self> {
        crate::judge::has_program("git").then(|| Self {
            folder: folder.to_owned(),
        })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.current_dir(&self.folder).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        for (name, value) in [
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "An Author"),
            ("GIT_AUTHOR_EMAIL", "author@example.com"),
            ("GIT_COMMITTER_NAME", "A Committer"),
            ("GIT_COMMITTER_EMAIL", "committer@example.com"),
        ] {
            command.env(name, value);
        }
        command.args(["-c", "protocol.file.allow=always"]);
        command.args(arguments);
        command
    }

    /// Runs git, which must succeed, and gives what it printed.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> String {
        self.run_with(arguments, b"")
    }

    /// Runs git with this on its standard input.
    #[track_caller]
    pub fn run_with(&self, arguments: &[&str], input: &[u8]) -> String {
        let output = self.run_bytes(arguments, input);
        String::from_utf8_lossy(&output).trim_end().to_owned()
    }

    /// Runs git with this on its standard input, and gives what it printed as it is.
    #[track_caller]
    pub fn run_bytes(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("git runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        let output = std::thread::scope(|scope| {
            // Git may print before it has read everything.
            scope.spawn(move || {
                // What git does not read, it does not need.
                let _ = stdin.write_all(input);
            });
            child.wait_with_output().expect("git ends")
        });
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {said}");
        output.stdout
    }

    /// Whether git succeeds.
    pub fn succeeds(&self, arguments: &[&str]) -> bool {
        let ran = self.command(arguments).output();
        ran.is_ok_and(|output| output.status.success())
    }

    /// Commits nothing but a message, and gives the commit.
    #[track_caller]
    pub fn commit(&self, message: &str) -> String {
        self.commit_bytes(message.as_bytes())
    }

    /// Commits a message that may be no text.
    #[track_caller]
    pub fn commit_bytes(&self, message: &[u8]) -> String {
        let commit = [
            "commit",
            "--quiet",
            "--allow-empty",
            "--allow-empty-message",
        ];
        let more = ["--cleanup=verbatim", "--file=-"];
        self.run_with(&[&commit[..], &more[..]].concat(), message);
        self.head()
    }

    /// The commit that is checked out.
    #[track_caller]
    pub fn head(&self) -> String {
        self.run(&["rev-parse", "HEAD"])
    }

    /// An annotated tag here.
    #[track_caller]
    pub fn tag(&self, name: &str) {
        self.run(&["tag", "--annotate", "--message", name, name]);
    }
}
