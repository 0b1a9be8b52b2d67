//! Repositories of apt: a release file that is signed, which lists indexes by their digests, which list packages by theirs.
//!
//! As apt does it: `InRelease`, signed in place, or `Release` with `Release.gpg` beside it; then each `Packages`, packed or not;
//! then each package by SHA-256 and size. Stricter: every index that is listed must be there, and what is listed by SHA-512,
//! which apt believes too, must be listed by SHA-256. Lists by weaker digests are not looked at, as apt gets nothing by them.
//! An index that no client asks for covers nothing, but what it names is judged. Sources, translations, and contents are not
//! looked at: nothing of them is an artifact.
//!
//! Source: Debian's wiki, "RepositoryFormat"; `apt-secure(8)`, `deb822(5)`.

mod index;
mod release_file;
mod version;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use release::name::{FileName, printable};
use release::{Kind, Sha256, Timestamp};

use crate::checks::{
    APT_COVERAGE, APT_DIGEST, APT_EXTRA, APT_INDEX, APT_RELEASE, APT_SIGNATURE, APT_VALIDITY, Check,
};
use crate::format::Format;
use crate::openpgp::{self, OpenPgpKeys};
use crate::policy::AptRule;
use crate::unpack::Packing;

use index::Entry;
use release_file::{Listed, Readers, ReleaseFile};

pub use index::IndexError;
pub use release_file::ReleaseFileError;

/// Whether a file is for apt: by what it is said to be, by what it is, or by what it is called.
pub(crate) fn is_package(kind: Kind, format: Format, name: &FileName) -> bool {
    kind == Kind::Deb || format == Format::Deb || name.as_str().ends_with(".deb")
}

/// What is read of a repository at most.
pub(crate) struct Limits;

impl Limits {
    /// Bytes of a release file; one more is refused. Debian's own has 150 KiB.
    const RELEASE_BYTES: u64 = 4 * 1024 * 1024;
    /// Bytes of the signature beside one; one more is refused.
    const SIGNATURE_BYTES: u64 = 64 * 1024;
    /// Files that a release file lists.
    pub(crate) const FILES: usize = 20_000;
    /// Bytes of an index as it lies there.
    const INDEX_BYTES: u64 = 16 * 1024 * 1024;
    /// Bytes of an index, unpacked. That of all of Debian has 60 MB.
    pub(crate) const PLAIN_BYTES: u64 = 128 * 1024 * 1024;
    /// Bytes of a line of an index.
    pub(crate) const LINE_BYTES: u64 = 256 * 1024;
    /// Packages in all indexes. All of Debian has 70,000.
    pub(crate) const PACKAGES: usize = 200_000;
}

/// How indexes are packed: what their names end with.
const PACKINGS: [(&str, Option<Packing>); 6] = [
    ("", None),
    (".gz", Some(Packing::Gzip)),
    (".xz", Some(Packing::Xz)),
    (".zst", Some(Packing::Zstd)),
    (".bz2", Some(Packing::Bzip2)),
    (".lzma", Some(Packing::Lzma)),
];

/// The name of an index, without what it is packed with.
const INDEX: &str = "Packages";

/// A repository, read once for a release.
#[derive(Debug, Clone)]
pub struct AptRepository {
    rule: AptRule,
    /// What was found, or the check that failed before it could be believed.
    found: Result<Found, Check>,
}

#[derive(Debug, Clone)]
struct Found {
    /// What holds of the release file and its indexes.
    checks: Vec<Check>,
    /// By name, version, and architecture.
    packages: BTreeMap<index::Identity, Entry>,
}

/// Reads a file of the repository, by its path and with so many bytes at most. None where there is no file.
pub type ReadFile<'a, E> = &'a mut dyn FnMut(&str, u64) -> Result<Option<Vec<u8>>, E>;

impl AptRepository {
    /// Reads a repository at a time. `keys` are those of the file that the rule names, where that was read.
    ///
    /// # Errors
    /// Where a file cannot be read. One that is missing or wrong is no error but a failed check.
    pub fn read<E>(
        rule: &AptRule,
        keys: Option<&OpenPgpKeys>,
        at: Timestamp,
        file: ReadFile<'_, E>,
    ) -> Result<Self, E> {
        let mut reading = Reading {
            rule,
            at,
            checks: Vec::new(),
            packages: BTreeMap::new(),
        };
        let found = match reading.read(keys, file)? {
            Ok(()) => Ok(Found {
                checks: reading.checks,
                packages: reading.packages,
            }),
            Err(check) => Err(check),
        };
        Ok(Self {
            rule: rule.clone(),
            found,
        })
    }

    /// The rule that it was read for.
    pub fn rule(&self) -> &AptRule {
        &self.rule
    }

