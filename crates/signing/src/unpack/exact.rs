//! Raw streams, as archives hold them: each ends where its input does. What stands behind the end of a stream would be read by
//! nobody, so it is refused.

use std::io::{self, BufRead, BufReader, Read};

use flate2::{Decompress, FlushDecompress, Status};
use lzma_rust2::{Lzma2Reader, LzmaReader};
use thiserror::Error;

use crate::walk::room;

/// What is taken of memory at most while one stream is read.
pub(crate) struct Limits;

impl Limits {
    /// Bytes of a dictionary of LZMA, which is no larger than what is unpacked with it: `-mx=7` of a 7-Zip of today takes
    /// 128 MiB, electron-builder and `-mx=9` of p7zip 64 MiB, NSIS 8 MiB. As much as is given to zstd.
    pub(crate) const DICTIONARY_BYTES: u32 = 128 * 1024 * 1024;
    /// The least that the decoder works with.
    const DICTIONARY_BYTES_MIN: u32 = 4096;
}

/// Why a stream is not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum StreamError {
    #[error("a compressed stream ends too early")]
    Truncated,
    #[error("something stands behind the end of a compressed stream")]
    Behind,
    #[error("a compressed stream is damaged")]
    Damaged,
    #[error("a compressed stream has properties that no encoder gives it")]
    Properties,
    #[error("a stream unpacks to {0} bytes than its archive states")]
    Size(&'static str),
    #[error(
        "it needs a dictionary of {0} bytes, and at most {max} are given",
        max = Limits::DICTIONARY_BYTES
    )]
    Dictionary(u64),
}

impl From<StreamError> for io::Error {
    fn from(error: StreamError) -> Self {
        room::refused(error)
    }
}

/// Refuses what is left of an input.
pub(crate) fn ended(input: &mut (impl Read + ?Sized)) -> io::Result<()> {
    loop {
        match input.read(&mut [0]) {
            Ok(0) => return Ok(()),
            Ok(_) => return Err(StreamError::Behind.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A dictionary that is no larger than what is unpacked: no distance reaches further.
pub(crate) fn dictionary(stated: u32, unpacked: Option<u64>) -> Result<u32, StreamError> {
    let needed = u64::from(stated).min(unpacked.unwrap_or(u64::MAX));
    match u32::try_from(needed) {
        Ok(needed) if needed <= Limits::DICTIONARY_BYTES => {
            Ok(needed.max(Limits::DICTIONARY_BYTES_MIN))
        }
        _ => Err(StreamError::Dictionary(needed)),
    }
}

/// A stream of LZMA without a header. Of unknown size it ends with a mark.
pub(crate) struct Lzma<R>(Option<LzmaReader<R>>);

impl<R: Read> Lzma<R> {
    /// # Errors
    /// Where the reader fails, or the properties are none.
    pub(crate) fn new(
        input: R,
        properties: u8,
        dictionary: u32,
        unpacked: Option<u64>,
    ) -> io::Result<Self> {
        let size = unpacked.unwrap_or(u64::MAX);
        // As the decoder takes numbers that large for unknown ones.
        if unpacked.is_some_and(|size| size > u64::MAX / 2) {
            return Err(StreamError::Properties.into());
        }
        let mut reader = LzmaReader::new_with_props(input, size, properties, dictionary, None)?;
        reader.set_relaxed_end_condition(false);
        Ok(Self(Some(reader)))
    }
}

impl<R: Read> Read for Lzma<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(reader) = self.0.as_mut().filter(|_| !buffer.is_empty()) else {
            return Ok(0);
        };
        let read = reader.read(buffer)?;
        if read == 0 {
            let (mut input, unused) = match self.0.take() {
                Some(reader) => reader.into_parts(),
                None => return Ok(0),
            };
            ended(&mut unused.as_slice())?;
            ended(&mut input)?;
        }
        Ok(read)
    }
}

/// A stream of LZMA2, which ends with a mark.
pub(crate) struct Lzma2<R> {
    reader: Lzma2Reader<BufReader<R>>,
}

impl<R: Read> Lzma2<R> {
    pub(crate) fn new(input: R, dictionary: u32) -> Self {
        let dictionary = dictionary.max(Limits::DICTIONARY_BYTES_MIN);
        Self {
            reader: Lzma2Reader::new(BufReader::new(input), dictionary, None),
        }
    }
}

impl<R: Read> Read for Lzma2<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            ended(self.reader.inner_mut())?;
        }
        Ok(read)
    }
}

/// A raw stream of deflate (RFC 1951).
pub(crate) struct Deflate<R> {
    input: BufReader<R>,
    engine: Decompress,
    is_ended: bool,
}

impl<R: Read> Deflate<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input: BufReader::new(input),
            engine: Decompress::new(false),
            is_ended: false,
        }
    }
}

impl<R: Read> Read for Deflate<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_ended || buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let available = self.input.fill_buf()?;
            let is_over = available.is_empty();
            let (before_in, before_out) = (self.engine.total_in(), self.engine.total_out());
            let status = self
                .engine
                .decompress(available, buffer, FlushDecompress::None)
                .map_err(|_| StreamError::Damaged)?;
            let consumed = usize::try_from(self.engine.total_in() - before_in);
            let read = usize::try_from(self.engine.total_out() - before_out);
            let (consumed, read) = consumed
                .and_then(|consumed| Ok((consumed, read?)))
                .map_err(|_| StreamError::Damaged)?;
            self.input.consume(consumed);
            if status == Status::StreamEnd {
                self.is_ended = true;
                ended(&mut self.input)?;
                return Ok(read);
            }
            if read > 0 {
                return Ok(read);
            }
            if is_over {
                return Err(StreamError::Truncated.into());
            }
        }
    }
}

/// A stream of a size that is stated somewhere: not one byte less or more.
pub(crate) struct Exactly<R> {
    input: R,
    left: u64,
}

impl<R: Read> Exactly<R> {
    pub(crate) fn new(input: R, bytes: u64) -> Self {
        Self { input, left: bytes }
    }
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            return match self.input.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(StreamError::Size("more").into()),
            };
        }
        let wanted = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let read = self
            .input
            .read(buffer.get_mut(..wanted).unwrap_or_default())?;
        if read == 0 {
            return Err(StreamError::Size("fewer").into());
        }
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
