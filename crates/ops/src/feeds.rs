//! Update feeds that a build left beside its artifacts: found by name, read, and held against the files they list.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use release::listing::TAURI;
use release::name::printable;
use release::{Listed, Listing};
use signing::listing::{self, FoundFeed, Offered, Resolved, Stood};
use signing::sparkle::appcast;
use signing::tauri;
use signing::{FeedReport, MeasureError, ReleaseReport};

use crate::artifacts::Found;
use crate::error::Error;
use crate::verify::{Request, read_small};

/// The largest feed that is read, in bytes; one more than that is refused by its reader.
const FEED_BYTES_MAX: u64 = 4 * 1024 * 1024 + 1;
/// The largest `.sig` of Tauri's, in bytes.
const SIGNATURE_BYTES_MAX: u64 = 16 * 1024;
/// Feeds in a folder that are read.
const FEEDS_MAX: usize = 100;

/// Judges every feed that stands in a folder of artifacts. Each file that one lists is read once more.
///
/// # Errors
/// Where a folder or file cannot be read. What is wrong with a feed is a failed check.
pub(crate) fn judge(
    request: &Request,
    found: &[Found],
    report: &ReleaseReport,
) -> Result<Vec<FeedReport>, Error> {
    let folders = folders(found);
    let mut stood = BTreeMap::new();
    let mut feeds = Vec::new();
    for folder in &folders {
        for (path, listing) in read_all(folder)? {
            let listings = listing.iter();
            let listed = listings.flat_map(|it| it.files.iter().map(|file| (it.updater, file)));
            let files =
                listed.map(|(updater, file)| folder.resolve(updater, file, &folders, &mut stood));
            feeds.push(FoundFeed {
                path,
                files: files.collect::<Result<_, _>>()?,
                listing,
            });
        }
    }
    if feeds.is_empty() {
        return Ok(Vec::new());
    }
    let offered = found.iter().zip(report.measured());
    let offered = offered.map(|(found, (name, measured))| Offered {
        name: name.to_string(),
        platform: found.platform,
        kind: found.kind,
        sha256: measured.sha256,
    });
    let offered: Vec<_> = offered.collect();
    Ok(listing::judge(&feeds, &request.version, &offered))
}

/// The feeds in the folders of artifacts whose names are wanted.
///
/// # Errors
/// Where a folder or file cannot be read.
pub(crate) fn find(found: &[Found], wanted: fn(&str) -> bool) -> Result<Vec<Read>, Error> {
    let mut feeds = Vec::new();
    for folder in folders(found) {
        feeds.extend(read_all(&folder)?);
    }
    feeds.retain(|(path, _)| wanted(path.rsplit('/').next().unwrap_or_default()));
    Ok(feeds)
}

/// A folder that holds artifacts.
struct Folder {
    /// Its path relative to the configuration, with `/` at its end; empty for that folder itself.
    path: String,
    place: PathBuf,
}

/// The path of a feed, and what it lists or why that cannot be read.
pub(crate) type Read = (String, Result<Listing, String>);

/// What stands at a path, so that no file is read twice.
type Known = BTreeMap<PathBuf, Stood>;

fn folders(found: &[Found]) -> Vec<Folder> {
    let places = found.iter().filter_map(|it| {
        let end = it.path.rfind('/').map_or(0, |at| at + 1);
        Some((it.path.get(..end)?.to_owned(), it.file.parent()?.to_owned()))
    });
    let places: BTreeSet<_> = places.collect();
    let folder = |(path, place)| Folder { path, place };
    places.into_iter().map(folder).collect()
}

