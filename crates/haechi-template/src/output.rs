//! A bounded place for a page.

use std::io;

/// Text of at most so many bytes.
pub(crate) struct Bounded {
    text: Vec<u8>,
    limit: usize,
    full: bool,
}

impl Bounded {
    pub(crate) fn new(limit: usize) -> Self {
        Self { text: Vec::with_capacity(FIRST), limit, full: false }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    pub(crate) fn into_text(self) -> String {
        String::from_utf8(self.text).expect("the engine writes whole strings")
    }
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.text.len() + bytes.len() > self.limit {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.text.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Most pages are larger than this; growing costs a copy.
const FIRST: usize = 4096;
