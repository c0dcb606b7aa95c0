//! One kind of line end, so that lines are counted as an editor counts them.

use std::io::{self, Read};

/// Reads every line end as a line feed, and ends the last line where it has no end. The CSV reader counts line feeds and
/// stops at a carriage return: without this it would not know yet whether a line feed follows.
pub(super) struct LineEnds<R> {
    inner: R,
    after_return: bool,
    within_line: bool,
}

impl<R> LineEnds<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, after_return: false, within_line: false }
    }

    /// Rewrites what was read in place; it only ever becomes shorter.
    fn rewrite(&mut self, buffer: &mut [u8]) -> usize {
        if !self.after_return && !buffer.contains(&b'\r') {
            return buffer.len();
        }
        let mut kept = 0;
        for at in 0..buffer.len() {
            let byte = buffer[at];
            if !(byte == b'\n' && self.after_return) {
                buffer[kept] = if byte == b'\r' { b'\n' } else { byte };
                kept += 1;
            }
            self.after_return = byte == b'\r';
        }
        kept
    }
}

impl<R: Read> Read for LineEnds<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.inner.read(buffer)?;
            if read == 0 {
                if !self.within_line || buffer.is_empty() {
                    return Ok(0);
                }
                self.within_line = false;
                buffer[0] = b'\n';
                return Ok(1);
            }
            let kept = self.rewrite(&mut buffer[..read]);
            // A line feed alone may vanish; nothing read would mean that the file has ended.
            if kept > 0 {
                self.within_line = buffer[kept - 1] != b'\n';
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out at most `step` bytes at a time.
    struct Steps<'a> {
        rest: &'a [u8],
        step: usize,
    }

    impl Read for Steps<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = self.step.min(buffer.len()).min(self.rest.len());
            let (now, rest) = self.rest.split_at(n);
            buffer[..n].copy_from_slice(now);
            self.rest = rest;
            Ok(n)
        }
    }

    #[test]
    fn every_line_ends_with_one_line_feed_however_it_is_cut() {
        for (given, read) in
            [("", ""), ("a", "a\n"), ("a\r\nb\r\n", "a\nb\n"), ("a\rb", "a\nb\n"), ("a\r\r\nb\n\r\n", "a\n\nb\n\n"), ("\r\n", "\n"), ("a\n\n", "a\n\n")]
        {
            for step in 1..=given.len().max(1) {
                let mut text = String::new();
                LineEnds::new(Steps { rest: given.as_bytes(), step }).read_to_string(&mut text).unwrap();
                assert_eq!(text, read, "{given:?} by {step}");
            }
        }
    }
}
