//! Git objects as GitHub keeps them: commits and annotated tags, and how they come in from a real repository.

use sha1::Digest as _;

use super::state::State;
use crate::git::Git;

/// Who made something, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// As it stands in the object.
    pub name: String,
    /// As it stands in the object.
    pub email: String,
    /// Seconds since 1970.
    pub at: i64,
    /// `+0200`, as it stands in the object.
    pub zone: String,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its tree.
    pub tree: String,
    /// Its parents.
    pub parents: Vec<String>,
    /// Who wrote it.
    pub author: Person,
    /// Who committed it.
    pub committer: Person,
    /// Its message.
    pub message: String,
}

/// An annotated tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagObject {
    /// What it points at.
    pub object: String,
    /// `commit`, mostly.
    pub kind: String,
    /// Its name, without `refs/tags/`.
    pub tag: String,
    /// Who tagged; very old tags have nobody.
    pub tagger: Option<Person>,
    /// Its message.
    pub message: String,
}

impl Person {
    /// `Mona <mona@example.com> 1700000000 +0200`.
    fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('<')?;
        let (email, rest) = rest.split_once('>')?;
        let (at, zone) = rest.trim().split_once(' ')?;
        Some(Self {
            name: name.trim_end().to_owned(),
            email: email.to_owned(),
            at: at.parse().ok()?,
            zone: zone.to_owned(),
        })
    }

    /// UTC, as the API writes times.
    pub(crate) fn date(&self) -> String {
        time(self.at)
    }
}

/// Seconds since 1970 as the API writes them, `2026-11-23T08:00:00Z`.
pub(crate) fn time(unix: i64) -> String {
    jiff::Timestamp::from_second(unix)
        .expect("a time")
        .to_string()
}

impl TagObject {
    /// The object's name: the SHA-1 of what git would write (gitformat-object: type, length, zero, content).
    pub(crate) fn sha(&self) -> String {
        let mut content = format!(
            "object {}\ntype {}\ntag {}\n",
            self.object, self.kind, self.tag
        );
        if let Some(tagger) = &self.tagger {
            content += &format!(
                "tagger {} <{}> {} {}\n",
                tagger.name, tagger.email, tagger.at, tagger.zone
            );
        }
        content += "\n";
        content += &self.message;
        let mut hash = sha1::Sha1::new();
        hash.update(format!("tag {}\0", content.len()));
        hash.update(content);
        hex(&hash.finalize())
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A header's lines, unfolded as far as anything here reads them, and the message.
fn parted(content: &[u8]) -> (Vec<(String, String)>, String) {
    let content = String::from_utf8_lossy(content);
    let (head, message) = content.split_once("\n\n").unwrap_or((&content, ""));
    let lines = head
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    (lines.collect(), message.to_owned())
}

fn commit(content: &[u8]) -> Commit {
    let (lines, message) = parted(content);
    let all = |wanted: &str| {
        let wanted = lines.iter().filter(|(name, _)| name == wanted);
        wanted
            .map(|(_, value)| value.clone())
            .collect::<Vec<String>>()
    };
    let person = |name: &str| {
        let line = all(name).into_iter().next().expect("a person");
        Person::parse(&line).expect("a person with a time")
    };
    Commit {
        tree: all("tree").into_iter().next().expect("a tree"),
        parents: all("parent"),
        author: person("author"),
        committer: person("committer"),
        message,
    }
}

fn tag(content: &[u8]) -> TagObject {
    let (lines, message) = parted(content);
    let one = |wanted: &str| {
        let found = lines.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.clone())
    };
    TagObject {
        object: one("object").expect("an object"),
        kind: one("type").expect("a type"),
        tag: one("tag").expect("a tag"),
        tagger: one("tagger").and_then(|line| Person::parse(&line)),
        message,
    }
}

/// The objects that `git cat-file --batch` printed: name, type, content.
fn batch(mut printed: &[u8]) -> Vec<(String, String, &[u8])> {
    let mut objects = Vec::new();
    while let Some(end) = printed.iter().position(|byte| *byte == b'\n') {
        let head = String::from_utf8_lossy(&printed[..end]).into_owned();
        let mut words = head.split(' ');
        let (Some(sha), Some(kind), Some(size)) = (words.next(), words.next(), words.next()) else {
            panic!("git cat-file says `{head}`");
        };
        let size: usize = size.parse().expect("a size");
        let from = end + 1;
        objects.push((sha.to_owned(), kind.to_owned(), &printed[from..from + size]));
        printed = &printed[from + size + 1..];
    }
    objects
}

/// Takes over branches, tags, and everything that they reach. What is not there any more stays, as with any push.
pub(crate) fn push(state: &mut State, git: &Git) {
    let refs = git.run(&[
        "for-each-ref",
        "--format=%(objectname) %(refname)",
        "refs/heads",
        "refs/tags",
    ]);
    let refs: Vec<_> = refs
        .lines()
        .filter_map(|line| line.split_once(' '))
        .collect();
    let mut wanted: Vec<String> = refs.iter().map(|(sha, _)| (*sha).to_owned()).collect();
    let history = git.run(&["rev-list", "--branches", "--tags"]);
    wanted.extend(history.lines().map(str::to_owned));
    wanted.retain(|sha| !state.commits.contains_key(sha) && !state.tag_objects.contains_key(sha));
    while !wanted.is_empty() {
        let names = wanted.join("\n") + "\n";
        let printed = git.run_bytes(&["cat-file", "--batch"], names.as_bytes());
        wanted.clear();
        for (sha, kind, content) in batch(&printed) {
            match kind.as_str() {
                "commit" => {
                    state.commits.insert(sha, commit(content));
                }
                "tag" => {
                    let tag = tag(content);
                    // A tag of a tag, which no branch and no name leads to.
                    if tag.kind == "tag" && !state.tag_objects.contains_key(&tag.object) {
                        wanted.push(tag.object.clone());
                    }
                    state.tag_objects.insert(sha, tag);
                }
                _ => {}
            }
        }
    }
    for (sha, name) in refs {
        state.refs.insert(name.to_owned(), sha.to_owned());
    }
}