    /// Whether a package is what an index says.
    pub(crate) fn checks(&self, name: &FileName, sha256: Sha256, size: u64) -> Vec<Check> {
        let found = match &self.found {
            Ok(found) => found,
            Err(check) => return vec![check.clone()],
        };
        let mut checks = found.checks.clone();
        let packages = || found.packages.values();
        let is_same = |entry: &&Entry| entry.sha256 == sha256;
        let is_named = |entry: &&Entry| entry.file_name() == name.as_str();
        let read = || packages().filter(|entry| entry.readers == Readers::Clients);
        checks.push(match (read().find(is_same), read().find(is_named)) {
            (Some(entry), _) if entry.size == size => {
                Check::pass(APT_DIGEST, format!("sha256 {sha256}, as `{entry}`"))
            }
            (Some(entry), _) => {
                let reason = format!("expected {} bytes, found {size}", entry.size);
                Check::fail(APT_DIGEST, reason)
            }
            (None, Some(entry)) => {
                let expected = entry.sha256;
                let reason = format!("expected sha256 {expected}, as `{entry}`, found {sha256}");
                Check::fail(APT_DIGEST, reason)
            }
            (None, None) => {
                let release = printable(&self.rule.release);
                let reason = match packages().find(|it| is_same(it) || is_named(it)) {
                    Some(entry) => format!(
                        "no index of `{release}` that apt asks for names `{name}`; `{entry}` is in one that is not `<component>/binary-<architecture>/{INDEX}` of those that are named, or that is not listed unpacked"
                    ),
                    None => format!("no index of `{release}` names `{name}`"),
                };
                Check::fail(APT_COVERAGE, reason)
            }
        });
        checks
    }

    /// What users of the repository would get besides the release's own packages: the same version for another machine, other
    /// bytes of it, or a later one. Earlier versions may stay.
    pub(crate) fn extras(&self, artifacts: &[Sha256]) -> Vec<Check> {
        let Ok(found) = &self.found else {
            return Vec::new();
        };
        let is_ours = |entry: &Entry| artifacts.contains(&entry.sha256);
        let mut ours: BTreeMap<&str, &str> = BTreeMap::new();
        for entry in found.packages.values().filter(|entry| is_ours(entry)) {
            let version = ours.entry(&entry.identity.package).or_insert("");
            if version::compare(&entry.identity.version, version) == Ordering::Greater {
                *version = &entry.identity.version;
            }
        }
        let extra = found.packages.values().filter(|entry| {
            let own = ours.get(entry.identity.package.as_str());
            let is_earlier =
                |own: &&str| version::compare(&entry.identity.version, own) == Ordering::Less;
            own.is_some_and(|own| !is_earlier(own)) && !is_ours(entry)
        });
        let check = |entry: &Entry| {
            let release = printable(&self.rule.release);
            let reason = format!(
                "an index of `{release}` names `{entry}`, which is not an artifact of this release and not of an earlier one"
            );
            Check::fail(APT_EXTRA, reason)
        };
        extra.map(check).collect()
    }
}

/// The indexes of packages that a release file lists, by their names when they are not packed. It says nothing about who wrote it.
///
/// # Errors
/// Where the text is no release file.
pub fn indexes_of(release: &str) -> Result<Vec<String>, ReleaseFileError> {
    let release = ReleaseFile::parse(release)?;
    Ok(release.indexes().into_iter().map(str::to_owned).collect())
}

/// How many packages an index has that is not packed. It says nothing about who wrote it.
///
/// # Errors
/// Where the bytes are no index.
pub fn packages_of(index: &[u8]) -> Result<usize, IndexError> {
    let mut packages = BTreeMap::new();
    index::read(index, None, Readers::Clients, &mut packages)?;
    Ok(packages.len())
}

/// What was read so far.
struct Reading<'r> {
    rule: &'r AptRule,
    at: Timestamp,
    checks: Vec<Check>,
    packages: BTreeMap<index::Identity, Entry>,
}

