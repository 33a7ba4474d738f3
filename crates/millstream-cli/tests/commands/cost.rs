//! `cost`: no service is asked.

use serde_json::Value;

use super::support::{millstream, printed, run};

#[test]
fn the_ways_to_keep_leases_are_priced_beside_each_other() {
    let fleet = ["cost", "--shards", "100", "--workers", "4", "--fan-out", "--gb-per-day", "10", "--output", "json"];
    let rows: Value = serde_json::from_str(&printed(millstream(&fleet))).unwrap();
    let find = |what: &str| rows.as_array().unwrap().iter().find(|row| row["what"] == what).unwrap().clone();
    let requests = |what: &str| find(what)["requests_per_day"].as_u64().unwrap();
    let (spared, renewed) = (requests("leases: one sign of life a worker"), requests("leases: each renewed (default)"));
    let java = requests("leases: Java KCL 3");
    assert!(spared * 20 < java && renewed < java, "{rows}");
    assert_eq!(find("stream: shards")["usd_per_month"], 1_080.0);
    assert_eq!(find("stream: fan-out")["usd_per_month"], 1_083.9);
}

#[test]
fn prices_are_those_that_are_given() {
    let table = |price| printed(millstream(&["cost", "--shards", "2", "--workers", "1", "--write-price", price]));
    let dollars =
        |table: &str| table.lines().nth(1).unwrap().split_whitespace().last().unwrap().parse::<f64>().unwrap();
    let (free, dear) = (dollars(&table("0")), dollars(&table("1000")));
    // One sign of life each 3.3 s, at a thousandth of a dollar.
    assert!((750.0..800.0).contains(&(dear - free)), "{free} and {dear}");
    let refused = run(millstream(&["cost", "--shards", "0", "--workers", "1"]), "");
    assert_eq!(refused.status.code(), Some(2));
}
