//! Room for one file of a container while it is looked at, and who is to blame where reading ends: the container or the world.

use std::cell::{Cell, RefCell};
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use crate::checks::Id;
use crate::verify::Bytes;
use crate::walk::{Broken, Limits};

/// A place that can be written, and read at any offset: memory, or a file that has no name.
pub trait Room: Read + Write + Seek {}

impl<T: Read + Write + Seek> Room for T {}

/// Makes a room. This crate touches no disk: whoever calls it knows where there is space.
pub type MakeRoom = fn() -> io::Result<Box<dyn Room>>;

/// What stays in memory; larger files get a room.
const MEMORY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Errors of the world: of the reader of the outermost container, and of rooms. Decompressors wrap what they get from below,
/// so the first one is noted here, and every other error is the container's own fault.
#[derive(Debug, Default)]
pub(crate) struct World(RefCell<Option<io::Error>>);

impl World {
    pub(crate) fn watched<'a>(&'a self, bytes: &'a mut dyn Bytes) -> Watched<'a> {
        Watched { bytes, world: self }
    }

    /// Notes an error, and gives one to return instead.
    pub(crate) fn fail(&self, error: io::Error) -> io::Error {
        let kind = error.kind();
        self.0.borrow_mut().get_or_insert(error);
        kind.into()
    }

    /// What an error means.
    ///
    /// # Errors
    /// Where it is the world's.
    pub(crate) fn broken(&self, error: io::Error) -> io::Result<Broken> {
        if let Some(error) = self.0.borrow_mut().take() {
            return Err(error);
        }
        let is_limit = error.get_ref().is_some_and(|inner| inner.is::<Limit>());
        let refused = error.get_ref().and_then(|inner| inner.downcast_ref());
        let check = refused.and_then(|refused: &Refused| refused.check);
        let reason = match is_ours(&error) {
            true => error.to_string(),
            false => release::name::chain(&error),
        };
        Ok(Broken {
            reason,
            is_limit,
            check,
        })
    }
}

/// A reader whose errors are the world's.
pub(crate) struct Watched<'a> {
    bytes: &'a mut dyn Bytes,
    world: &'a World,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.bytes.read(buffer) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(self.world.fail(error)),
            other => other,
        }
    }
}

impl Seek for Watched<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to).map_err(|error| self.world.fail(error))
    }
}

/// Whether an error says what this crate found, in words that are safe to print.
pub(crate) fn is_ours(error: &io::Error) -> bool {
    let inner = error.get_ref();
    inner.is_some_and(|inner| inner.is::<Limit>() || inner.is::<Refused>())
}

/// A limit that was reached.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Limit(String);

pub(crate) fn limit(reason: impl Into<String>) -> io::Error {
    io::Error::other(Limit(reason.into()))
}

/// Why a container is refused, in words that are safe to print.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
struct Refused {
    reason: String,
    /// Which check that is, where it is not that the container can be read.
    check: Option<Id>,
}

/// What a reader of this crate says of a container. It has escaped what it quotes.
pub(crate) fn refused(error: impl std::error::Error) -> io::Error {
    refusal(error, None)
}

/// The same, where that is a check of its own.
pub(crate) fn refused_by(check: Id, error: impl std::error::Error) -> io::Error {
    refusal(error, Some(check))
}

fn refusal(error: impl std::error::Error, check: Option<Id>) -> io::Error {
    let reason = error.to_string();
    io::Error::new(io::ErrorKind::InvalidData, Refused { reason, check })
}

const TOO_MANY_BYTES: &str = "it unpacks to far more bytes than it has, and more than are read";

/// What may still be read.
#[derive(Debug)]
pub(crate) struct Budget {
    entries: Cell<u64>,
    bytes: Cell<u64>,
    leaves: Cell<usize>,
    kept: Cell<u64>,
}

impl Budget {
    pub(crate) fn new(entries: u64, bytes: u64) -> Self {
        Self {
            entries: Cell::new(entries),
            bytes: Cell::new(bytes),
            leaves: Cell::new(Limits::LEAVES),
            kept: Cell::new(Limits::KEPT_BYTES),
        }
    }

