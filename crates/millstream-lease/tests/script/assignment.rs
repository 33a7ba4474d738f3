use millstream_lease::assignment::{
    AssignableLease, Assignee, AssignmentConfig, AssignmentStrategy, Movability, plan as planned,
};

use super::parse::{utilisation, value};

/// `plan [balance] [threshold=10] [dampening=60] [strategy=count] [max-leases=2] [max-kbps=100] [no-overshoot]`, and lines
/// `worker w1 [C=40/80]` and `lease s0 [owner=w1] [kbps=1.5] [free=7 | fixed]`
pub(crate) fn plan(block: &[&str]) -> Vec<String> {
    let (command, details) = block.split_first().expect("a command above `----`");
    let words: Vec<&str> = command.split_whitespace().collect();
    assert_eq!(words[0], "plan");
    let number = |name: &str| value(&words, name).map(|text| text.parse::<u32>().expect("a number"));
    let defaults = AssignmentConfig::default();
    let config = AssignmentConfig {
        strategy: value(&words, "strategy").map_or(defaults.strategy, |_| AssignmentStrategy::LeaseCount),
        rebalance_threshold_percent: number("threshold").unwrap_or(defaults.rebalance_threshold_percent),
        dampening_percent: number("dampening").unwrap_or(defaults.dampening_percent),
        allow_overshoot: !words.contains(&"no-overshoot"),
        max_throughput_kbps: number("max-kbps").map_or(defaults.max_throughput_kbps, f64::from),
        max_leases: number("max-leases").map_or(defaults.max_leases, |most| most as usize),
    };
    let lines: Vec<Vec<&str>> = details.iter().map(|line| line.split_whitespace().collect()).collect();
    let of = |kind: &'static str| lines.iter().filter(move |words| words[0] == kind);
    let workers: Vec<Assignee> =
        of("worker").map(|words| Assignee { id: words[1].to_owned(), metrics: utilisation(words) }).collect();
    let leases: Vec<AssignableLease> = of("lease").map(|words| lease(words)).collect();
    let assignments = planned(&workers, &leases, &config, words.contains(&"balance"));
    assignments.into_iter().map(|assignment| format!("{} to {}", assignment.key, assignment.to)).collect()
}

fn lease(words: &[&str]) -> AssignableLease {
    AssignableLease {
        key: words[1].to_owned(),
        owner: value(words, "owner").map(str::to_owned),
        throughput: value(words, "kbps").map(|kbps| kbps.parse().expect("a throughput")),
        state: match value(words, "free") {
            Some(since) => Movability::Free(since.parse().expect("a number")),
            None if words.contains(&"fixed") => Movability::Fixed,
            None => Movability::Movable,
        },
    }
}
