//! Help and completions answer at once.

use std::time::{Duration, Instant};

use super::support::{millstream, printed};

/// The budget is 50 ms; other tests run beside this one, so that the best of several counts.
const BUDGET: Duration = Duration::from_millis(50);

#[test]
fn help_and_completions_answer_at_once() {
    for arguments in [&["--help"][..], &["leases", "--help"], &["completions", "bash"]] {
        let answer = |_| {
            let started = Instant::now();
            printed(millstream(arguments));
            started.elapsed()
        };
        let best = (0..20).map(answer).min().unwrap();
        assert!(best < BUDGET, "{arguments:?} took {best:?}");
    }
}
