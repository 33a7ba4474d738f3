use super::finding::Finding;
use super::identity::Identity;

const CHECK: &str = "clock";
/// AWS refuses signatures that are older or newer than this.
const REFUSED_MS: i64 = 300_000;
/// More than the service's whole seconds and the way of the answer.
const DOUBTFUL_MS: i64 = 10_000;

/// This machine's clock against the service's: signatures hold for five minutes, and lag is the age of records.
pub(super) fn check(identity: &Identity) -> Finding {
    match identity.ahead_ms {
        Some(ahead_ms) => judge(ahead_ms),
        None => Finding::unknown(CHECK, "the service told no time"),
    }
}

fn judge(ahead_ms: i64) -> Finding {
    let seconds = ahead_ms.abs() / 1_000;
    let found = format!("{seconds} s {} the service's", if ahead_ms < 0 { "behind" } else { "ahead of" });
    let mend = "set this machine's clock, and keep it right with NTP";
    match ahead_ms.abs() {
        ..DOUBTFUL_MS => Finding::well(CHECK, "as the service's"),
        DOUBTFUL_MS..REFUSED_MS => Finding::doubtful(CHECK, format!("{found}: lag is shown wrong"), mend),
        _ => Finding::wrong(CHECK, format!("{found}: AWS refuses its signatures"), mend),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::*;

    #[test]
    fn a_clock_may_be_some_seconds_off() {
        let table = [
            (-9_000, State::Well, "as the service's"),
            (11_000, State::Doubtful, "11 s ahead of"),
            (-299_000, State::Doubtful, "299 s behind"),
            (-300_000, State::Wrong, "refuses"),
        ];
        for (ahead_ms, state, found) in table {
            let finding = judge(ahead_ms);
            assert!(finding.state == state && finding.found.contains(found), "{finding:?}");
        }
    }
}
