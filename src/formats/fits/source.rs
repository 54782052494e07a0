//! Bytes of a FITS file from front to back, gunzipped on the way where needed.
//!
//! Gzip is known by its first two bytes, not by the name. What comes out of it is bounded by
//! the ratio and the size of `Limits`; a file on disk is bounded by its size. Nothing is
//! allocated from announced sizes alone.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::error::FitsError;
use super::limits::Limits;

/// First bytes of every gzip stream (RFC 1952, section 2.3.1).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

enum Stream {
    Plain(File),
    Gzip(Box<MultiGzDecoder<BufReader<File>>>),
}

/// How a gzip stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GzipEnd {
    /// With its check sum.
    Proper,
    /// Not at all: the file ends before.
    Missing,
    /// Beyond the bytes that may come out.
    TooFar,
}

/// A file being read, with the place reached.
pub(super) struct Source {
    path: PathBuf,
    stream: Stream,
    position: u64,
    /// Plain: size of the file. Gzip: the most bytes that may come out.
    length: u64,
    /// Size on disk [bytes].
    stored: u64,
}

impl Source {
    /// Opens a regular file that is neither empty nor too large.
    pub(super) fn open(path: &Path, limits: &Limits) -> Result<Self, FitsError> {
        let open_error = |source| FitsError::Open { path: path.to_owned(), source };
        // Asked before opening: opening a pipe would wait for a writer for ever.
        if !std::fs::metadata(path).map_err(open_error)?.is_file() {
            return Err(FitsError::NotAFile { path: path.to_owned() });
        }
        let mut file = File::open(path).map_err(open_error)?;
        let stored = file.metadata().map_err(open_error)?.len();
        if stored == 0 {
            return Err(FitsError::Empty);
        }
        if stored > limits.file_bytes_max {
            let allowed_bytes = limits.file_bytes_max;
            return Err(FitsError::FileTooLarge { found_bytes: stored, allowed_bytes });
        }
        let mut magic = [0; 2];
        let is_gzip = file.read_exact(&mut magic).is_ok() && magic == GZIP_MAGIC;
        file.seek(SeekFrom::Start(0)).map_err(open_error)?;
        let (stream, length) = if is_gzip {
            let most = (stored as f64 * limits.compression_ratio_max) as u64;
            let decoder = MultiGzDecoder::new(BufReader::new(file));
            (Stream::Gzip(Box::new(decoder)), most.min(limits.file_bytes_max))
        } else {
            (Stream::Plain(file), stored)
        };
        Ok(Self { path: path.to_owned(), stream, position: 0, length, stored })
    }

    /// Place reached [bytes from the start, gunzipped].
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Size on disk [bytes].
    pub(super) fn stored_bytes(&self) -> u64 {
        self.stored
    }

    /// Tells whether bytes are gunzipped on the way.
    pub(super) fn is_gzip(&self) -> bool {
        matches!(self.stream, Stream::Gzip(_))
    }

    /// Goes to the end of a gzip stream; of a plain file the end is always proper.
    pub(super) fn gzip_end(&mut self) -> Result<GzipEnd, FitsError> {
        let Stream::Gzip(decoder) = &mut self.stream else {
            return Ok(GzipEnd::Proper);
        };
        let most = self.length.saturating_sub(self.position);
        match io::copy(&mut decoder.take(most + 1), &mut io::sink()) {
            Ok(count) => {
                self.position += count;
                Ok(if count > most { GzipEnd::TooFar } else { GzipEnd::Proper })
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(GzipEnd::Missing),
            Err(error) => Err(self.read_error(error)),
        }
    }

    /// Reads until the buffer is full or the file ends; the number of bytes read.
    pub(super) fn read_up_to(&mut self, buffer: &mut [u8]) -> Result<usize, FitsError> {
        let mut filled = 0;
        while filled < buffer.len() {
            let rest = &mut buffer[filled..];
            let result = match &mut self.stream {
                Stream::Plain(file) => file.read(rest),
                Stream::Gzip(decoder) => decoder.read(rest),
            };
            match result {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(self.read_error(error)),
            }
        }
        self.position += filled as u64;
        Ok(filled)
    }

    /// Fills the buffer. Errors: `Truncated`, as if nothing beyond the buffer were expected.
    pub(super) fn read_exact(&mut self, buffer: &mut [u8]) -> Result<(), FitsError> {
        let expected_bytes = self.position + buffer.len() as u64;
        if self.read_up_to(buffer)? < buffer.len() {
            return Err(FitsError::Truncated { expected_bytes, found_bytes: self.position });
        }
        Ok(())
    }

    /// Reads the next bytes into memory, which grows only as they come.
    pub(super) fn read_block(&mut self, count: u64) -> Result<Vec<u8>, FitsError> {
        const STEP_BYTES: usize = 1 << 22;
        self.expect(count)?;
        let expected_bytes = self.position + count;
        let mut bytes = Vec::new();
        while self.position < expected_bytes {
            let missing = expected_bytes - self.position;
            let step = usize::try_from(missing).map_or(STEP_BYTES, |n| n.min(STEP_BYTES));
            let start = bytes.len();
            bytes.resize(start + step, 0);
            if self.read_up_to(&mut bytes[start..])? < step {
                return Err(FitsError::Truncated { expected_bytes, found_bytes: self.position });
            }
        }
        Ok(bytes)
    }

    /// Goes forward over data. Errors: as `expect`; `Truncated` where a gzip file ends before.
    pub(super) fn skip(&mut self, count: u64) -> Result<(), FitsError> {
        self.expect(count)?;
        let expected_bytes = self.position + count;
        let result = match &mut self.stream {
            Stream::Plain(file) => file.seek(SeekFrom::Start(expected_bytes)).map(|_| count),
            Stream::Gzip(decoder) => io::copy(&mut decoder.take(count), &mut io::sink()),
        };
        match result {
            Ok(skipped) => self.position += skipped,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
            Err(error) => return Err(self.read_error(error)),
        }
        if self.position < expected_bytes {
            return Err(FitsError::Truncated { expected_bytes, found_bytes: self.position });
        }
        Ok(())
    }

    /// Checks that the next `count` bytes can be there at all.
    ///
    /// Errors: `Truncated` for a plain file, `RatioTooHigh` for a gzip file.
    pub(super) fn expect(&self, count: u64) -> Result<(), FitsError> {
        let expected_bytes = self.position.saturating_add(count);
        if expected_bytes <= self.length {
            return Ok(());
        }
        match self.stream {
            Stream::Plain(_) => {
                Err(FitsError::Truncated { expected_bytes, found_bytes: self.length })
            }
            Stream::Gzip(_) => Err(FitsError::RatioTooHigh {
                expanded_bytes: expected_bytes,
                stored_bytes: self.stored,
                allowed_ratio: self.length as f64 / self.stored as f64,
            }),
        }
    }

    /// Sorts damage of the gzip stream from failures of the system.
    fn read_error(&self, source: io::Error) -> FitsError {
        match source.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => FitsError::Gzip { source },
            _ => FitsError::Read { path: self.path.clone(), source },
        }
    }
}
