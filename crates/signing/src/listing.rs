//! Update feeds beside artifacts, held against the bytes of the files that they list.
//!
//! A feed is written before artifacts are signed, or by another step than the one that signs them, so it goes stale often:
//! its clients download everything and install nothing. Whether its signatures can be believed is another question.

mod shown;

use std::io::{self, Read};

use release::listing::{TAURI, is_version};
use release::name::printable;
use release::{Kind, Listed, ListedDigest, Listing, Platform, Sha256, Sha512, Version};
use sha2::Digest as _;

use crate::checks::{Check, FEED_COVERAGE, FEED_DIGEST, FEED_PARSE, FEED_SIGNATURE, FEED_SIZE};
use crate::digest::hex;
use crate::judging::outcome;
use crate::report::FeedReport;
use crate::tauri;

/// Bytes read at a time.
const CHUNK_BYTES: usize = 256 * 1024;
/// Files that a check names at most.
const NAMED_MAX: usize = 5;

/// What the bytes of a file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stood {
    size: u64,
    sha1: [u8; 20],
    sha256: Sha256,
    sha512: Sha512,
}

impl Stood {
    /// Reads a file once, to its end.
    ///
    /// # Errors
    /// Where the reader fails.
    pub fn of(reader: &mut dyn Read) -> io::Result<Self> {
        let (mut sha1, mut sha256) = (sha1::Sha1::new(), sha2::Sha256::new());
        let mut sha512 = sha2::Sha512::new();
        let mut buffer = vec![0; CHUNK_BYTES];
        let mut size = 0;
        loop {
            let read = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let chunk = buffer.get(..read).unwrap_or_default();
            sha1.update(chunk);
            sha256.update(chunk);
            sha512.update(chunk);
            size += read as u64;
        }
        Ok(Self {
            size,
            sha1: sha1.finalize().into(),
            sha256: Sha256::from_bytes(sha256.finalize().into()),
            sha512: Sha512::from_bytes(sha512.finalize().into()),
        })
    }
}

/// A file that a feed lists, where it is there.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// What its bytes are.
    pub stood: Stood,
    /// The content of the `.sig` beside it, where that is what its updater reads.
    pub signature: Option<String>,
}

/// A feed that was found beside artifacts.
#[derive(Debug, Clone)]
pub struct FoundFeed {
    /// Its path, relative.
    pub path: String,
    /// What it lists, or why that cannot be read.
    pub listing: Result<Listing, String>,
    /// Each file that it lists, in the same order; none where that is not there.
    pub files: Vec<Option<Resolved>>,
}

/// An artifact, as far as feeds ask.
#[derive(Debug, Clone)]
pub struct Offered {
    /// Its name.
    pub name: String,
    /// What it runs on.
    pub platform: Platform,
    /// What it is.
    pub kind: Kind,
    /// The digest of its bytes.
    pub sha256: Sha256,
}

/// Judges the feeds of a release together: two may share a platform, and then one of them has its artifact.
pub fn judge(feeds: &[FoundFeed], version: &Version, artifacts: &[Offered]) -> Vec<FeedReport> {
    let reports = feeds.iter().map(|feed| {
        let path = printable(&feed.path);
        let listing = match &feed.listing {
            Ok(listing) => listing,
            Err(reason) => {
                let reason = format!("`{path}` cannot be read: {}", printable(reason));
                return FeedReport {
                    path,
                    updater: None,
                    checks: vec![Check::fail(FEED_PARSE, reason)],
                };
            }
        };
        let parsed = format!("{} files for {}", listing.files.len(), listing.updater);
        let mut checks = vec![Check::pass(FEED_PARSE, parsed)];
        checks.push(shown::check(listing, version));
        let judging = Judging {
            feed,
            listing,
            version,
        };
        checks.push(judging.coverage(feeds, artifacts));
        judging.files(&mut checks);
        FeedReport {
            path,
            updater: Some(listing.updater),
            checks,
        }
    });
    reports.collect()
}

struct Judging<'a> {
    feed: &'a FoundFeed,
    listing: &'a Listing,
    version: &'a Version,
}

