//! Zip archives that are packages with a signature of their own: which they are, and how what is in them is read.
//!
//! What is in a package is told by its names, as everything else in it may be packed. An archive that cannot be read in one
//! way only is no package that holds, but is judged as one where its end names what only packages have.

use std::io::{self, Read, Seek, SeekFrom};

use release::Timestamp;

use crate::checks::{Check, MSIX_PARSE, NUGET_PARSE};
use crate::inspection::{Inspection, Kind};
use crate::msix;
use crate::nuget;
use crate::reading::read_at;
use crate::roots::Trust;
use crate::verify::Bytes;
use crate::walk::room::World;
use crate::zip::{Archive, Entry, EntryKind};

/// Bytes at the end of an archive that cannot be read in which its directory is looked for.
const TAIL_BYTES: u64 = 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Package {
    Msix,
    NuGet,
}

impl Package {
    /// What has the marks of both is an app package: those name each file that may be in them.
    fn of(archive: &Archive) -> Option<Self> {
        let names = || archive.entries.iter().map(|entry| entry.path.as_str());
        if names().any(msix::is_mark) {
            Some(Self::Msix)
        } else if names().any(nuget::is_mark) {
            Some(Self::NuGet)
        } else {
            None
        }
    }

    /// The same of an archive that cannot be read.
    fn of_tail(tail: &[u8]) -> Option<Self> {
        let has = |mark: &str| {
            let mut windows = tail.windows(mark.len());
            windows.any(|window| window == mark.as_bytes())
        };
        if msix::MARKS.iter().copied().any(has) {
            Some(Self::Msix)
        } else if has(nuget::SIGNATURE) {
            Some(Self::NuGet)
        } else {
            None
        }
    }
}

/// Inspects a zip archive, and judges it at a time by what is trusted. None where it is no package that could be signed.
///
/// # Errors
/// Where the reader fails. An archive that is wrong is no error but a verdict.
pub(crate) fn inspect(
    mut bytes: &mut dyn Bytes,
    at: Timestamp,
    trust: &Trust,
) -> io::Result<Option<Inspection>> {
    let archive = match Archive::open(&mut bytes)? {
        Ok(archive) => archive,
        Err(error) => {
            let size = bytes.seek(SeekFrom::End(0))?;
            let tail_bytes = size.min(TAIL_BYTES);
            let tail = read_at(&mut bytes, size - tail_bytes, tail_bytes)?;
            let (kind, id) = match Package::of_tail(&tail.unwrap_or_default()) {
                Some(Package::Msix) => (Kind::Authenticode, MSIX_PARSE),
                Some(Package::NuGet) => (Kind::NuGet, NUGET_PARSE),
                None => return Ok(None),
            };
            let checks = vec![Check::fail(id, error.to_string())];
            let found = Inspection::new(kind, at, checks, Vec::new(), trust);
            return Ok(Some(found));
        }
    };
    match Package::of(&archive) {
        Some(Package::Msix) => msix::inspect(&archive, bytes, at, trust).map(Some),
        Some(Package::NuGet) => nuget::inspect(&archive, bytes, at, trust).map(Some),
        None => Ok(None),
    }
}

/// What is in an archive, as it is read.
pub(crate) struct Source<'a> {
    pub(crate) bytes: &'a mut dyn Bytes,
    /// Where errors of the reader are told from those of the archive.
    world: &'a World,
}

/// Looks into a package. An error is the reader's own, as it was.
pub(crate) fn look<T>(
    bytes: &mut dyn Bytes,
    looking: impl FnOnce(&mut Source<'_>) -> io::Result<T>,
) -> io::Result<T> {
    let world = World::default();
    let mut watched = world.watched(bytes);
    let mut source = Source {
        bytes: &mut watched,
        world: &world,
    };
    looking(&mut source).map_err(|error| match world.broken(error) {
        Ok(broken) => io::Error::other(broken.reason),
        Err(error) => error,
    })
}

impl Source<'_> {
    /// Looks into an archive that is stored in another.
    pub(crate) fn within<T>(
        &mut self,
        entry: &Entry,
        looking: impl FnOnce(&mut Source<'_>) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut section = Section::new(self.bytes, entry.data_at, entry.packed);
        looking(&mut Source {
            bytes: &mut section,
            world: self.world,
        })
    }

    /// Reads a file in pieces of one length, but for the last. Ends early where a piece is not wanted. What is wrong with the
    /// file is a reason that is safe to print.
    pub(crate) fn pieces(
        &mut self,
        entry: &Entry,
        piece_bytes: usize,
        mut to: impl FnMut(&[u8]) -> bool,
    ) -> io::Result<Result<(), String>> {
        let mut read = || -> io::Result<()> {
            let content = Archive::content(&mut self.bytes, entry)?;
            let mut content = content.or_without_last_block();
            let mut piece = vec![0; piece_bytes];
            loop {
                let filled = fill(&mut content, &mut piece)?;
                let piece = piece.get(..filled).unwrap_or_default();
                if piece.is_empty() || !to(piece) {
                    return Ok(());
                }
            }
        };
        match read() {
            Ok(()) => Ok(Ok(())),
            Err(error) => self.world.broken(error).map(|broken| Err(broken.reason)),
        }
    }

    /// Reads a file that has at most so many bytes.
    pub(crate) fn whole(
        &mut self,
        entry: &Entry,
        bytes_max: u64,
    ) -> io::Result<Result<Vec<u8>, String>> {
        const PIECE_BYTES: usize = 64 * 1024;
        if entry.kind != EntryKind::File || entry.size > bytes_max {
            let reason = format!("it is no file, or has more than {bytes_max} bytes");
            return Ok(Err(reason));
        }
        let mut whole = Vec::new();
        let read = self.pieces(entry, PIECE_BYTES, |piece| {
            whole.extend_from_slice(piece);
            true
        })?;
        Ok(read.map(|()| whole))
    }
}

/// Reads until a buffer is full or the content ends.
fn fill(content: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
        match content.read(room) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A part of a file as a file of its own, as packages lie in bundles.
struct Section<'a> {
    bytes: &'a mut dyn Bytes,
    start: u64,
    length: u64,
    at: u64,
}

impl<'a> Section<'a> {
    fn new(bytes: &'a mut dyn Bytes, start: u64, length: u64) -> Self {
        Self {
            bytes,
            start,
            length,
            at: 0,
        }
    }
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.length.saturating_sub(self.at);
        let wanted = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let Some(buffer) = buffer.get_mut(..wanted).filter(|it| !it.is_empty()) else {
            return Ok(0);
        };
        self.bytes
            .seek(SeekFrom::Start(self.start.saturating_add(self.at)))?;
        let read = self.bytes.read(buffer)?;
        self.at = self.at.saturating_add(read as u64);
        Ok(read)
    }
}

impl Seek for Section<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(behind) => self.length.checked_add_signed(behind),
            SeekFrom::Current(behind) => self.at.checked_add_signed(behind),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
pub(crate) mod tests;
