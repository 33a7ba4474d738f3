//! Prometheus's text format, version 0.0.4.

use std::fmt::{Display, Write};

/// Metrics as they are written. Samples belong to the family begun last.
#[derive(Debug, Default)]
pub(super) struct Text {
    written: String,
    name: String,
}

impl Text {
    /// Begins a family. `kind`: `counter` or `gauge`.
    pub(super) fn family(&mut self, name: &str, kind: &str, help: &str) -> &mut Self {
        self.name = name.to_owned();
        // Writing to a string does not fail.
        let _ = writeln!(self.written, "# HELP {name} {}\n# TYPE {name} {kind}", help.replace('\n', " "));
        self
    }

    /// Adds a value of the family.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) -> &mut Self {
        self.written.push_str(&self.name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.written, "{before}{label}=\"{escaped}\"");
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.written, "{end} {value}");
        self
    }

    /// All that was written.
    pub(super) fn finish(self) -> String {
        self.written
    }
}