    /// Counts a file that is reported.
    pub(crate) fn leaf(&self) -> io::Result<()> {
        let left = self.leaves.get().checked_sub(1);
        let left = left.ok_or_else(|| limit("there are more programs inside than are judged"))?;
        self.leaves.set(left);
        Ok(())
    }

    /// Counts what is kept of a file.
    pub(crate) fn keep(&self, bytes: usize) -> io::Result<()> {
        let left = self.kept.get().checked_sub(bytes as u64);
        let left =
            left.ok_or_else(|| limit("there are more lists of files inside than are read"))?;
        self.kept.set(left);
        Ok(())
    }

    /// Counts an entry.
    pub(crate) fn entry(&self) -> io::Result<()> {
        let left = self.entries.get().checked_sub(1);
        let left = left.ok_or_else(|| limit("there are more files inside than are read"))?;
        self.entries.set(left);
        Ok(())
    }

    /// Counts what a decompressor gives.
    pub(crate) fn metered<R: Read>(&self, plain: R) -> Metered<'_, R> {
        Metered {
            plain,
            budget: self,
        }
    }
}

/// A reader whose bytes are counted.
pub(crate) struct Metered<'a, R> {
    plain: R,
    budget: &'a Budget,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.plain.read(buffer)?;
        let left = self.budget.bytes.get().checked_sub(read as u64);
        let left = left.ok_or_else(|| limit(TOO_MANY_BYTES))?;
        self.budget.bytes.set(left);
        Ok(read)
    }
}

/// Bounds what a decompressor gives, where a reader passes over some of it itself: no budget counts that.
pub(crate) fn bounded<R: Read>(plain: R, packed_bytes: u64) -> Bounded<R> {
    let left = Limits::BYTES.max(packed_bytes.saturating_mul(Limits::RATIO));
    Bounded { plain, left }
}

/// A reader that gives only so many bytes.
pub(crate) struct Bounded<R> {
    plain: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.plain.read(buffer)?;
        let left = self.left.checked_sub(read as u64);
        self.left = left.ok_or_else(|| limit(TOO_MANY_BYTES))?;
        Ok(read)
    }
}

/// A file that is being stored.
pub(crate) struct Stored<'a> {
    make: MakeRoom,
    world: &'a World,
    memory: Vec<u8>,
    room: Option<Box<dyn Room>>,
}

impl<'a> Stored<'a> {
    pub(crate) fn new(make: MakeRoom, world: &'a World) -> Self {
        Self {
            make,
            world,
            memory: Vec::new(),
            room: None,
        }
    }

    pub(crate) fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.try_write(piece)
            .map_err(|error| self.world.fail(error))
    }

    fn try_write(&mut self, piece: &[u8]) -> io::Result<()> {
        if self.room.is_none() && self.memory.len() + piece.len() > MEMORY_BYTES_MAX {
            let mut room = (self.make)()?;
            room.write_all(&std::mem::take(&mut self.memory))?;
            self.room = Some(room);
        }
        match &mut self.room {
            Some(room) => room.write_all(piece),
            None => {
                self.memory.extend_from_slice(piece);
                Ok(())
            }
        }
    }

    /// To be read from the beginning.
    pub(crate) fn finish(self) -> io::Result<Kept> {
        match self.room {
            None => Ok(Kept::Memory(Cursor::new(self.memory))),
            Some(mut room) => {
                let rewound = room.flush().and_then(|()| room.seek(SeekFrom::Start(0)));
                rewound.map_err(|error| self.world.fail(error))?;
                Ok(Kept::Room(room))
            }
        }
    }
}

/// A file that was stored.
pub(crate) enum Kept {
    Memory(Cursor<Vec<u8>>),
    Room(Box<dyn Room>),
}

impl Read for Kept {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Memory(bytes) => bytes.read(buffer),
            Self::Room(room) => room.read(buffer),
        }
    }
}

impl Seek for Kept {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::Memory(bytes) => bytes.seek(to),
            Self::Room(room) => room.seek(to),
        }
    }
}
