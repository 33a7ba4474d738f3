use std::collections::VecDeque;
use std::time::Duration;

use millstream_kinesis::{Datum, now_ms};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::MetricsConfig;
use super::points::{Points, Wanted};
use crate::overview::{Observer, Overview};

/// Measurements that wait at most; the oldest give way (KCL `metricsMaxQueueSize`).
const LONGEST_QUEUE: usize = 10_000;
/// Measurements of one call (KCL `FLUSH_SIZE`).
const AT_A_TIME: usize = 200;
/// A call that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(5);

/// A worker's reports, by a task of their own.
pub(crate) struct Reporter {
    ending: oneshot::Sender<Option<Overview>>,
    task: JoinHandle<()>,
}

impl Reporter {
    pub(crate) fn start(config: MetricsConfig, several: bool, observer: Observer) -> Self {
        let (ending, ended) = oneshot::channel();
        let reports = Reports { config, several, points: Points::default(), queue: VecDeque::new(), has_failed: false };
        Self { ending, task: tokio::spawn(reports.run(observer, ended)) }
    }

    /// Reports a last time, of a worker that is about to end. Waits no longer than for one call.
    pub(crate) async fn end(self, last: Option<Overview>) {
        if self.ending.send(last).is_ok() && timeout(PATIENCE, self.task).await.is_err() {
            tracing::warn!("the last report to CloudWatch took too long");
        }
    }
}

struct Reports {
    config: MetricsConfig,
    several: bool,
    points: Points,
    queue: VecDeque<Datum>,
    /// The last call did.
    has_failed: bool,
}

impl Reports {
    /// Ends with the worker.
    async fn run(mut self, observer: Observer, mut ended: oneshot::Receiver<Option<Overview>>) {
        let mut looks = interval(self.config.interval);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first one is at once, when nothing has happened.
        looks.tick().await;
        loop {
            tokio::select! {
                last = &mut ended => {
                    if let Ok(Some(last)) = last {
                        self.look(&last);
                        self.flush().await;
                    }
                    return;
                }
                _ = looks.tick() => {}
            }
            let Some(overview) = observer.look().await else { continue };
            self.look(&overview);
            self.flush().await;
        }
    }

    fn look(&mut self, overview: &Overview) {
        let MetricsConfig { level, dimensions, .. } = &self.config;
        let wanted =
            Wanted { level: *level, dimensions: dimensions.as_ref(), several: self.several, time_ms: now_ms() };
        self.queue.extend(self.points.since(overview, wanted));
        let surplus = self.queue.len().saturating_sub(LONGEST_QUEUE);
        if surplus > 0 {
            tracing::warn!(lost = surplus, "CloudWatch takes no metrics: the oldest are lost");
            self.queue.drain(..surplus);
        }
    }

    /// Sends what waits, until a call fails.
    async fn flush(&mut self) {
        while !self.queue.is_empty() {
            let some: Vec<Datum> = self.queue.iter().take(AT_A_TIME).cloned().collect();
            let put = self.config.client.put(&self.config.namespace, &some);
            let error = match timeout(PATIENCE, put).await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some(format!("no answer within {} s", PATIENCE.as_secs())),
            };
            if let Some(error) = error {
                // Once a row of failures: reports are made each ten seconds.
                if !std::mem::replace(&mut self.has_failed, true) {
                    tracing::warn!(error, "metrics could not be put, and are kept for the next report");
                }
                return;
            }
            self.has_failed = false;
            self.queue.drain(..some.len());
        }
    }
}
