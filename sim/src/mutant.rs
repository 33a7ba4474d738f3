//! Safety rules broken on purpose.

/// A rule that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// A cut is reported as processed when it is made.
    CheckpointPastUnprocessed,
}
