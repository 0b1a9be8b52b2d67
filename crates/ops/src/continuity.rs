//! `verify --previous`: will the copies that are installed accept this release?
//!
//! The previous release's files are found again by the rules of the configuration: what a rule calls an artifact now is what
//! it was then. Everything is read from the files, nothing from a network.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use globset::GlobBuilder;
use release::name::printable;
use release::{Kind, Listing, Os, Platform, Version};
use signing::continuity::{
    Comparison, ContinuityReport, Facts, InAppcasts, Publishers, Released, compare, facts,
    of_keys as of_keys_in,
};
use signing::sparkle::{self, PublicKey, appcast};
use signing::walk::{Settings, Signed};
use signing::{Check, Context, MeasureError, Policy, Rules};

use crate::artifacts::Found;
use crate::error::Error;
use crate::feeds;
use crate::verify::{Request, examine_alone, read_small, room};

/// Files of a previous release.
const FILES_MAX: usize = 10_000;
/// How deep its folders are followed.
const DEPTH_MAX: usize = 8;
/// The largest `app-update.yml` that is read, in bytes.
const APP_UPDATE_BYTES_MAX: u64 = 1024 * 1024;
/// The file in an app of electron-updater that says who may have signed its updates.
const APP_UPDATE: &str = "app-update.yml";

/// A file of the previous release that some rule calls an artifact.
struct Previous {
    path: String,
    file: PathBuf,
    platform: Platform,
    kind: Kind,
}

/// What was found under the paths that were given.
#[derive(Default)]
struct Files {
    artifacts: Vec<Previous>,
    /// `app-update.yml` that lie there by themselves.
    app_updates: Vec<(String, PathBuf)>,
    notes: Vec<String>,
}

/// Compares the previous release with the one that is verified. Every artifact of both is read.
///
/// # Errors
/// Where a file cannot be read, or no artifact of the previous release is found.
pub(crate) fn judge(
    request: &Request,
    context: Context<'_>,
    found: &[Found],
) -> Result<ContinuityReport, Error> {
    let files = files(request, &request.previous)?;
    let settings = Settings {
        at: context.now,
        trust: context.trust,
        room,
        // What users install is asked, however their installer is signed.
        signed: Signed::Opened,
    };
    let old = files.artifacts.iter().map(|it| {
        let facts = facts_of(&it.file, it.kind, settings)?;
        let mut released = released(&it.path, it.platform, it.kind, facts);
        released.keyed = keyed(context, it)?;
        Ok(released)
    });
    let old = old.collect::<Result<Vec<_>, Error>>()?;
    let new = found.iter().map(|it| {
        let facts = facts_of(&it.file, it.kind, settings)?;
        Ok(released(&it.path, it.platform, it.kind, facts))
    });
    let mut new = new.collect::<Result<Vec<_>, Error>>()?;
    sparkle_signatures(&old, &mut new, found, &request.version)?;
    let publishers = publishers(&old, &files.app_updates)?;
    let mut report = compare(Comparison {
        previous: &old,
        next: &new,
        publishers: &publishers,
    });
    report.notes.extend(files.notes);
    Ok(report)
}

fn released(path: &str, platform: Platform, kind: Kind, facts: Facts) -> Released {
    Released {
        path: path.to_owned(),
        platform,
        kind,
        facts,
        sparkle: InAppcasts::Unlisted,
        keyed: Vec::new(),
    }
}

/// What a previous artifact is by the keys that today's policy has.
fn keyed(context: Context<'_>, previous: &Previous) -> Result<Vec<Check>, Error> {
    let of_keys = |rules: &Rules| Rules {
        openpgp: rules.openpgp.clone(),
        minisign: rules.minisign.clone(),
        tauri: rules.tauri.clone(),
        ..Rules::default()
    };
    let by_os = context.policy.by_os.iter();
    let policy = Policy {
        by_os: by_os.map(|(os, rules)| (*os, of_keys(rules))).collect(),
        all: of_keys(&context.policy.all),
        ..Policy::default()
    };
    let of_os = policy.by_os.get(&previous.platform.os());
    let is_asked = [of_os, Some(&policy.all)]
        .into_iter()
        .flatten()
        .any(|it| it.openpgp.is_some() || it.minisign.is_some() || it.tauri.is_some());
    let base = previous.path.rsplit('/').next().unwrap_or_default();
    let (true, Ok(name)) = (is_asked, base.parse()) else {
        return Ok(Vec::new());
    };
    let found = Found {
        path: previous.path.clone(),
        file: previous.file.clone(),
        name,
        platform: previous.platform,
        kind: previous.kind,
        size: open(&previous.file)?
            .metadata()
            .map_err(|source| local(&previous.file, source))?
            .len(),
    };
    let context = Context {
        policy: &policy,
        ..context
    };
    let examined = examine_alone(context, &found)?;
    Ok(of_keys_in(&signing::conclude(context, vec![examined])))
}