/// The feeds in a folder, by name.
fn read_all(folder: &Folder) -> Result<Vec<Read>, Error> {
    let local = |source| Error::Local {
        path: printable(&folder.place.to_string_lossy()),
        source,
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder.place).map_err(local)? {
        let entry = entry.map_err(local)?;
        let kind = entry.file_type().map_err(local)?;
        let name = entry.file_name().into_string().ok();
        let name = name.filter(|_| kind.is_file() || kind.is_symlink());
        names.extend(name.map(|name| (name, kind.is_symlink())));
    }
    names.sort_unstable();
    let mut feeds = Vec::new();
    for (name, is_link) in names {
        let is_appcast = appcast::is_appcast(&name);
        if !is_appcast && !feed::built::may_be(&name) {
            continue;
        }
        if feeds.len() >= FEEDS_MAX {
            let reason = format!("there are more than {FEEDS_MAX} feeds in its folder");
            feeds.push((format!("{}{name}", folder.path), Err(reason)));
            break;
        }
        if is_link {
            if is_feed_behind(&folder.place.join(&name), &name) {
                let reason = "it is a link; put the feed itself there".to_owned();
                feeds.push((format!("{}{name}", folder.path), Err(reason)));
            }
            continue;
        }
        let bytes = read_small(&folder.place.join(&name), FEED_BYTES_MAX)?;
        let bytes = bytes.unwrap_or_default();
        let listing = match is_appcast {
            true => Some(appcast::read(&bytes).map_err(|error| error.to_string())),
            false => {
                feed::built::read(&name, &bytes).map(|read| read.map_err(|error| error.to_string()))
            }
        };
        feeds.extend(listing.map(|listing| (format!("{}{name}", folder.path), listing)));
    }
    Ok(feeds)
}

/// Whether a link leads to a feed, or to nothing under a name that only a feed has. It is followed to tell, not to judge.
fn is_feed_behind(link: &Path, name: &str) -> bool {
    let is_special = link.metadata().is_ok_and(|it| !it.is_file());
    let read = || {
        let mut bytes = Vec::new();
        let file = File::open(link).ok().filter(|_| !is_special)?;
        file.take(FEED_BYTES_MAX).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    };
    let bytes = read().unwrap_or_default();
    !is_special && (appcast::is_appcast(name) || feed::built::read(name, &bytes).is_some())
}

impl Folder {
    /// The file that a feed in this folder lists: beside it, or in another folder of artifacts.
    fn resolve(
        &self,
        updater: &'static str,
        listed: &Listed,
        folders: &[Self],
        known: &mut Known,
    ) -> Result<Option<Resolved>, Error> {
        let name = listed.name();
        let others = folders.iter().filter(|it| it.place != self.place);
        for folder in [self].into_iter().chain(others) {
            let Some(file) = folder.file(&name)? else {
                continue;
            };
            let stood = match known.get(&file) {
                Some(stood) => stood.clone(),
                None => stood_of(&file)?,
            };
            known.insert(file.clone(), stood.clone());
            // Only Tauri's feeds hold the content of a file beside, and OpenPGP's may have the same name.
            let beside = format!("{}.sig", file.to_string_lossy());
            let signature = match updater {
                TAURI => read_small(Path::new(&beside), SIGNATURE_BYTES_MAX)?,
                _ => None,
            };
            let signature = signature.filter(|bytes| tauri::is_signature(bytes));
            let signature = signature.and_then(|bytes| String::from_utf8(bytes).ok());
            return Ok(Some(Resolved { stood, signature }));
        }
        Ok(None)
    }

    /// A file by its name in a feed, which may have something else where spaces are.
    fn file(&self, name: &str) -> Result<Option<PathBuf>, Error> {
        let exact = self.place.join(name);
        let is_plain = !name.is_empty() && !name.contains(['/', '\\']) && name != "..";
        if is_plain && exact.symlink_metadata().is_ok_and(|it| it.is_file()) {
            return Ok(Some(exact));
        }
        let local = |source| Error::Local {
            path: printable(&self.place.to_string_lossy()),
            source,
        };
        let mut fitting = Vec::new();
        for entry in fs::read_dir(&self.place).map_err(local)? {
            let entry = entry.map_err(local)?;
            let found = entry.file_name().into_string().unwrap_or_default();
            if entry.file_type().map_err(local)?.is_file() && listing::fits(name, &found) {
                fitting.push(entry.path());
            }
        }
        // Two files could be meant: neither is.
        Ok(fitting.pop().filter(|_| fitting.is_empty()))
    }
}

fn stood_of(file: &Path) -> Result<Stood, Error> {
    let unreadable = |source| MeasureError::Unreadable {
        path: printable(&file.to_string_lossy()),
        source,
    };
    let mut bytes = File::open(file).map_err(unreadable)?;
    Ok(Stood::of(&mut bytes).map_err(unreadable)?)
}
