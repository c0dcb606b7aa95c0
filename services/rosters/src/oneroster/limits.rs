//! Sizes beyond which a package is refused, and the readers that enforce them on what is really there.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// Sizes beyond which a package is refused.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of the zip itself.
    pub zip_bytes: u64,
    /// Bytes of all files together once unpacked.
    pub unpacked_bytes: u64,
    /// Entries of the zip.
    pub entries: u64,
    /// Bytes of one row, all cells and quotes together.
    pub row_bytes: u64,
    /// Characters of a cell that holds a list.
    pub cell_chars: usize,
    /// Characters of any other cell.
    pub text_chars: usize,
    /// Characters of one identifier.
    pub id_chars: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { zip_bytes: 1 << 30, unpacked_bytes: 8 << 30, entries: 500, row_bytes: 256 << 10, cell_chars: 16_000, text_chars: 500, id_chars: 255 }
    }
}

/// Why a guarded reader stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excess {
    /// A row goes on and on: an unclosed quote, most often.
    Row,
    /// More came out of the zip than it may hold.
    Unpacked,
}

/// Counters that a [`Guard`] shares with whoever reads records from it.
#[derive(Debug, Clone, Default)]
pub(super) struct Meter {
    since_row: Rc<Cell<u64>>,
    total: Rc<Cell<u64>>,
    excess: Rc<Cell<Option<Excess>>>,
}

impl Meter {
    /// A record is complete: the next one starts from nothing.
    pub(super) fn row_done(&self) {
        self.since_row.set(0);
    }

    /// Why reading stopped, where a limit was the reason.
    pub(super) fn excess(&self) -> Option<Excess> {
        self.excess.get()
    }

    /// Bytes that came out so far.
    pub(super) fn total(&self) -> u64 {
        self.total.get()
    }
}

/// Stops a reader that yields too much, in all or without a row coming to its end. The zip's own figures are
/// not trusted: this counts what is really unpacked.
pub(super) struct Guard<R> {
    inner: R,
    meter: Meter,
    row_bytes: u64,
    unpacked_bytes: u64,
}

impl<R> Guard<R> {
    /// Guards `inner`. The row limit must exceed the size of the buffer that reads ahead.
    pub(super) fn new(inner: R, row_bytes: u64, unpacked_bytes: u64) -> (Self, Meter) {
        let meter = Meter::default();
        (Self { inner, meter: meter.clone(), row_bytes, unpacked_bytes }, meter)
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)? as u64;
        let since_row = self.meter.since_row.get() + n;
        let total = self.meter.total.get() + n;
        self.meter.since_row.set(since_row);
        self.meter.total.set(total);
        let excess = if total > self.unpacked_bytes {
            Some(Excess::Unpacked)
        } else if since_row > self.row_bytes {
            Some(Excess::Row)
        } else {
            None
        };
        match excess {
            Some(excess) => {
                self.meter.excess.set(Some(excess));
                Err(io::Error::other("a size limit was passed"))
            }
            None => Ok(n as usize),
        }
    }
}
