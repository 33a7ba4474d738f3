//! What a process sends into the world: its calls to the lease table and to Kinesis, and what it has done.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use crate::server::Server;

/// After so long without an answer a call has failed.
const CALL_TIMEOUT: Duration = Duration::from_secs(2);

/// What a call is to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Table,
    Kinesis,
}

/// What becomes of a call that has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Execute,
    Throttle,
}

/// Gives the answer to the process that waits for it.
pub(crate) type Reply = Box<dyn FnOnce() + Send>;

/// Carries a call out at the server.
pub(crate) type Execution = Box<dyn FnOnce(&Server, Verdict) -> Reply + Send>;

/// A call on its way.
pub(crate) struct Call {
    pub(crate) service: Service,
    pub(crate) operation: &'static str,
    /// The lease, or the shard.
    pub(crate) subject: Option<String>,
    pub(crate) run: Execution,
}

/// What a process does that others can see.
pub(crate) enum Emission {
    Call(Call),
    /// The program's output for these records of a shard has succeeded.
    Processed {
        shard: String,
        records: Vec<u64>,
    },
    /// The program has ended: none in order, or why.
    Ended(Option<String>),
}

/// A process's end of the wire.
#[derive(Clone)]
pub(crate) struct Link {
    outbox: Arc<Mutex<Outbox>>,
    began: Instant,
    /// The worker's name.
    pub(crate) name: Arc<str>,
}

#[derive(Default)]
struct Outbox {
    emissions: Vec<(u64, Emission)>,
    has_call: bool,
    waker: Option<Waker>,
}

impl Link {
    pub(crate) fn new(name: &str, began: Instant) -> Self {
        Link { outbox: Arc::default(), began, name: name.into() }
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the process started, by its own clock.
    pub(crate) fn own_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn emit(&self, emission: Emission) {
        let at_ms = self.own_ms();
        let mut outbox = self.outbox();
        outbox.has_call |= matches!(emission, Emission::Call(_));
        outbox.emissions.push((at_ms, emission));
        if let Some(waker) = outbox.waker.take_if(|_| true) {
            waker.wake();
        }
    }

    /// All that was sent since the last time, with the process's own time.
    pub(crate) fn take(&self) -> Vec<(u64, Emission)> {
        let mut outbox = self.outbox();
        outbox.has_call = false;
        std::mem::take(&mut outbox.emissions)
    }

    /// Waits until a call is sent.
    pub(crate) fn poll_call(&self, waker: &Waker) -> Poll<()> {
        let mut outbox = self.outbox();
        outbox.waker = Some(waker.clone());
        if outbox.has_call { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Sends a call and waits for its answer; none in time, and what has become of it is unknown.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        service: Service,
        operation: &'static str,
        subject: Option<&str>,
        run: impl FnOnce(&Server, Verdict) -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, answer) = oneshot::channel();
        let run = move |server: &Server, verdict: Verdict| -> Reply {
            let answer = run(server, verdict);
            Box::new(move || drop(sender.send(answer)))
        };
        let subject = subject.map(str::to_owned);
        self.emit(Emission::Call(Call { service, operation, subject, run: Box::new(run) }));
        timeout(CALL_TIMEOUT, answer).await.ok()?.ok()
    }
}

/// A call that the server carries out.
pub(crate) type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;
