//! What happened, line by line: kept as a number, and printed where somebody wants to read it.

use std::fmt;

/// The lines of a story.
#[derive(Debug)]
pub(crate) struct Trace {
    digest: u64,
    prints: bool,
}

impl Trace {
    pub(crate) fn new(prints: bool) -> Self {
        // FNV-1a.
        Trace { digest: 0xcbf2_9ce4_8422_2325, prints }
    }

    pub(crate) fn say(&mut self, now_ms: u64, line: fmt::Arguments<'_>) {
        if self.prints {
            println!("{now_ms:>7} {line}");
        }
        let _ = fmt::write(&mut Digest(&mut self.digest), format_args!("{now_ms} {line}\n"));
    }

    /// Equal for equal stories.
    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }
}

struct Digest<'a>(&'a mut u64);

impl fmt::Write for Digest<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            *self.0 = (*self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        Ok(())
    }
}