impl Reading<'_> {
    /// Reads everything, or says what failed.
    fn read<E>(
        &mut self,
        keys: Option<&OpenPgpKeys>,
        file: ReadFile<'_, E>,
    ) -> Result<Result<(), Check>, E> {
        let text = match self.signed_text(keys, file)? {
            Ok(text) => text,
            Err(check) => return Ok(Err(check)),
        };
        let shown = printable(&self.rule.release);
        let release = match ReleaseFile::parse(&text) {
            Ok(release) => release,
            Err(error) => {
                let reason = format!("`{shown}`: {error}");
                return Ok(Err(Check::fail(APT_RELEASE, reason)));
            }
        };
        let count = release.files.len();
        let reason = format!("`{shown}` lists {count} files by SHA-256");
        self.checks.push(Check::pass(APT_RELEASE, reason));
        let valid = release.valid_at(self.at);
        match valid {
            Ok(reason) => self.checks.push(Check::pass(APT_VALIDITY, reason)),
            Err(reason) => return Ok(Err(Check::fail(APT_VALIDITY, reason))),
        }
        let wrong = |reason: String| Err(Check::fail(APT_INDEX, reason));
        let indexes = release.indexes();
        if indexes.is_empty() {
            return Ok(wrong(format!("`{shown}` lists no `{INDEX}`")));
        }
        for index in &indexes {
            if let Err(reason) = self.index(index, &release, file)? {
                return Ok(wrong(reason));
            }
        }
        let count = self.packages.len();
        let reason = format!("{} indexes of {count} packages", indexes.len());
        self.checks.push(Check::pass(APT_INDEX, reason));
        Ok(Ok(()))
    }

    /// What the release file says, where it is signed as it must be.
    fn signed_text<E>(
        &mut self,
        keys: Option<&OpenPgpKeys>,
        file: ReadFile<'_, E>,
    ) -> Result<Result<String, Check>, E> {
        let path = &self.rule.release;
        let shown = printable(path);
        let wrong = |reason: String| Ok(Err(Check::fail(APT_SIGNATURE, reason)));
        let Some(bytes) = file(path, Limits::RELEASE_BYTES + 1)? else {
            return wrong(format!("`{shown}` is not there"));
        };
        if bytes.len() as u64 > Limits::RELEASE_BYTES {
            let most = Limits::RELEASE_BYTES;
            return wrong(format!("`{shown}` has more than {most} bytes"));
        }
        let signer = &self.rule.signer;
        let Some(keys) = keys else {
            return wrong(format!(
                "the keys `{}` were not read",
                printable(&signer.key)
            ));
        };
        let name = path.rsplit('/').next().unwrap_or_default();
        let (text, checks) = match name {
            "InRelease" => {
                let found =
                    openpgp::verify_cleartext(&bytes, keys, signer.fingerprint, name, self.at);
                match found {
                    Ok((text, checks)) => (text, checks),
                    Err(checks) => (String::new(), checks),
                }
            }
            "Release" => {
                // What apt reads first is what must be judged.
                let other = format!("{}InRelease", path.strip_suffix(name).unwrap_or_default());
                if file(&other, 1)?.is_some() {
                    let other = printable(&other);
                    return wrong(format!("apt reads `{other}` first; name that as `release`"));
                }
                let signature = file(&format!("{path}.gpg"), Limits::SIGNATURE_BYTES + 1)?;
                let (signature, by) = (signature.as_deref(), signer.fingerprint);
                let checks = openpgp::verify_document(&bytes, signature, keys, by, name, self.at);
                match String::from_utf8(bytes) {
                    Ok(text) => (text, checks),
                    Err(_) => return wrong(format!("`{shown}` is not UTF-8")),
                }
            }
            _ => return wrong(format!("`{shown}` is neither `InRelease` nor `Release`")),
        };
        if let Some(failed) = checks.iter().find(|check| !check.is_pass()) {
            return wrong(format!("`{shown}`: {}", failed.reason));
        }
        let reason = format!("`{shown}` is signed by key {}", signer.fingerprint);
        self.checks.push(Check::pass(APT_SIGNATURE, reason));
        Ok(Ok(text))
    }

    /// Reads an index in each form of it that is there. All of them must say the same.
    fn index<E>(
        &mut self,
        index: &str,
        release: &ReleaseFile,
        file: ReadFile<'_, E>,
    ) -> Result<Result<(), String>, E> {
        let folder = self.rule.release.rsplit_once('/').map(|(folder, _)| folder);
        let plain = release.files.get(index);
        let readers = release.readers(index);
        let mut is_there = false;
        for (ending, packing) in PACKINGS {
            let name = format!("{index}{ending}");
            let shown = printable(&name);
            let path = folder.map_or_else(|| name.clone(), |folder| format!("{folder}/{name}"));
            let Some(listed) = release.files.get(&name) else {
                // apt asks for no form that is not listed; what is listed by SHA-512 alone was refused before.
                continue;
            };
            let Some(bytes) = file(&path, Limits::INDEX_BYTES + 1)? else {
                continue;
            };
            if bytes.len() as u64 > Limits::INDEX_BYTES {
                let most = Limits::INDEX_BYTES;
                return Ok(Err(format!("`{shown}` has more than {most} bytes")));
            }
            if let Err(reason) = compared(&shown, listed, Sha256::of(&bytes), bytes.len() as u64) {
                return Ok(Err(reason));
            }
            let read = index::read(&bytes, packing, readers, &mut self.packages);
            let compared = read.map_err(|error| format!("`{shown}`: {error}"));
            let compared = compared.and_then(|found| match plain {
                Some(plain) => compared_plain(&shown, plain, found),
                None => Ok(()),
            });
            if let Err(reason) = compared {
                return Ok(Err(reason));
            }
            is_there = true;
        }
        Ok(match is_there {
            true => Ok(()),
            false => Err(format!(
                "`{}` is listed, and not there in any form that is read: plain, gz, xz, zst, bz2, lzma",
                printable(index)
            )),
        })
    }
}

/// Whether a file has the digest and size that are listed.
fn compared(shown: &str, listed: &Listed, sha256: Sha256, size: u64) -> Result<(), String> {
    let Listed {
        sha256: expected,
        size: bytes,
    } = listed;
    match (*expected, *bytes) == (sha256, size) {
        true => Ok(()),
        false => Err(format!(
            "`{shown}`: expected sha256 {expected} of {bytes} bytes, found {sha256} of {size}"
        )),
    }
}

fn compared_plain(shown: &str, listed: &Listed, found: Listed) -> Result<(), String> {
    let shown = format!("{shown}, unpacked");
    compared(&shown, listed, found.sha256, found.size)
}

#[cfg(test)]
mod tests;
