//! What a context's dashboard is made of.

use crate::ContextError;
use millstream_dashboard::{Application, DashboardConfig, Feed, History, Input, Shown, StatusSource};
use millstream_engine::now_ms;
use std::sync::Arc;
use std::time::Duration;

/// Gathered while the program is built.
#[derive(Default)]
pub(crate) struct Serving {
    /// The program's name, and where its pages are; `None`: there are none.
    pub(crate) wanted: Option<(String, DashboardConfig)>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) sources: Vec<Arc<dyn StatusSource>>,
}

impl Serving {
    /// Opens the pages, and pushes metrics where the environment names a collector; the listener that they need is to `listen`.
    /// `None`: they are not wanted, or no port is free.
    pub(crate) fn start(
        &mut self,
        batch: Duration,
        listen: impl FnOnce(Arc<Feed>),
    ) -> Result<Option<Shown>, ContextError> {
        let Some((name, config)) = self.wanted.take() else { return Ok(None) };
        config.check()?;
        let started_ms = now_ms();
        let application = Application {
            id: format!("local-{started_ms}"),
            name,
            user: std::env::var("USER").unwrap_or_default(),
            spark_version: String::new(),
            started_ms,
            // The engine refuses an interval below a millisecond.
            batch_ms: millis(batch).max(1),
            inputs: std::mem::take(&mut self.inputs),
        };
        let sources = std::mem::take(&mut self.sources);
        let shown = Shown::start(Some(&config), application, History::DEFAULT_RETAINED, sources);
        if let Some(shown) = &shown {
            listen(Arc::clone(shown.feed()));
        }
        Ok(shown)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
