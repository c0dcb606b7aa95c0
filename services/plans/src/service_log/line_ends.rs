//! One kind of line end, so that lines are counted as an editor counts them: the CSV reader counts line feeds only.

use std::io::{self, Read};

/// Reads every line end, `\r\n` and `\r` too, as a line feed, and ends the last line where it has no end.
pub(super) struct LineEnds<R> {
    inner: R,
    after_return: bool,
    within_line: bool,
}

impl<R> LineEnds<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, after_return: false, within_line: false }
    }
}

impl<R: Read> Read for LineEnds<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.inner.read(buffer)?;
            let mut kept = 0;
            for at in 0..read {
                let byte = buffer[at];
                if !(byte == b'\n' && self.after_return) {
                    buffer[kept] = if byte == b'\r' { b'\n' } else { byte };
                    kept += 1;
                }
                self.after_return = byte == b'\r';
            }
            if read == 0 && self.within_line && !buffer.is_empty() {
                self.within_line = false;
                buffer[0] = b'\n';
                return Ok(1);
            }
            // A line feed alone may vanish; nothing read would mean that the file has ended.
            if kept > 0 || read == 0 {
                self.within_line = kept > 0 && buffer[kept - 1] != b'\n';
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_ends_with_one_line_feed() {
        for (given, expected) in [("", ""), ("a\r\nb\r\n", "a\nb\n"), ("a\rb", "a\nb\n"), ("a\r\r\nb\n", "a\n\nb\n"), ("\r\n", "\n")] {
            let mut text = String::new();
            LineEnds::new(given.as_bytes()).read_to_string(&mut text).unwrap();
            assert_eq!(text, expected, "{given:?}");
        }
    }
}
