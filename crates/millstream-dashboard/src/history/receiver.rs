//! What receivers say of themselves (Spark's `ReceiverInfo`).

/// How a receiver is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receiver {
    /// Its own name for itself.
    pub name: String,
    /// Whether it runs.
    pub is_active: bool,
    /// Its last error, if there was one.
    pub last_error: Option<LastError>,
}

/// A receiver's error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastError {
    /// When it came, in ms since the epoch.
    pub time_ms: u64,
    /// What the receiver says.
    pub message: String,
    /// The error itself, with its traceback.
    pub error: String,
}
