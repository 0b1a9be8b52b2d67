//! `inspect`: what is this, and who signed it. Every check but identity, as there is no policy to say who it should be.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use release::Timestamp;
use release::name::printable;
use serde::Serialize;
use signing::walk::{self, Contents, Settings};
use signing::{Format, Inspection, Trust, Verdict};

use crate::error::Error;

/// The largest PEM file that is read, in bytes.
const PEM_BYTES_MAX: u64 = 1024 * 1024;
/// How many files are looked at.
const FILES_MAX: usize = 10_000;
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
    /// Its path, safe to print.
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
/// # Errors
/// Where a path cannot be read, or a folder holds nothing that could be signed: nobody looked at anything.
pub fn run(request: &Request) -> Result<Report, Error> {
    let mut trust = Trust::microsoft();
    for path in &request.trust {
        trust = with_roots(trust, path)?;
    }
    let mut files = Vec::new();
    for path in &request.paths {
        if !path.is_dir() {
            files.push(one(path, request.at, &trust)?);
            continue;
        }
        let mut inside = Vec::new();
        walk(path, 0, &mut inside)?;
        inside.sort_unstable();
        let before = files.len();
        for file in inside {
            if head_format(&file)?.own_signature().is_some() {
                files.push(one(&file, request.at, &trust)?);
            }
        }
        if files.len() == before {
            let folder = printable(&path.to_string_lossy());
            let next = format!("`{folder}` holds no file that carries a signature of its own");
            return Err(Error::Missing { what: "PATH", next });
        }
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
    let format = head_format(path)?;
    let mut file = File::open(path).map_err(|source| local(path, source))?;
    let failed = |source| local(path, source);
    let signature = signing::inspect(&mut file, at, trust).map_err(failed)?;
    let room = crate::verify::room;
    let settings = Settings { at, trust, room };
    let contents = walk::walk(&mut file, settings).map_err(failed)?;
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

fn head_format(path: &Path) -> Result<Format, Error> {
    let mut head = Vec::new();
    let read = File::open(path)
        .and_then(|file| file.take(Format::HEAD_BYTES as u64).read_to_end(&mut head));
    read.map_err(|source| local(path, source))?;
    Ok(Format::of_head(&head))
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let entries = fs::read_dir(folder).map_err(|source| local(folder, source))?;
    for entry in entries {
        let entry = entry.map_err(|source| local(folder, source))?;
        let kind = entry.file_type().map_err(|source| local(folder, source))?;
        // Links are not followed: what they point to is inspected where it lies.
        if kind.is_dir() && depth < DEPTH_MAX {
            walk(&entry.path(), depth + 1, found)?;
        } else if kind.is_file() && found.len() < FILES_MAX {
            found.push(entry.path());
        } else if kind.is_dir() || kind.is_file() {
            let reason = format!("more than {FILES_MAX} files, or deeper than {DEPTH_MAX} folders");
            return Err(local(folder, std::io::Error::other(reason)));
        }
    }
    Ok(())
}

fn local(path: &Path, source: std::io::Error) -> Error {
    Error::Local {
        path: printable(&path.to_string_lossy()),
        source,
    }
}
