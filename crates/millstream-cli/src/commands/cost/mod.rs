//! `millstream cost`: what a fleet costs a month, from counted requests.

mod fleet;
mod kcl;

use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use millstream_lease::Heartbeat;
use serde_json::json;

use crate::duration::parse_duration;
use crate::error::CliError;
use crate::output::Output;
use fleet::{Fleet, Usage};

const DAYS: f64 = 30.0;
const HOURS: f64 = 24.0 * DAYS;

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    millstream cost --shards 100 --workers 4\n  \
    millstream cost --shards 16 --workers 2 --active 16 --fan-out --gb-per-day 500\n\n\
    No call is made. Our requests to DynamoDB are counted: the workers' own coordinators run in virtual time on a table in\n\
    memory. Those of the Java KCL 3 are arithmetic from the clocks of its code. Prices are AWS's list prices of us-east-1 for\n\
    on-demand DynamoDB and provisioned streams as they were known when this was built: check them, and give yours.")]
pub(crate) struct CostArgs {
    /// Shards of all streams of the application.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=20_000))]
    pub(crate) shards: u64,
    /// Workers that share them.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=500))]
    pub(crate) workers: u64,
    /// Shards that have records all the time: these are checkpointed.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) active: u64,
    /// Between two checkpoints of a shard, such as 10s.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_duration)]
    pub(crate) checkpoint_interval: Duration,
    /// A lease not renewed for so long is taken over.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_duration)]
    pub(crate) failover_time: Duration,
    /// Records are pushed (enhanced fan-out).
    #[arg(long)]
    pub(crate) fan_out: bool,
    /// Gigabytes that come in a day, for fan-out.
    #[arg(long, value_name = "GB", default_value_t = 0.0)]
    pub(crate) gb_per_day: f64,
    /// Dollars for a million write request units of DynamoDB.
    #[arg(long, value_name = "USD", default_value_t = 0.625)]
    pub(crate) write_price: f64,
    /// Dollars for a million read request units of DynamoDB.
    #[arg(long, value_name = "USD", default_value_t = 0.125)]
    pub(crate) read_price: f64,
    /// Dollars for a shard and hour.
    #[arg(long, value_name = "USD", default_value_t = 0.015)]
    pub(crate) shard_price: f64,
    /// Dollars for a shard, hour and fan-out consumer.
    #[arg(long, value_name = "USD", default_value_t = 0.015)]
    pub(crate) consumer_price: f64,
    /// Dollars for a gigabyte that is pushed.
    #[arg(long, value_name = "USD", default_value_t = 0.013)]
    pub(crate) push_price: f64,
    /// How the figures are printed.
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

/// What one way to run the fleet costs.
struct Line {
    what: &'static str,
    a_day: Option<Usage>,
    dollars: f64,
}

/// Prints a line for each way to keep leases, and one for the stream itself, which is the same for all.
pub(crate) async fn run(args: CostArgs) -> Result<(), CliError> {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
    let of = |heartbeat| Fleet {
        leases: args.shards,
        workers: args.workers,
        active: args.active.min(args.shards),
        checkpoint_interval_ms: millis(args.checkpoint_interval),
        failover_ms: millis(args.failover_time),
        heartbeat,
    };
    let dynamodb = |what, usage: Usage| {
        let millions = |units: u64| units as f64 * DAYS / 1e6;
        let dollars = millions(usage.writes) * args.write_price + millions(usage.reads) * args.read_price;
        Line { what, a_day: Some(usage), dollars }
    };
    let mut lines = vec![
        dynamodb("leases: one sign of life a worker", fleet::count(of(Heartbeat::Worker)).await),
        dynamodb("leases: each renewed (default)", fleet::count(of(Heartbeat::Lease)).await),
        dynamodb("leases: Java KCL 3", kcl::count(of(Heartbeat::Lease))),
        Line { what: "stream: shards", a_day: None, dollars: args.shards as f64 * HOURS * args.shard_price },
    ];
    if args.fan_out {
        let dollars = args.shards as f64 * HOURS * args.consumer_price + args.gb_per_day * DAYS * args.push_price;
        lines.push(Line { what: "stream: fan-out", a_day: None, dollars });
    }
    args.output.print(&lines, row, table)
}

fn table(lines: &[Line], out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{:<36} {:>14} {:>14} {:>14} {:>12}",
        "WHAT", "REQUESTS/DAY", "WRITES/DAY", "READS/DAY", "USD/MONTH"
    )?;
    for Line { what, a_day, dollars } in lines {
        let of = |number: fn(&Usage) -> u64| a_day.as_ref().map_or("-".to_owned(), |usage| number(usage).to_string());
        let (requests, writes, reads) = (of(|usage| usage.requests), of(|usage| usage.writes), of(|usage| usage.reads));
        writeln!(out, "{what:<36} {requests:>14} {writes:>14} {reads:>14} {dollars:>12.2}")?;
    }
    Ok(())
}

fn row(line: &Line) -> serde_json::Value {
    json!({
        "what": line.what,
        "requests_per_day": line.a_day.map(|usage| usage.requests),
        "write_units_per_day": line.a_day.map(|usage| usage.writes),
        "read_units_per_day": line.a_day.map(|usage| usage.reads),
        "usd_per_month": (line.dollars * 100.0).round() / 100.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At the prices of the command: a write is five reads.
    #[tokio::test]
    async fn an_idle_fleet_of_any_size_is_cheaper_than_one_of_the_kcl() {
        for (leases, workers) in [(4, 1), (16, 2), (100, 4), (100, 20), (1_000, 12)] {
            let (checkpoint_interval_ms, failover_ms, heartbeat) = (10_000, 10_000, Heartbeat::Lease);
            let fleet = Fleet { leases, workers, active: 0, checkpoint_interval_ms, failover_ms, heartbeat };
            let price = |usage: Usage| 5 * usage.writes + usage.reads;
            let (ours, kcl) = (price(fleet::count(fleet).await), price(kcl::count(fleet)));
            assert!(ours < kcl, "{leases} leases, {workers} workers: {ours} and {kcl}");
        }
    }
}
