//! What is inside a package of Windows Installer: the files that it installs, by the paths that they are installed at, and the
//! streams that it runs or shows while it does (`Binary/name`, `Icon/name`).
//!
//! The files lie in cabinets in streams (`#name` in the table `Media`), by the keys of the table `File`. What lies in a
//! cabinet that no file is named for is shown as `cabinet/member`, any other stream by its own name: so are the cabinets of
//! patches, and those that no row names. What stands beside the package, in cabinets or as it is, cannot be read here, and
//! is said. Scripts in rows of `CustomAction` are texts of the package itself and no files.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek};

use release::name::printable;
use thiserror::Error;

use crate::cab;
use crate::msi::compound::{Compound, MAGIC, Place};
use crate::msi::directory::{self, Entry as StreamEntry, Node};
use crate::msi::limits::{CompoundError, LIMITS};
use crate::msi::names::{self, Folders, StreamName};
use crate::msi::tables::{self, Pool, Table, TableError};
use crate::verify::Bytes;
use crate::walk::distinct::Distinct;
use crate::walk::entry::{Each, Entry, EntryKind};
use crate::walk::names::{NameError, relative};
use crate::walk::room;

/// The classes of a root: {000c10xx-0000-0000-c000-000000000046}.
const CLASS_REST: [u8; 15] = [0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
const TRANSFORM: u8 = 0x82;
const DATABASE: u8 = 0x84;
const PATCH: u8 = 0x86;

/// Streams that every package has, and that hold no file: its summary, and its signature.
const KNOWN: [&str; 4] = [
    "\u{5}SummaryInformation",
    "\u{5}DocumentSummaryInformation",
    super::digest::SIGNATURE,
    super::digest::METADATA,
];

/// Why what is inside is not read, or not all of it.
#[derive(Debug, Error)]
enum ContentsError {
    #[error("two of its streams are one to those who decode their names")]
    TwoStreams,
    #[error("{0}")]
    Compound(CompoundError),
    #[error("{0}")]
    Table(TableError),
    #[error("{0}")]
    Name(#[from] NameError),
    #[error("a stream has a name that is no text")]
    StreamName,
    #[error("`{0}` is a cabinet beside the package, and what is in it was not looked at")]
    Beside(String),
    #[error("the cabinet `{0}` is not in the package")]
    NoCabinet(String),
    #[error("`{0}` is listed, and no cabinet in the package holds it")]
    NoBytes(String),
    #[error("`{0}` is in two cabinets, or in one twice")]
    Twice(String),
}

impl From<CompoundError> for ContentsError {
    fn from(error: CompoundError) -> Self {
        Self::Compound(error)
    }
}

impl From<TableError> for ContentsError {
    fn from(error: TableError) -> Self {
        Self::Table(error)
    }
}

/// What is wrong, or the reader's own error.
fn refused(error: impl Into<ContentsError>) -> io::Error {
    match error.into() {
        ContentsError::Compound(CompoundError::Io(error))
        | ContentsError::Table(TableError::Compound(CompoundError::Io(error))) => error,
        error => room::refused(error),
    }
}

/// Whether a compound file is one that Windows Installer opens: by its class, or as it has a pool of texts. One that cannot be
/// read is taken for one, so that this is said.
pub(crate) fn is_package(bytes: &mut (impl Read + Seek + ?Sized)) -> io::Result<bool> {
    bytes.rewind()?;
    let mut magic = Vec::new();
    let mut bytes = bytes;
    (&mut bytes)
        .take(MAGIC.len() as u64)
        .read_to_end(&mut magic)?;
    if magic != MAGIC {
        return Ok(false);
    }
    let read = Compound::open(&mut bytes, LIMITS)
        .and_then(|mut compound| directory::read(&mut compound, LIMITS));
    match read {
        Ok(root) => Ok(class(&root).is_some()
            || streams(&root).map_or(true, |it| {
                it.contains_key(&StreamName::Table("_StringPool".to_owned()))
            })),
        Err(CompoundError::Io(error)) => Err(error),
        Err(_) => Ok(true),
    }
}

fn class(root: &StreamEntry) -> Option<u8> {
    let (kind, rest) = root.class.split_first()?;
    let is_one = rest == CLASS_REST && matches!(*kind, TRANSFORM | DATABASE | PATCH);
    is_one.then_some(*kind)
}

fn children(storage: &StreamEntry) -> &[StreamEntry] {
    match &storage.node {
        Node::Storage(children) => children,
        Node::Stream(_) => &[],
    }
}

/// The streams of the root, by their names.
type Streams = BTreeMap<StreamName, Place>;

/// Two names may be spelt differently and be one to those who decode them.
fn streams(root: &StreamEntry) -> Result<Streams, ContentsError> {
    let mut streams = Streams::new();
    for child in children(root) {
        let Node::Stream(place) = child.node else {
            continue;
        };
        let Some(name) = names::stream(&child.name) else {
            continue;
        };
        if streams.insert(name, place).is_some() {
            return Err(ContentsError::TwoStreams);
        }
    }
    Ok(streams)
}

/// Reads a package to its end, and hands each file with its content on.
pub(crate) fn walk(mut bytes: &mut dyn Bytes, each: Each<'_>) -> io::Result<()> {
    let mut compound = Compound::open(&mut bytes, LIMITS).map_err(refused)?;
    let root = directory::read(&mut compound, LIMITS).map_err(refused)?;
    // Patches and transforms have rows of another form, which say how rows change.
    let is_database = class(&root).is_none_or(|it| it == DATABASE);
    let places = streams(&root).map_err(refused)?;
    let database = match is_database {
        true => Some(Database::read(&mut compound, &places).map_err(refused)?),
        false => None,
    };
    let (cabinets, tables) = match &database {
        Some(database) => (
            database.cabinets().map_err(refused)?,
            database.tables().map_err(refused)?,
        ),
        None => Default::default(),
    };
    let walked: BTreeSet<_> = cabinets
        .iter()
        .filter_map(|it| it.strip_prefix('#'))
        .collect();
    let path = |name: &str| match name.split_once('.') {
        _ if walked.contains(name) => None,
        Some((table, key)) if tables.contains(table) => Some(format!("{table}/{key}")),
        _ => Some(name.to_owned()),
    };
    show(&mut compound, &root, "", &path, each)?;
    let Some(database) = &database else {
        return Ok(());
    };
    let mut files = database.files().map_err(refused)?;
    let mut beside = None;
    for cabinet in &cabinets {
        let Some(name) = cabinet.strip_prefix('#') else {
            beside.get_or_insert(ContentsError::Beside(printable(cabinet)));
            continue;
        };
        let place = places.get(&StreamName::Other(name.to_owned()));
        let place = place.ok_or_else(|| refused(ContentsError::NoCabinet(printable(name))))?;
        let mut stream = compound.stream(*place).map_err(refused)?;
        cab::contents::walk(&mut stream, &mut |entry, content| {
            let path = match files.take(&entry.path).map_err(refused)? {
                Some(path) => path,
                None => format!("{name}/{}", entry.path),
            };
            each(&file(&path)?, content)
        })?;
    }
    match beside {
        Some(error) => Err(refused(error)),
        None => files.all_were_there().map_err(refused),
    }
}

fn file(path: &str) -> io::Result<Entry> {
    let path = relative(path.as_bytes()).map_err(refused)?;
    Ok(Entry {
        path,
        kind: EntryKind::File,
        is_executable: None,
    })
}

/// Hands on every stream of a storage that is no table, by the path that it is given, if any, and those of storages inside.
fn show<R: Read + Seek>(
    compound: &mut Compound<'_, R>,
    storage: &StreamEntry,
    folder: &str,
    path: &dyn Fn(&str) -> Option<String>,
    each: Each<'_>,
) -> io::Result<()> {
    for child in children(storage) {
        let name = names::stream(&child.name).ok_or_else(|| refused(ContentsError::StreamName))?;
        let StreamName::Other(name) = name else {
            continue;
        };
        match child.node {
            Node::Storage(_) => {
                let inner = format!("{folder}{name}/");
                show(compound, child, &inner, &|name| Some(name.to_owned()), each)?;
            }
            Node::Stream(_) if KNOWN.contains(&name.as_str()) => {}
            Node::Stream(place) => {
                let Some(path) = path(&name) else { continue };
                let entry = file(&format!("{folder}{path}"))?;
                let mut stream = compound.stream(place).map_err(refused)?;
                each(&entry, &mut stream)?;
            }
        }
    }
    Ok(())
}

/// The tables that say what is installed.
struct Database {
    pool: Pool,
    tables: Table,
    files: Table,
    components: Table,
    directories: Table,
    media: Table,
}

impl Database {
    fn read(
        compound: &mut Compound<'_, impl Read + Seek>,
        places: &Streams,
    ) -> Result<Self, TableError> {
        let mut streams = tables::Streams::new();
        let mut bytes = |name: &str| {
            let place = places.get(&StreamName::Table(name.to_owned()));
            streams.read(compound, place.copied())
        };
        let pool = bytes("_StringPool")?;
        let pool = Pool::parse(&pool, bytes("_StringData")?)?;
        let columns = Table::of_system("_Columns", bytes("_Columns")?, &pool)?;
        let tables = Table::of_system("_Tables", bytes("_Tables")?, &pool)?;
        let mut listed = |name| Table::of_listed(name, bytes(name)?, &pool, &columns);
        Ok(Self {
            tables,
            files: listed("File")?,
            components: listed("Component")?,
            directories: listed("Directory")?,
            media: listed("Media")?,
            pool,
        })
    }

    fn text(&self, number: u32) -> Result<String, TableError> {
        let text = self.pool.text(number).to_vec();
        String::from_utf8(text).map_err(|_| TableError::Pool)
    }

    fn tables(&self) -> Result<BTreeSet<String>, TableError> {
        let rows = 0..self.tables.rows;
        rows.map(|row| self.text(self.tables.value("Name", row)?))
            .collect()
    }

    /// The cabinets of all media, in their order; no medium has to have one.
    fn cabinets(&self) -> Result<Vec<String>, TableError> {
        let (mut found, mut seen) = (Vec::new(), BTreeSet::from([String::new()]));
        for row in 0..self.media.rows {
            let name = self.text(self.media.value("Cabinet", row)?)?;
            if seen.insert(name.clone()) {
                found.push(name);
            }
        }
        Ok(found)
    }

    fn files(&self) -> Result<Files<'_>, TableError> {
        let folders = Folders::read(&self.pool, &self.directories, &self.components)?;
        let mut rows = Vec::new();
        for row in 0..self.files.rows {
            rows.push((self.files.value("File", row)?, row));
        }
        rows.sort_by_key(|(key, _)| self.pool.text(*key));
        let keys = rows.windows(2).any(|pair| match pair {
            [(one, _), (other, _)] => self.pool.text(*one) == self.pool.text(*other),
            _ => false,
        });
        match keys {
            true => Err(TableError::Table("File")),
            false => Ok(Files {
                database: self,
                folders,
                paths: Distinct::default(),
                taken: vec![false; rows.len()],
                rows,
            }),
        }
    }
}

/// The rows of the table of files, by their keys, and which of them were found in a cabinet.
struct Files<'a> {
    database: &'a Database,
    folders: Folders<'a>,
    paths: Distinct,
    rows: Vec<(u32, usize)>,
    taken: Vec<bool>,
}

impl Files<'_> {
    /// The path of a file, by the name that it has in its cabinet. None where no row names it.
    fn take(&mut self, key: &str) -> Result<Option<String>, ContentsError> {
        let pool = &self.database.pool;
        let found = self
            .rows
            .binary_search_by_key(&key.as_bytes(), |(key, _)| pool.text(*key));
        let Ok(found) = found else { return Ok(None) };
        match self.taken.get_mut(found) {
            Some(taken) if !*taken => *taken = true,
            _ => return Err(ContentsError::Twice(printable(key))),
        }
        let path = self.path(found)?;
        Ok(Some(self.paths.path(&path, key)))
    }

    fn path(&self, at: usize) -> Result<String, TableError> {
        let row = self.rows.get(at).map_or(0, |(_, row)| *row);
        let value = |column| self.database.files.value(column, row);
        self.folders.path(value("Component_")?, value("FileName")?)
    }

    fn all_were_there(&self) -> Result<(), ContentsError> {
        match self.taken.iter().position(|taken| !taken) {
            None => Ok(()),
            Some(at) => Err(ContentsError::NoBytes(printable(&self.path(at)?))),
        }
    }
}
