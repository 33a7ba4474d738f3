//! All that shows a program: its pages, and the metrics that it pushes.

use std::sync::Arc;

use crate::otlp::OtlpExporter;
use crate::{Application, Dashboard, DashboardConfig, Feed, History, StatusSource};

/// A program as others see it: pages, where they are wanted, and metrics pushed to a collector, where the environment names one.
/// Dropping it ends both.
pub struct Shown {
    dashboard: Option<Dashboard>,
    _exporter: Option<OtlpExporter>,
    feed: Arc<Feed>,
}

impl Shown {
    /// Begins to show; `retained`: batches that are kept. The [`feed`](Self::feed) is to be told of them. What can't be had, a port or
    /// a thread, is told of in the log. `None`: nothing is wanted, or nothing could be had.
    pub fn start(
        pages: Option<&DashboardConfig>,
        application: Application,
        retained: usize,
        sources: Vec<Arc<dyn StatusSource>>,
    ) -> Option<Self> {
        let feed = Arc::new(Feed::new(History::new(application, retained)));
        let dashboard = pages.and_then(|config| {
            let started = Dashboard::start(config, Arc::clone(&feed), sources.clone());
            started.inspect_err(|error| tracing::warn!(%error, "the program runs without a dashboard")).ok()
        });
        let exporter = OtlpExporter::is_wanted().then(|| OtlpExporter::start(Arc::clone(&feed), sources));
        let exporter = exporter.and_then(|started| started.inspect_err(|error| tracing::warn!("{error}")).ok());
        (dashboard.is_some() || exporter.is_some()).then_some(Self { dashboard, _exporter: exporter, feed })
    }

    /// The pages' address for a browser on this machine; `None`: there are none.
    pub fn url(&self) -> Option<String> {
        self.dashboard.as_ref().map(Dashboard::url)
    }

    /// The listener that keeps what is shown.
    pub fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }
}
