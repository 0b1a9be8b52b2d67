//! The Update Framework: whether an artifact is a target of a repository whose root the policy pins.
//!
//! Source: the TUF specification 1.0.33, section 5, "Detailed client workflow", whose numbers stand at the lines that obey it.
//! departs: nothing is remembered of an earlier look, so an old repository that has not expired is not told from the newest
//! one, which 5.4.3, 5.5.5, and 5.6.3 would.

mod delegations;
mod json;
mod keys;
mod metadata;

use std::collections::{BTreeMap, BTreeSet};

use release::name::{FileName, printable};
use release::{Sha256, Sha512, Timestamp, Version};
use thiserror::Error;

use crate::checks::{Check, TUF_COVERAGE, TUF_DIGEST, TUF_METADATA, TUF_ROOT};
use crate::digest::{DigestAlgorithm, hex};

use keys::{Keys, Role};
use metadata::{Envelope, Header, Root, Stated, Target, Targets};

/// What is read at most, as python-tuf does.
pub struct Limits;

impl Limits {
    /// Bytes of a root.
    pub const ROOT_BYTES: u64 = 512_000;
    /// Bytes of a timestamp.
    pub const TIMESTAMP_BYTES: u64 = 16_384;
    /// Bytes of a snapshot.
    pub const SNAPSHOT_BYTES: u64 = 2_000_000;
    /// Bytes of targets, delegated ones too.
    pub const TARGETS_BYTES: u64 = 5_000_000;
    /// Roots from the pinned one to the last.
    const ROTATIONS: u64 = 256;
    /// Roles that are asked for one path.
    const ROLES: usize = 32;
    /// Roles that are read for all artifacts of a release.
    const ROLES_IN_ALL: usize = 1024;
}

/// A repository, and the root that it is trusted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Where the root that is trusted stands: the first of the chain.
    pub root: String,
    /// The folder with the metadata.
    pub metadata: String,
    /// What stands before the name of an artifact in the paths of targets, `{version}` in it for the version; none where
    /// targets lie in no folder.
    pub targets: Option<String>,
}

impl Rule {
    /// The path of the target that an artifact is.
    fn path(&self, name: &FileName, version: &Version) -> String {
        let folder = self.targets.as_deref().unwrap_or_default();
        let folder = folder.trim_end_matches('/');
        let folder = folder.replace("{version}", &version.to_string());
        match folder.as_str() {
            "" => name.to_string(),
            folder => format!("{folder}/{name}"),
        }
    }
}