fn open(file: &Path) -> Result<File, Error> {
    let unreadable = |source| MeasureError::Unreadable {
        path: printable(&file.to_string_lossy()),
        source,
    };
    Ok(File::open(file).map_err(unreadable)?)
}

fn facts_of(file: &Path, kind: Kind, settings: Settings<'_>) -> Result<Facts, Error> {
    let facts = facts(&mut open(file)?, kind, settings);
    let facts = facts.map_err(|source| MeasureError::Unreadable {
        path: printable(&file.to_string_lossy()),
        source,
    });
    Ok(facts?)
}

/// The files under the paths that were given, by the rules.
fn files(request: &Request, previous: &[PathBuf]) -> Result<Files, Error> {
    let mut all = Vec::new();
    for path in previous {
        let meta = path
            .symlink_metadata()
            .map_err(|source| match source.kind() {
                ErrorKind::NotFound => Error::Missing {
                    what: "previous",
                    next: format!("`{}` is not there", printable(&path.to_string_lossy())),
                },
                _ => local(path, source),
            })?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match meta.is_dir() {
            true => folder(path, "", 0, &mut all)?,
            false => all.push((name.into_owned(), path.clone())),
        }
    }
    let mut files = Files::default();
    for (path, file) in all {
        let name = path.rsplit('/').next().unwrap_or(&path);
        if name == APP_UPDATE {
            files.app_updates.push((path, file));
            continue;
        }
        let rules = fitting(request, &path)?;
        match rules.as_slice() {
            [] if is_beside(name) => {}
            [] => files.notes.push(format!(
                "`{}` of the previous release fits no artifact rule, and was not compared",
                printable(&path)
            )),
            [(platform, kind)] => files.artifacts.push(Previous {
                path,
                file,
                platform: *platform,
                kind: *kind,
            }),
            [_, _, ..] => {
                return Err(Error::Missing {
                    what: "previous",
                    next: format!(
                        "`{}` fits artifact rules of two platforms or kinds; put the files into folders as this release has them",
                        printable(&path)
                    ),
                });
            }
        }
    }
    if files.artifacts.is_empty() {
        return Err(Error::Missing {
            what: "previous",
            next: "no file there fits an artifact rule of lastmile.yml; give the folder with the previous release's artifacts as users download them".to_owned(),
        });
    }
    Ok(files)
}

fn local(path: &Path, source: std::io::Error) -> Error {
    Error::Local {
        path: printable(&path.to_string_lossy()),
        source,
    }
}

fn folder(
    place: &Path,
    prefix: &str,
    depth: usize,
    all: &mut Vec<(String, PathBuf)>,
) -> Result<(), Error> {
    let failed = |source| local(place, source);
    let too_many = || Error::Missing {
        what: "previous",
        next: format!(
            "`{}` has more than {FILES_MAX} files, or folders {DEPTH_MAX} deep; give the folder with the artifacts alone",
            printable(&place.to_string_lossy())
        ),
    };
    for entry in fs::read_dir(place).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            if depth >= DEPTH_MAX {
                return Err(too_many());
            }
            folder(&entry.path(), &format!("{prefix}{name}/"), depth + 1, all)?;
        } else if kind.is_file() {
            if all.len() >= FILES_MAX {
                return Err(too_many());
            }
            all.push((format!("{prefix}{name}"), entry.path()));
        }
    }
    all.sort();
    Ok(())
}

/// What stands beside artifacts and is none.
fn is_beside(name: &str) -> bool {
    let endings = [
        ".minisig",
        ".asc",
        ".sig",
        ".sigstore.json",
        ".blockmap",
        ".txt",
        ".md",
        ".yml",
        ".json",
        ".xml",
    ];
    endings.iter().any(|it| name.ends_with(it)) || matches!(name, "SHA256SUMS" | "RELEASES")
}

