//! One process: a runtime of its own, whose clock moves only when the world lets it.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::link::{Emission, Link, Reply};

/// A worker's process. A restarted worker is another process with the same name.
pub(crate) struct Process {
    pub(crate) name: String,
    runtime: Runtime,
    link: Link,
    began: Instant,
    born_ms: u64,
    /// Milliseconds of its clock in a thousand of the world's.
    pace: u64,
    /// What its clock of the day shows too much.
    pub(crate) skew_ms: i64,
    pub(crate) is_stopping: bool,
    pub(crate) paused_until: Option<u64>,
    /// When it stood still last.
    pub(crate) resumed_ms: u64,
    /// Answers that came while it stood still.
    inbox: Vec<Reply>,
    stop: CancellationToken,
}

impl Process {
    /// Starts `program`, which is given its end of the wire and is told by the token when to stop.
    pub(crate) fn start<F>(
        name: &str,
        now_ms: u64,
        pace: u64,
        program: impl FnOnce(Link, CancellationToken) -> F,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        let began = runtime.block_on(async { Instant::now() });
        let (link, stop) = (Link::new(name, began), CancellationToken::new());
        runtime.spawn(program(link.clone(), stop.clone()));
        Process {
            name: name.to_owned(),
            runtime,
            link,
            began,
            born_ms: now_ms,
            pace,
            skew_ms: 0,
            is_stopping: false,
            paused_until: None,
            resumed_ms: now_ms,
            inbox: Vec::new(),
            stop,
        }
    }

    /// Runs until the world's time is `horizon_ms`, or until a call was sent. What was sent, with the world's time.
    pub(crate) fn run(&mut self, horizon_ms: u64) -> Vec<(u64, Emission)> {
        let until = self.began + Duration::from_millis(self.own_ms(horizon_ms));
        let link = &self.link;
        self.runtime.block_on(async {
            let mut end = pin!(sleep_until(until));
            poll_fn(|context| match link.poll_call(context.waker()) {
                Poll::Ready(()) => Poll::Ready(()),
                Poll::Pending => end.as_mut().poll(context),
            })
            .await;
        });
        let sent = self.link.take().into_iter();
        sent.map(|(own_ms, emission)| ((self.born_ms + own_ms * 1_000 / self.pace).min(horizon_ms), emission)).collect()
    }

    /// An answer comes.
    pub(crate) fn deliver(&mut self, reply: Reply) {
        if self.paused_until.is_some() {
            self.inbox.push(reply);
        } else {
            reply();
        }
    }

    /// Goes on after it stood still: its clock leaps. `answers_first`: what came meanwhile is seen before the clock is.
    pub(crate) fn resume(&mut self, now_ms: u64, answers_first: bool) {
        (self.paused_until, self.resumed_ms) = (None, now_ms);
        let inbox = std::mem::take(&mut self.inbox);
        let leap = (self.began + Duration::from_millis(self.own_ms(now_ms)))
            .saturating_duration_since(self.runtime.block_on(async { Instant::now() }));
        let advance = || self.runtime.block_on(tokio::time::advance(leap));
        if answers_first {
            inbox.into_iter().for_each(|reply| reply());
            advance();
        } else {
            advance();
            inbox.into_iter().for_each(|reply| reply());
        }
    }

    /// Asks the program to end in order.
    pub(crate) fn stop(&mut self) {
        self.is_stopping = true;
        self.stop.cancel();
    }

    fn own_ms(&self, world_ms: u64) -> u64 {
        (world_ms - self.born_ms) * self.pace / 1_000
    }
}