impl Judging<'_> {
    /// Whether a file belongs to the version that is released.
    fn is_current(&self, listed: &Listed) -> bool {
        let stated = listed.version.as_ref().or(self.listing.version.as_ref());
        stated.is_none_or(|stated| is_version(stated, self.version))
    }

    fn pairs(&self) -> impl Iterator<Item = (&Listed, Option<&Resolved>)> {
        let found = self.feed.files.iter().map(Option::as_ref);
        self.listing.files.iter().zip(found)
    }

    /// What it lists is there, and its clients find something on each platform that is released.
    fn coverage(&self, feeds: &[FoundFeed], artifacts: &[Offered]) -> Check {
        let missing: Vec<_> = self
            .pairs()
            .filter(|(listed, found)| found.is_none() && self.is_current(listed))
            .map(|(listed, _)| listed.name())
            .collect();
        if !missing.is_empty() {
            let reason = format!(
                "it lists {}, which is not here: its clients would find nothing",
                quoted(missing.iter().map(String::as_str))
            );
            return Check::fail(FEED_COVERAGE, reason);
        }
        let unverified = self.unverified(artifacts);
        if !unverified.is_empty() {
            let reason = format!(
                "it lists {}, which is no artifact of this release: nobody verified it, and clients would install it; add a rule to `artifacts`, or take it out of the feed",
                quoted(unverified.iter().map(String::as_str))
            );
            return Check::fail(FEED_COVERAGE, reason);
        }
        let listings = feeds
            .iter()
            .filter_map(|it| Some((it, it.listing.as_ref().ok()?)));
        let same = listings.filter(|(_, it)| it.updater == self.listing.updater);
        let same: Vec<_> = same.collect();
        let is_listed = |artifact: &&Offered| {
            same.iter().any(|(feed, listing)| {
                let is_for = listing
                    .installs
                    .iter()
                    .any(|(it, _)| *it == artifact.platform);
                let mut files = feed.files.iter().flatten();
                is_for && files.any(|it| it.stood.sha256 == artifact.sha256)
            })
        };
        let forgotten = self.listing.installs.iter().find_map(|(platform, kinds)| {
            let wanted = artifacts
                .iter()
                .filter(|it| it.platform == *platform && kinds.contains(&it.kind));
            let wanted: Vec<_> = wanted.collect();
            let is_served = wanted.is_empty() || wanted.iter().any(is_listed);
            (!is_served).then_some((platform, wanted))
        });
        if let Some((platform, wanted)) = forgotten {
            // A digest that is wrong is said apart.
            let names: Vec<_> = self.listing.files.iter().map(Listed::name).collect();
            let is_named = wanted
                .iter()
                .any(|it| names.iter().any(|name| fits(name, &it.name)));
            if !is_named {
                let names = wanted.iter().map(|it| it.name.as_str());
                let reason = format!(
                    "it lists no artifact of {platform}, which has {}: clients there are offered nothing, or another system's file",
                    quoted(names)
                );
                return Check::fail(FEED_COVERAGE, reason);
            }
        }
        let elsewhere = self.pairs().filter(|(_, found)| found.is_none()).count();
        let reason = match elsewhere {
            0 => "every file that it lists is here".to_owned(),
            more => format!(
                "every file of {} that it lists is here; {more} of other versions are not, and were not looked at",
                self.version
            ),
        };
        Check::pass(FEED_COVERAGE, reason)
    }

    /// Files of the released version whose bytes are those of no artifact. Deltas of packages are such files too: what
    /// they make of an installed app is what counts. Those of Sparkle and blockmaps are in no listing.
    fn unverified(&self, artifacts: &[Offered]) -> Vec<String> {
        let is_artifact = |found: &Resolved| {
            let mut digests = artifacts.iter().map(|it| it.sha256);
            digests.any(|it| it == found.stood.sha256)
        };
        let current = self.pairs().filter(|(listed, _)| self.is_current(listed));
        let unverified = current.filter(|(_, found)| found.is_some_and(|it| !is_artifact(it)));
        unverified.map(|(listed, _)| listed.name()).collect()
    }

    fn files(&self, checks: &mut Vec<Check>) {
        for (listed, found) in self.pairs() {
            let Some(found) = found else { continue };
            let name = printable(&listed.name());
            if let Some(size) = listed.size {
                let stood = found.stood.size;
                let failure = (size != stood)
                    .then(|| format!("`{name}`: it says {size} bytes, the file has {stood}"));
                checks.push(outcome(
                    FEED_SIZE,
                    failure,
                    format!("`{name}`: {size} bytes"),
                ));
            }
            checks.extend(
                listed
                    .digests
                    .iter()
                    .map(|stated| digest(*stated, &found.stood, &name)),
            );
            if let (TAURI, Some(stated)) = (self.listing.updater, &listed.signature) {
                checks.push(signature(stated, found.signature.as_deref(), &name));
            }
        }
    }
}

/// Whether a name in a feed is that of a file: electron-builder and GitHub put something else where spaces are.
pub fn fits(listed: &str, name: &str) -> bool {
    listed == name || listed == name.replace(' ', "-") || listed == name.replace(' ', ".")
}

/// The signature in a feed of Tauri's. Where a policy has a key, a `.sig` must stand beside and hold; what is in the feed is
/// compared with that.
fn signature(stated: &str, beside: Option<&str>, name: &str) -> Check {
    let failure = match beside {
        Some(beside) => (stated.trim() != beside.trim()).then(|| {
            format!("`{name}`: the signature in the feed is not the content of `{name}.sig`")
        }),
        None => (!tauri::is_readable(stated)).then(|| {
            format!(
                "`{name}`: the signature in the feed is none of Tauri's; expected the content of the `.sig` that `tauri signer sign` writes"
            )
        }),
    };
    let passes = match beside {
        Some(_) => format!("`{name}`: the signature is that of `{name}.sig`"),
        None => {
            format!("`{name}`: it is a signature of Tauri's; no `{name}.sig` to compare it with")
        }
    };
    outcome(FEED_SIGNATURE, failure, passes)
}

fn digest(stated: ListedDigest, stood: &Stood, name: &str) -> Check {
    let (kind, stated, found) = match stated {
        ListedDigest::Sha1(sha1) => ("sha1", hex(&sha1), hex(&stood.sha1)),
        ListedDigest::Sha256(sha256) => ("sha256", sha256.to_string(), stood.sha256.to_string()),
        ListedDigest::Sha512(sha512) => ("sha512", sha512.to_string(), stood.sha512.to_string()),
    };
    let failure = (stated != found).then(|| {
        format!(
            "`{name}`: it says {kind} {stated}, the file has {found}; was the file signed after the feed was written?"
        )
    });
    outcome(FEED_DIGEST, failure, format!("`{name}`: {kind} {stated}"))
}

fn quoted<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut texts: Vec<_> = texts.map(printable).collect();
    texts.sort_unstable();
    texts.dedup();
    let more = texts.len().saturating_sub(NAMED_MAX);
    texts.truncate(NAMED_MAX);
    let shown: Vec<_> = texts.iter().map(|text| format!("`{text}`")).collect();
    match (shown.is_empty(), more) {
        (true, _) => "nothing".to_owned(),
        (false, 0) => shown.join(", "),
        (false, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests;
