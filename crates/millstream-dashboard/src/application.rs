//! The program that is shown.

/// What does not change while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Names this run (`sc.applicationId`).
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// Who runs it.
    pub user: String,
    /// The version of Spark whose API it is written to; empty where it is none.
    pub spark_version: String,
    /// When the program began, in ms since the epoch.
    pub started_ms: u64,
    /// The batch interval, in ms; above 0.
    pub batch_ms: u64,
    /// Its inputs, by the engine's numbers.
    pub inputs: Vec<Input>,
}

/// An input, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// What it reads.
    pub name: String,
    /// Whether something receives for it all the time (Spark's receivers), as for Kinesis and sockets; directories and queues are
    /// looked into.
    pub has_receiver: bool,
}
