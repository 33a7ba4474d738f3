//! Data points as requests have them, and as they are kept.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// A member of `MetricData`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Datum {
    metric_name: Option<String>,
    dimensions: Vec<Dimension>,
    value: Option<Number>,
    statistic_values: Option<Statistics>,
    values: Vec<Number>,
    counts: Vec<Number>,
    unit: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Dimension {
    name: String,
    value: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Statistics {
    sample_count: Number,
    sum: Number,
    minimum: Number,
    maximum: Number,
}

/// A number, which is text in a form.
#[derive(Clone, Copy, Default)]
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
        number.map(Number).ok_or_else(|| serde::de::Error::custom("expected a number"))
    }
}

/// A data point, or several of one metric as their statistics.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Point {
    received_ms: u64,
    region: String,
    namespace: String,
    name: String,
    /// `Operation=ProcessTask, ShardId=shardId-000000000000`.
    dimensions: String,
    count: f64,
    sum: f64,
    minimum: f64,
    maximum: f64,
    unit: String,
}

impl Datum {
    /// `None` if it has no name.
    pub(super) fn point(self, received_ms: u64, region: &str, namespace: &str) -> Option<Point> {
        let dimensions = self.dimensions.iter().map(|dimension| format!("{}={}", dimension.name, dimension.value));
        let (mut count, mut sum, mut minimum, mut maximum) = (0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY);
        let mut add = |samples: f64, total: f64, least: f64, most: f64| {
            (count, sum) = (count + samples, sum + total);
            (minimum, maximum) = (f64::min(minimum, least), f64::max(maximum, most));
        };
        if let Some(Number(value)) = self.value {
            add(1.0, value, value, value);
        }
        if let Some(found) = &self.statistic_values {
            add(found.sample_count.0, found.sum.0, found.minimum.0, found.maximum.0);
        }
        for (at, Number(value)) in self.values.iter().enumerate() {
            let times = self.counts.get(at).map_or(1.0, |count| count.0);
            add(times, value * times, *value, *value);
        }
        let finite = |number: f64| if number.is_finite() { number } else { 0.0 };
        Some(Point {
            received_ms,
            region: region.to_owned(),
            namespace: namespace.to_owned(),
            dimensions: dimensions.collect::<Vec<_>>().join(", "),
            name: self.metric_name.filter(|name| !name.is_empty())?,
            count,
            sum,
            minimum: finite(minimum),
            maximum: finite(maximum),
            unit: self.unit.unwrap_or_else(|| "None".to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_point_is_a_value_a_list_or_statistics() {
        let point = |json: &str| {
            let point = serde_json::from_str::<Datum>(json).unwrap().point(1, "us-east-1", "n").unwrap();
            [point.count, point.sum, point.minimum, point.maximum]
        };
        assert_eq!(point(r#"{"MetricName": "m", "Value": "2.5"}"#), [1.0, 2.5, 2.5, 2.5]);
        assert_eq!(point(r#"{"MetricName": "m", "Values": [1, 4], "Counts": [3, 1]}"#), [4.0, 7.0, 1.0, 4.0]);
        let statistics = r#"{"MetricName": "m", "StatisticValues":
            {"SampleCount": 2, "Sum": 5, "Minimum": 1, "Maximum": 4}}"#;
        assert_eq!(point(statistics), [2.0, 5.0, 1.0, 4.0]);
        assert!(serde_json::from_str::<Datum>(r#"{"Value": "no"}"#).is_err());
        assert!(Datum::default().point(1, "us-east-1", "n").is_none());
    }
}