/// Why a document is not believed.
#[derive(Debug, Error)]
pub(crate) enum TufError {
    #[error("it is not there")]
    Missing,
    #[error("it has more than {0} bytes")]
    Size(u64),
    #[error("it is no JSON that is read here: {0}")]
    Json(String),
    #[error("its `{0}` is not as the specification has it")]
    Shape(&'static str),
    #[error("it has too many entries in `{0}`")]
    TooMany(&'static str),
    #[error("{0} stands there twice")]
    Twice(&'static str),
    #[error("it is no `{0}`")]
    Kind(&'static str),
    #[error("it is of version `{0}` of the specification, expected 1")]
    Specification(String),
    #[error("{found} of the keys of its role signed it, expected {expected}")]
    Threshold { found: u64, expected: u64 },
    #[error("it is of version {found}, expected {expected}")]
    Version { found: u64, expected: u64 },
    #[error("it expired at {0}")]
    Expired(Timestamp),
    #[error("it has not the length that is stated of it")]
    Length,
    #[error("it has not the hash that is stated of it")]
    Hash,
    #[error("it states a hash by `{0}`, which is not known here")]
    Algorithm(String),
    #[error("it delegates by the pattern `{0}`, which is read in several ways")]
    Pattern(String),
    #[error("the snapshot does not state it")]
    Unlisted,
    #[error("more than {} roots follow the one that is pinned", Limits::ROTATIONS)]
    Rotations,
    #[error("more roles are to be asked than are read")]
    Roles,
    #[error("it cannot be read")]
    World,
}

/// What a repository says of the artifacts of a release.
#[derive(Debug, Clone)]
pub struct Repository {
    rule: Rule,
    found: Result<Found, Check>,
}

#[derive(Debug, Clone)]
struct Found {
    passed: Vec<Check>,
    targets: BTreeMap<FileName, Result<Option<Target>, Check>>,
}

impl Repository {
    /// Reads a repository for a rule, and what it says of these artifacts. `root` is the root that is pinned; `read` gives a
    /// file of the folder by its name, cut off behind that many bytes; none where it is not there.
    ///
    /// # Errors
    /// What `read` says.
    pub fn read<E>(
        rule: &Rule,
        root: Option<&[u8]>,
        names: &[&FileName],
        (version, at): (&Version, Timestamp),
        mut read: impl FnMut(&str, u64) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Self, E> {
        let mut world = None;
        let mut fetch = |name: &str, bytes_max: u64| match read(name, bytes_max + 1) {
            Ok(None) => Err(TufError::Missing),
            Ok(Some(bytes)) if bytes.len() as u64 > bytes_max => Err(TufError::Size(bytes_max)),
            Ok(Some(bytes)) => Ok(bytes),
            Err(error) => {
                world.get_or_insert(error);
                Err(TufError::World)
            }
        };
        let paths = names.iter();
        let paths = paths.map(|name| (rule.path(name, version), (*name).clone()));
        let client = Client {
            paths: paths.collect(),
            at,
            fetch: &mut fetch,
        };
        let found = client.run(&rule.root, root);
        match world {
            Some(error) => Err(error),
            None => Ok(Self {
                rule: rule.clone(),
                found,
            }),
        }
    }

    /// The rule that it was read for.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Whether an artifact is what its target states.
    pub(crate) fn checks(
        &self,
        name: &FileName,
        size: u64,
        sha256: Sha256,
        sha512: Option<Sha512>,
    ) -> Vec<Check> {
        let found = match &self.found {
            Ok(found) => found,
            Err(check) => return vec![check.clone()],
        };
        let mut checks = found.passed.clone();
        checks.push(match found.targets.get(name) {
            Some(Ok(Some(target))) => target.check(size, sha256, sha512),
            Some(Err(check)) => check.clone(),
            Some(Ok(None)) | None => {
                let reason = format!("no role of the repository that may has `{name}` as a target");
                Check::fail(TUF_COVERAGE, reason)
            }
        });
        checks
    }
}

impl Target {
    /// 5.7.4: the length and each hash.
    fn check(&self, size: u64, sha256: Sha256, sha512: Option<Sha512>) -> Check {
        if self.length != size {
            let reason = format!("the target has {} bytes, the artifact {size}", self.length);
            return Check::fail(TUF_DIGEST, reason);
        }
        for (algorithm, wanted) in &self.hashes {
            let long = <[u8; 64]>::try_from(wanted.as_slice());
            let is_same = match algorithm {
                DigestAlgorithm::Sha256 => sha256.as_bytes().as_slice() == wanted,
                _ => long.is_ok_and(|long| sha512 == Some(Sha512::from_bytes(long))),
            };
            if !is_same {
                let wanted = hex(wanted.get(..64).unwrap_or(wanted));
                let reason = format!("the target has {algorithm} {wanted}, the artifact another");
                return Check::fail(TUF_DIGEST, reason);
            }
        }
        Check::pass(
            TUF_DIGEST,
            "the artifact has the length and hashes of its target",
        )
    }
}

/// Gives a file of the repository, of so many bytes at most.
type Fetch<'a> = &'a mut dyn FnMut(&str, u64) -> Result<Vec<u8>, TufError>;

struct Client<'a> {
    /// The targets that are looked for, and the artifacts that they are.
    paths: BTreeMap<String, FileName>,
    at: Timestamp,
    fetch: Fetch<'a>,
}

/// Says which document is wrong.
fn of(id: crate::checks::Id, name: &str) -> impl Fn(TufError) -> Check {
    move |error| Check::fail(id, format!("`{}`: {error}", printable(name)))
}

impl Client<'_> {
    /// 5.2 to 5.6.
    fn run(mut self, path: &str, pinned: Option<&[u8]>) -> Result<Found, Check> {
        let pinned = pinned
            .ok_or(TufError::Missing)
            .map_err(of(TUF_ROOT, path))?;
        let root = self.root(path, pinned)?;
        let (stated, timestamp) = self
            .timestamp(&root)
            .map_err(of(TUF_METADATA, "timestamp.json"))?;
        let (listed, snapshot) = self
            .snapshot(&root, &stated)
            .map_err(of(TUF_METADATA, "snapshot.json"))?;
        let versions = format!(
            "root {}, timestamp {}, snapshot {}",
            root.header.version, timestamp.version, snapshot.version
        );
        let mut walk = Walk {
            client: self,
            root: &root,
            listed,
            read: BTreeMap::new(),
        };
        let mut targets = BTreeMap::new();
        for (path, name) in walk.client.paths.clone() {
            let target = walk.target(&path);
            let target = target.map_err(|(role, error)| of(TUF_METADATA, &role)(error));
            targets.insert(name, target);
        }
        let signed = "a chain of roots leads from the one that is pinned to the one that is used";
        let metadata =
            format!("signed by the thresholds of their roles, and not expired: {versions}");
        Ok(Found {
            passed: vec![
                Check::pass(TUF_ROOT, signed),
                Check::pass(TUF_METADATA, metadata),
            ],
            targets,
        })
    }

    /// 5.3: from the root that is pinned to the last one, each signed by the thresholds of both.
    fn root(&mut self, path: &str, pinned: &[u8]) -> Result<Root, Check> {
        let first = || {
            if pinned.len() as u64 > Limits::ROOT_BYTES {
                return Err(TufError::Size(Limits::ROOT_BYTES));
            }
            let envelope = Envelope::parse(pinned)?;
            let root = Root::read(&envelope)?;
            envelope.verify(root.role("root")?, &root.keys)?;
            Ok(root)
        };
        let mut root = first().map_err(of(TUF_ROOT, path))?;
        let mut name = path.to_owned();
        for rotation in 0.. {
            let next = root.header.version.saturating_add(1);
            let file = format!("{next}.root.json");
            let bytes = match (self.fetch)(&file, Limits::ROOT_BYTES) {
                Err(TufError::Missing) => break,
                bytes => bytes.map_err(of(TUF_ROOT, &file))?,
            };
            if rotation == Limits::ROTATIONS {
                return Err(of(TUF_ROOT, &file)(TufError::Rotations));
            }
            root = self::next(&root, &bytes).map_err(of(TUF_ROOT, &file))?;
            name = file;
        }
        // 5.3.10: the last one alone, as the ones before it may have expired long ago.
        self.is_current(root.header).map_err(of(TUF_ROOT, &name))?;
        Ok(root)
    }

    fn is_current(&self, header: Header) -> Result<(), TufError> {
        match self.at < header.expires {
            true => Ok(()),
            false => Err(TufError::Expired(header.expires)),
        }
    }

    /// 5.4.
    fn timestamp(&mut self, root: &Root) -> Result<(Stated, Header), TufError> {
        let bytes = (self.fetch)("timestamp.json", Limits::TIMESTAMP_BYTES)?;
        let envelope = Envelope::parse(&bytes)?;
        envelope.verify(root.role("timestamp")?, &root.keys)?;
        let (header, stated) = metadata::timestamp(&envelope)?;
        self.is_current(header)?;
        Ok((stated, header))
    }

    /// 5.5.
    fn snapshot(
        &mut self,
        root: &Root,
        stated: &Stated,
    ) -> Result<(BTreeMap<String, Stated>, Header), TufError> {
        let bytes = self.stated("snapshot", root, stated, Limits::SNAPSHOT_BYTES)?;
        let envelope = Envelope::parse(&bytes)?;
        envelope.verify(root.role("snapshot")?, &root.keys)?;
        let (header, listed) = metadata::snapshot(&envelope)?;
        is_version(header, stated.version)?;
        self.is_current(header)?;
        Ok((listed, header))
    }

    /// The bytes of a document of which another one states version, length, and hashes.
    fn stated(
        &mut self,
        role: &str,
        root: &Root,
        stated: &Stated,
        bytes_max: u64,
    ) -> Result<Vec<u8>, TufError> {
        let name = match root.is_consistent {
            // 6.2.
            true => format!("{}.{}.json", stated.version, quoted(role)),
            false => format!("{}.json", quoted(role)),
        };
        let bytes = (self.fetch)(&name, bytes_max)?;
        stated.covers(&bytes)?;
        Ok(bytes)
    }
}

fn is_version(header: Header, expected: u64) -> Result<(), TufError> {
    let found = header.version;
    match found == expected {
        true => Ok(()),
        false => Err(TufError::Version { found, expected }),
    }
}

/// 5.3.3 to 5.3.5: the root after another.
fn next(root: &Root, bytes: &[u8]) -> Result<Root, TufError> {
    let envelope = Envelope::parse(bytes)?;
    envelope.verify(root.role("root")?, &root.keys)?;
    let next = Root::read(&envelope)?;
    is_version(next.header, root.header.version.saturating_add(1))?;
    envelope.verify(next.role("root")?, &next.keys)?;
    Ok(next)
}

/// The name of a role as that of a file: what is no letter, digit, or one of `_.-~` is percent-encoded, slashes too.
fn quoted(role: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte);
    let quote = |byte: u8| match is_plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    role.bytes().map(quote).collect()
}

/// Roles by their names and those that delegated to them: each pair is judged by its own keys.
struct Walk<'c, 'r> {
    client: Client<'c>,
    root: &'r Root,
    listed: BTreeMap<String, Stated>,
    read: BTreeMap<(String, String), Targets>,
}

/// A role to ask, who delegated to it, and who must have signed it.
struct Asked {
    name: String,
    parent: String,
    role: Role,
    keys: Keys,
}

impl Walk<'_, '_> {
    /// 5.6.7: asks one role after the other, in the order in which they are delegated to, deep before wide.
    fn target(&mut self, path: &str) -> Result<Option<Target>, (String, TufError)> {
        let of = |name: &str| {
            let name = format!("{name}.json");
            move |error| (name.clone(), error)
        };
        let role = self.root.role("targets").map_err(of("root"))?.clone();
        let mut ahead = vec![Asked {
            name: "targets".to_owned(),
            parent: "root".to_owned(),
            role,
            keys: self.root.keys.clone(),
        }];
        let mut seen = BTreeSet::new();
        while let Some(asked) = ahead.pop() {
            if !seen.insert(asked.name.clone()) {
                continue;
            }
            let is_too_many = seen.len() > Limits::ROLES + 1;
            let targets = match is_too_many {
                true => Err(TufError::Roles),
                false => self.role(&asked),
            };
            let targets = targets.map_err(of(&asked.name))?;
            if let Some(target) = targets.targets.get(path) {
                return Ok(Some(target.clone()));
            }
            let Some(delegations) = &targets.delegations else {
                continue;
            };
            let (next, is_terminating) = delegations.for_path(path);
            if is_terminating {
                ahead.clear();
            }
            let keys = &delegations.keys;
            ahead.extend(next.into_iter().rev().map(|next| Asked {
                name: next.name,
                parent: asked.name.clone(),
                role: next.role,
                keys: keys.clone(),
            }));
        }
        Ok(None)
    }

    /// Reads a role with targets, once for each who delegates to it.
    fn role(&mut self, asked: &Asked) -> Result<&Targets, TufError> {
        let key = (asked.parent.clone(), asked.name.clone());
        if !self.read.contains_key(&key) {
            if self.read.len() >= Limits::ROLES_IN_ALL {
                return Err(TufError::Roles);
            }
            let stated = self.listed.get(&format!("{}.json", asked.name));
            let stated = stated.ok_or(TufError::Unlisted)?;
            let client = &mut self.client;
            let bytes = client.stated(&asked.name, self.root, stated, Limits::TARGETS_BYTES)?;
            let envelope = Envelope::parse(&bytes)?;
            envelope.verify(&asked.role, &asked.keys)?;
            let targets = Targets::read(&envelope, client.paths.keys())?;
            is_version(targets.header, stated.version)?;
            client.is_current(targets.header)?;
            self.read.insert(key.clone(), targets);
        }
        self.read.get(&key).ok_or(TufError::Unlisted)
    }
}

#[cfg(test)]
mod tests;
