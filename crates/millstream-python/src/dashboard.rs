//! `Dashboard`: the web pages of a program, as its settings want them, and its metrics for a collector.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

use millstream_dashboard::history::{LastError, Receiver};
use millstream_dashboard::{Application, DashboardConfig, History, Input, Shown, StatusSource};
use pyo3::prelude::*;

use crate::conf::Conf;
use crate::engine::Engine;
use crate::error;

/// The web pages of one program, and what it pushes to a collector; between `start` and `stop`.
#[pyclass(frozen, module = "millstream._millstream")]
pub(crate) struct Dashboard {
    /// `None`: not wanted.
    config: Option<DashboardConfig>,
    retained: usize,
    shown: Mutex<Option<Shown>>,
}

#[pymethods]
impl Dashboard {
    /// `conf`: the program's settings, of which those for web pages are read here.
    #[new]
    fn new(py: Python<'_>, conf: HashMap<String, String>) -> PyResult<Self> {
        let read = || {
            let conf = Conf::new(conf);
            let retained = conf.number("spark.streaming.ui.retainedBatches", 0..=1_000_000)?;
            let retained = retained.map_or(History::DEFAULT_RETAINED, |retained| retained as usize);
            let config = config(&conf)?;
            if let Some(config) = &config {
                config
                    .check()
                    .map_err(|error| format!("spark.millstream.ui.host, spark.millstream.ui.token: {error}"))?;
            }
            Ok(Self { config, retained, shown: Mutex::new(None) })
        };
        read().map_err(|message: String| error::illegal_argument(py, message))
    }

    /// Shows what the engine tells from now on; to be called before the engine starts. Returns the pages' address, or None where none
    /// are wanted or no port is free, which is logged. `inputs`: name, and whether it has a receiver.
    #[pyo3(signature = (engine, *, id, name, user, spark_version, started_ms, batch_ms, inputs))]
    #[expect(clippy::too_many_arguments, reason = "what is known of a program, all named")]
    fn start(
        &self,
        py: Python<'_>,
        engine: &Engine,
        id: String,
        name: String,
        user: String,
        spark_version: String,
        started_ms: u64,
        batch_ms: u64,
        inputs: Vec<(String, bool)>,
    ) -> PyResult<Option<String>> {
        let inputs = inputs.into_iter().map(|(name, has_receiver)| Input { name, has_receiver }).collect();
        let application = Application { id, name, user, spark_version, started_ms, batch_ms, inputs };
        let watches = engine.watches()?.into_iter().map(|watch| Arc::new(watch) as Arc<dyn StatusSource>).collect();
        let shown = py.detach(|| Shown::start(self.config.as_ref(), application, self.retained, watches));
        let Some(shown) = shown else { return Ok(None) };
        let url = shown.url();
        engine.listen(shown.feed().clone());
        *self.shown() = Some(shown);
        Ok(url)
    }

    /// A receiver says how it is. `last_error`: when (ms since the epoch), its message, and its traceback.
    fn receiver_changed(&self, id: usize, name: String, is_active: bool, last_error: Option<(u64, String, String)>) {
        let last_error = last_error.map(|(time_ms, message, error)| LastError { time_ms, message, error });
        if let Some(shown) = &*self.shown() {
            shown.feed().receiver_changed(id, Receiver { name, is_active, last_error });
        }
    }

    /// Closes the pages, and pushes metrics once more. May be called again.
    fn stop(&self, py: Python<'_>) {
        let shown = self.shown().take();
        py.detach(|| drop(shown));
    }
}

impl Dashboard {
    fn shown(&self) -> std::sync::MutexGuard<'_, Option<Shown>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn config(conf: &Conf) -> Result<Option<DashboardConfig>, String> {
    if conf.boolean("spark.ui.enabled")? == Some(false) {
        return Ok(None);
    }
    let port = |key: &str, default: u16| {
        let number = conf.number(key, 0..=u32::from(u16::MAX))?;
        Ok::<_, String>(number.and_then(|number| u16::try_from(number).ok()).unwrap_or(default))
    };
    let defaults = DashboardConfig::default();
    let host = match conf.text("spark.millstream.ui.host") {
        None => defaults.host,
        Some("localhost") => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Some(text) => text.parse().map_err(|_| {
            format!("spark.millstream.ui.host={text} is not an IP address such as 127.0.0.1 or 0.0.0.0")
        })?,
    };
    Ok(Some(DashboardConfig {
        host,
        port: port("spark.ui.port", defaults.port)?,
        retries: port("spark.port.maxRetries", defaults.retries)?,
        token: conf.text("spark.millstream.ui.token").map(str::to_owned),
    }))
}
