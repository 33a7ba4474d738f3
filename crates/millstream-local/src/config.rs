//! How the service is started.

use std::path::PathBuf;
use std::time::Duration;

/// Where the service listens and where it keeps its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalConfig {
    /// The address to listen on.
    pub host: String,
    /// The port to listen on; 0 takes a free one.
    pub port: u16,
    /// The directory that holds streams and tables; `None` keeps everything in memory.
    pub data_dir: Option<PathBuf>,
    /// When records are safe from a power loss; without a data directory it means nothing.
    pub fsync: Fsync,
    /// How long streams stay CREATING, UPDATING and DELETING, and consumers CREATING and DELETING.
    pub state_delay: Duration,
    /// Whether the service's quotas hold: throughput of shards, rates of calls, number of shards.
    pub enforce_limits: bool,
    /// A file of the form of AWS's shared credentials: only its keys are taken then, and signatures are verified. Without
    /// it every key is taken.
    pub credentials: Option<PathBuf>,
}

/// When records that are put are brought to the disk. What has been answered survives the end of the process, however
/// it ends, in all cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fsync {
    /// When the system likes to; Linux takes up to half a minute. A power loss in between loses records.
    None,
    /// Before the answer. Requests that arrive while the disk is busy share the next sync, and no request waits for
    /// another to come.
    #[default]
    Batch,
    /// Before the answer, with a sync for each request.
    Always,
}

impl Default for LocalConfig {
    /// A free port on the loopback address, in memory, without delays or limits.
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 0,
            data_dir: None,
            fsync: Fsync::Batch,
            state_delay: Duration::ZERO,
            enforce_limits: false,
            credentials: None,
        }
    }
}
