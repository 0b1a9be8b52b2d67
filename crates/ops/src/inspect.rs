//! `inspect`: what is this, and who signed it. Every check but identity, as there is no policy to say who it should be.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use release::Timestamp;
use release::name::printable;
use serde::Serialize;
use signing::walk::{self, Contents, Folder, Settings, Signed};
use signing::{Format, Inspection, Trust, Verdict};

use crate::error::Error;
use crate::online::{self, Online};

/// The largest PEM file that is read, in bytes.
const PEM_BYTES_MAX: u64 = 1024 * 1024;
/// How deep folders are walked.
const DEPTH_MAX: usize = 32;

/// What is to be inspected.
#[derive(Debug, Clone)]
pub struct Request {
    /// Files, and folders whose files that carry signatures of their own are looked at.
    pub paths: Vec<PathBuf>,
    /// PEM files of roots that are trusted besides Microsoft's.
    pub trust: Vec<PathBuf>,
    /// The time to judge at.
    pub at: Timestamp,
    /// How the world is asked what was taken back; none where it is not.
    pub online: Option<Online>,
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Each file, in the order given; those of a folder by path.
    pub files: Vec<Inspected>,
}

/// One file.
#[derive(Debug, Clone, Serialize)]
pub struct Inspected {
    /// Its path, safe to print. What is inside a folder is named with the folder's name in front.
    pub path: String,
    /// What it is.
    pub format: &'static str,
    /// The verdict.
    pub verdict: Verdict,
    /// Its own signature, where this version can look at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<Inspection>,
    /// What is inside, where it is a container that this version looks into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents: Option<Contents>,
}

impl Report {
    /// How many files are not signed, whole, and chained.
    pub fn failed(&self) -> usize {
        let good = |file: &&Inspected| file.verdict == Verdict::Valid;
        self.files.len() - self.files.iter().filter(good).count()
    }
}

/// Inspects every path.
///
/// It blocks, and where the world is asked it wants a runtime around it whose other threads go on.
///
/// # Errors
/// Where a path cannot be read, or a folder holds nothing that could be signed: nobody looked at anything.
pub fn run(request: &Request) -> Result<Report, Error> {
    let mut trust = Trust::microsoft();
    for path in &request.trust {
        trust = with_roots(trust, path)?;
    }
    if let Some(online) = &request.online {
        trust = trust.with_online(online::open(online)?);
    }
    let mut files = Vec::new();
    for path in &request.paths {
        if !path.is_dir() {
            files.push(one(path, request.at, &trust)?);
            continue;
        }
        files.push(folder(path, request.at, &trust)?);
    }
    Ok(Report { files })
}

/// Adds the roots of a PEM file.
pub(crate) fn with_roots(trust: Trust, path: &Path) -> Result<Trust, Error> {
    let shown = || printable(&path.to_string_lossy());
    let bytes = crate::verify::read_small(path, PEM_BYTES_MAX)?.ok_or_else(|| Error::Missing {
        what: "roots",
        next: format!("`{}` is not there", shown()),
    })?;
    trust
        .with_extra_roots(&String::from_utf8_lossy(&bytes))
        .map_err(|source| Error::Roots {
            path: shown(),
            source,
        })
}

fn one(path: &Path, at: Timestamp, trust: &Trust) -> Result<Inspected, Error> {
    let failed = |source| local(path, source);
    let mut file = File::open(path).map_err(failed)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let format = signing::format_of_named(&mut file, &name).map_err(failed)?;
    let signature = signing::inspect_named(&mut file, &name, at, trust).map_err(failed)?;
    let room = crate::verify::room;
    let signed = Signed::Opened;
    let settings = Settings {
        at,
        trust,
        room,
        signed,
    };
    let is_package = format == Format::Zip && signature.as_ref().is_some_and(walk::covers_inside);
    let contents = match is_package {
        true => None,
        false => walk::walk_named(&mut file, &name, settings).map_err(failed)?,
    };
    let own = signature.as_ref().map(|found| found.verdict);
    let inside = contents.as_ref().map(Contents::verdict);
    Ok(Inspected {
        path: printable(&path.to_string_lossy()),
        format: format.name(),
        verdict: match (own, inside) {
            (Some(own), Some(inside)) => own.worse(inside),
            (own, inside) => own.or(inside).unwrap_or(Verdict::Unsupported),
        },
        signature,
        contents,
    })
}

/// Everything in a folder: files that carry signatures of their own, archives, and bundles.
fn folder(path: &Path, at: Timestamp, trust: &Trust) -> Result<Inspected, Error> {
    let room = crate::verify::room;
    let signed = Signed::Opened;
    let settings = Settings {
        at,
        trust,
        room,
        signed,
    };
    // With its own name, as that may be the one of a bundle.
    let name = path.file_name().map(|name| name.to_string_lossy());
    let prefix = name.map_or(String::new(), |name| format!("{name}/"));
    let contents = walk::folder(settings, |into| show(path, &prefix, 0, into));
    let contents = contents.map_err(|source| local(path, source))?;
    let shown = printable(&path.to_string_lossy());
    if contents.leaves.is_empty() {
        let next = format!("`{shown}` holds no file that carries a signature of its own");
        return Err(Error::Missing { what: "PATH", next });
    }
    Ok(Inspected {
        path: shown,
        format: contents.container,
        verdict: contents.verdict(),
        signature: None,
        contents: Some(contents),
    })
}

/// Shows everything in a folder, by name.
fn show(folder: &Path, prefix: &str, depth: usize, into: &mut Folder<'_>) -> io::Result<()> {
    if depth > DEPTH_MAX {
        let reason = format!("deeper than {DEPTH_MAX} folders");
        return Err(io::Error::other(reason));
    }
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let failed = |source: io::Error| {
            let name = printable(&path.to_string_lossy());
            io::Error::new(source.kind(), format!("`{name}`: {source}"))
        };
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(failed)?;
        // Links are not followed: what they point to is inspected where it lies.
        if kind.is_dir() {
            show(&path, &format!("{name}/"), depth + 1, into)?;
        } else if kind.is_symlink() {
            let target = fs::read_link(&path).map_err(failed)?;
            into.link(&name, &target.to_string_lossy())?;
        } else if kind.is_file() {
            let mut file = File::open(&path).map_err(failed)?;
            let is_executable = is_executable(&file).map_err(failed)?;
            into.file(&name, is_executable, &mut file)?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn is_executable(file: &File) -> io::Result<Option<bool>> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.metadata()?.permissions().mode();
    Ok(Some(mode & 0o100 != 0))
}

/// Windows knows no such right.
#[cfg(not(unix))]
fn is_executable(_: &File) -> io::Result<Option<bool>> {
    Ok(None)
}

fn local(path: &Path, source: io::Error) -> Error {
    Error::Local {
        path: printable(&path.to_string_lossy()),
        source,
    }
}
