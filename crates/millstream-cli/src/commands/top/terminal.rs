use std::io::{self, IsTerminal, Read, Write};
use std::process::{Command, Stdio};
use std::thread;

use console::Term;
use tokio::sync::mpsc::{self, UnboundedReceiver};

/// Another screen, no cursor; and back.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l";
const LEAVE: &[u8] = b"\x1b[?25h\x1b[?1049l";

/// What was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Quit,
    Sort,
    Up,
    Down,
}

/// The terminal as a screen of its own. Dropping it gives back what was there.
pub(super) struct Screen {
    term: Term,
    /// As `stty -g` told it.
    before: Option<String>,
}

impl Screen {
    /// The screen, and what is typed; none where there is no terminal.
    pub(super) fn enter() -> io::Result<Option<(Self, UnboundedReceiver<Key>)>> {
        if !io::stdout().is_terminal() {
            return Ok(None);
        }
        let before = if io::stdin().is_terminal() { stty(&["-g"]) } else { None };
        let (keys, typed) = mpsc::unbounded_channel();
        if before.is_some() && stty(&["-icanon", "-echo", "min", "1"]).is_some() {
            thread::Builder::new().name("top-keys".to_owned()).spawn(move || {
                let mut last = [0; 2];
                for byte in io::stdin().lock().bytes().map_while(Result::ok) {
                    let key = key(last, byte);
                    last = [last[1], byte];
                    if key.is_some_and(|key| keys.send(key).is_err()) {
                        return;
                    }
                }
            })?;
        }
        let screen = Self { term: Term::stdout(), before };
        write(ENTER)?;
        Ok(Some((screen, typed)))
    }

    /// Columns and lines.
    pub(super) fn size(&self) -> (usize, usize) {
        let (lines, columns) = self.term.size();
        (columns.into(), lines.into())
    }

    /// Draws line over line, without clearing all first: that would flicker.
    pub(super) fn draw(&self, lines: &[String]) -> io::Result<()> {
        let text: String = lines.join("\x1b[K\r\n");
        write(format!("\x1b[H{text}\x1b[J").as_bytes())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back.
        let _ = write(LEAVE);
        if let Some(before) = &self.before {
            stty(&[before]);
        }
    }
}

fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// What the program of this name says about standard input; none if it fails.
fn stty(arguments: &[&str]) -> Option<String> {
    let output = Command::new("stty").args(arguments).stdin(Stdio::inherit()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// `last`: the two bytes before it; an arrow is three.
fn key(last: [u8; 2], byte: u8) -> Option<Key> {
    match (last, byte) {
        (_, b'q') => Some(Key::Quit),
        (_, b's') => Some(Key::Sort),
        ([0x1b, b'[' | b'O'], b'A') | (_, b'k') => Some(Key::Up),
        ([0x1b, b'[' | b'O'], b'B') | (_, b'j') => Some(Key::Down),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_are_three_bytes() {
        let mut last = [0; 2];
        let mut keys = Vec::new();
        for byte in *b"A\x1b[A\x1bOBsjq" {
            keys.extend(key(last, byte));
            last = [last[1], byte];
        }
        assert_eq!(keys, [Key::Up, Key::Down, Key::Sort, Key::Down, Key::Quit]);
    }
}