/// What the rules say of a file: those that fit most of its path, from the end, each platform and kind once. Where a rule
/// names the version, that stands for any.
fn fitting(request: &Request, path: &str) -> Result<Vec<(Platform, Kind)>, Error> {
    let version = request.version.to_string();
    let parts: Vec<_> = path.split('/').collect();
    for depth in (1..=parts.len()).rev() {
        let mut found = Vec::new();
        for rule in &request.rules {
            let pattern = rule.path.replace(&version, "*");
            let pattern: Vec<_> = pattern.split('/').collect();
            let tail = pattern.get(pattern.len().saturating_sub(depth)..);
            let Some(tail) = tail.filter(|_| pattern.len() >= depth) else {
                continue;
            };
            let glob = GlobBuilder::new(&tail.join("/"))
                .literal_separator(true)
                .build();
            let own = parts
                .get(parts.len() - depth..)
                .unwrap_or_default()
                .join("/");
            let what = (rule.platform, rule.kind);
            // A rule that is no glob was refused already.
            let fits = glob.is_ok_and(|glob| glob.compile_matcher().is_match(&own));
            if fits && !found.contains(&what) {
                found.push(what);
            }
        }
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// What installed apps for Windows ask of the signer of the next installer.
fn publishers(old: &[Released], loose: &[(String, PathBuf)]) -> Result<Vec<Publishers>, Error> {
    let names =
        |bytes: &[u8]| feed::built::publisher_names(bytes).map_err(|error| error.to_string());
    let windows = old.iter().filter(|it| it.platform.os() == Os::Windows);
    let inside = windows.flat_map(|it| {
        let updates = it.facts.app_updates();
        updates.map(move |(path, bytes)| (format!("{}!/{path}", it.path), bytes))
    });
    let inside = inside.map(|(path, bytes)| Publishers {
        path,
        names: names(bytes),
    });
    let mut all: Vec<_> = inside.collect();
    for (path, file) in loose {
        let bytes = read_small(file, APP_UPDATE_BYTES_MAX)?.unwrap_or_default();
        all.push(Publishers {
            path: path.clone(),
            names: names(&bytes),
        });
    }
    Ok(all)
}

/// Under which keys the signatures hold that appcasts beside the new artifacts state.
fn sparkle_signatures(
    old: &[Released],
    new: &mut [Released],
    found: &[Found],
    version: &Version,
) -> Result<(), Error> {
    let keys = old
        .iter()
        .chain(new.iter())
        .flat_map(|it| it.facts.sparkle_keys());
    let mut keys: Vec<_> = keys.collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() {
        return Ok(());
    }
    let signatures = appcast_signatures(found, version)?;
    for (released, artifact) in new.iter_mut().zip(found) {
        let Some(stated) = signatures.get(artifact.name.as_str()) else {
            continue;
        };
        // Clients may read any of the appcasts, and any of the items.
        let Some(stated) = stated.iter().cloned().collect::<Option<Vec<_>>>() else {
            released.sparkle = InAppcasts::Unsigned;
            continue;
        };
        let mut holds = Vec::new();
        for text in &keys {
            let Ok(key) = text.parse::<PublicKey>() else {
                continue;
            };
            if is_signed(&stated, &key, artifact)? {
                holds.push(text.clone());
            }
        }
        released.sparkle = InAppcasts::Signed(holds);
    }
    Ok(())
}

/// Whether every signature holds under a key.
fn is_signed(stated: &[String], key: &PublicKey, artifact: &Found) -> Result<bool, Error> {
    for signature in stated {
        let checked = sparkle::check(signature, key, &mut open(&artifact.file)?);
        let checked = checked.map_err(|source| MeasureError::Unreadable {
            path: printable(&artifact.path),
            source,
        });
        if !checked? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What items state: each signature once, and none where one has none.
type Stated = BTreeSet<Option<String>>;

/// What appcasts beside artifacts state of them, by the names of the files. An item of another version may have a file of the
/// same name, and that was another file.
fn appcast_signatures(
    found: &[Found],
    version: &Version,
) -> Result<BTreeMap<String, Stated>, Error> {
    let mut signatures = BTreeMap::<_, Stated>::new();
    let mut of_others = BTreeMap::<_, Stated>::new();
    for (_, listing) in feeds::find(found, appcast::is_appcast)? {
        // One that cannot be read fails as a feed.
        let files = listing.map_or_else(|_| Vec::new(), |Listing { files, .. }| files);
        for listed in files {
            let names = found.iter().map(|it| it.name.as_str());
            let listed_name = listed.name();
            let fitting = names.filter(|name| signing::listing::fits(&listed_name, name));
            let stated = listed.version.as_deref().unwrap_or_default();
            let place = match release::listing::is_version(stated, version) {
                true => &mut signatures,
                false => &mut of_others,
            };
            for name in fitting {
                let all = place.entry(name.to_owned()).or_default();
                all.insert(listed.signature.clone());
            }
        }
    }
    for (name, stated) in of_others {
        signatures.entry(name).or_insert(stated);
    }
    Ok(signatures)
}
