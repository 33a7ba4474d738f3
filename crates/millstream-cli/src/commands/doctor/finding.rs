use std::io::{self, Write};

use serde_json::json;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) state: State,
    pub(super) found: String,
    /// How to mend it, where it is not well.
    pub(super) mend: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Well,
    /// It works, and may not do so for long or for all.
    Doubtful,
    Wrong,
    /// Not known.
    Unknown,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Well => "ok",
            State::Doubtful => "warn",
            State::Wrong => "FAIL",
            State::Unknown => "-",
        }
    }
}

impl Finding {
    pub(super) fn well(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, state: State::Well, found: found.into(), mend: None }
    }

    pub(super) fn unknown(check: &'static str, found: impl Into<String>) -> Self {
        Self { state: State::Unknown, ..Self::well(check, found) }
    }

    pub(super) fn doubtful(check: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { state: State::Doubtful, mend: Some(mend.into()), ..Self::well(check, found) }
    }

    pub(super) fn wrong(check: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { state: State::Wrong, mend: Some(mend.into()), ..Self::well(check, found) }
    }
}

/// A line each, and one more where something is to be mended.
pub(super) fn table(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    for Finding { check, state, found, mend } in findings {
        writeln!(out, "{:<5} {check:<12} {found}", state.word())?;
        if let Some(mend) = mend {
            writeln!(out, "{:<18} mend: {mend}", "")?;
        }
    }
    Ok(())
}

pub(super) fn row(finding: &Finding) -> serde_json::Value {
    let Finding { check, state, found, mend } = finding;
    let state = match state {
        State::Wrong => "fail",
        State::Unknown => "unknown",
        other => other.word(),
    };
    json!({"check": check, "state": state, "found": found, "mend": mend})
}
