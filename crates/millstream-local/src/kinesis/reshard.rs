//! Splits and merges, and the series of them that evens out a stream.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::hash_key::{self, even_ranges};

/// A split or a merge: some shards are closed and others put over the same hash keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reshard {
    pub(crate) closing: Vec<u32>,
    pub(crate) children: Vec<Range>,
}

/// First and last hash key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Range {
    #[serde(with = "hash_key::decimal")]
    pub(crate) start: u128,
    #[serde(with = "hash_key::decimal")]
    pub(crate) end: u128,
}

/// The splits and merges that make the open shards, given by number and in the order of their ranges, into `target`
/// shards of even ranges. The next new shard has the number `next`.
///
/// As at AWS, a shard that crosses the border of a new range is split there and the pieces of each new range are merged,
/// which can leave short-lived shards between the old ones and the new.
pub(crate) fn uniform(open: Vec<(u32, Range)>, next: u32, target: u32) -> Vec<Reshard> {
    let mut plan = Plan { steps: Vec::new(), next };
    let mut pieces: VecDeque<(u32, Range)> = VecDeque::new();
    let borders: Vec<u128> = even_ranges(target).skip(1).map(|(start, _)| start).collect();
    for (number, range) in open {
        let first = borders.partition_point(|border| *border <= range.start);
        let last = borders.partition_point(|border| *border <= range.end);
        plan.split(number, range, &borders[first..last], &mut pieces);
    }
    for (_, end) in even_ranges(target) {
        let mut merged: Option<(u32, Range)> = None;
        while let Some(piece) = pieces.pop_front_if(|(_, range)| range.end <= end) {
            merged = Some(merged.map_or(piece, |left| plan.merge(left, piece)));
        }
    }
    plan.steps
}

struct Plan {
    steps: Vec<Reshard>,
    next: u32,
}

impl Plan {
    /// Splits at the middle border first, so that no lineage is longer than it has to be.
    fn split(&mut self, number: u32, range: Range, borders: &[u128], pieces: &mut VecDeque<(u32, Range)>) {
        let middle = borders.len() / 2;
        let Some(border) = borders.get(middle) else {
            pieces.push_back((number, range));
            return;
        };
        let (low, high) = (Range { end: border - 1, ..range }, Range { start: *border, ..range });
        self.steps.push(Reshard { closing: vec![number], children: vec![low, high] });
        let first = self.next;
        self.next += 2;
        self.split(first, low, &borders[..middle], pieces);
        self.split(first + 1, high, &borders[middle + 1..], pieces);
    }

    fn merge(&mut self, left: (u32, Range), right: (u32, Range)) -> (u32, Range) {
        let range = Range { start: left.1.start, end: right.1.end };
        self.steps.push(Reshard { closing: vec![left.0, right.0], children: vec![range] });
        self.next += 1;
        (self.next - 1, range)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn even(count: u32) -> Vec<(u32, Range)> {
        even_ranges(count).zip(0..).map(|((start, end), number)| (number, Range { start, end })).collect()
    }

    /// Carries the steps out on open shards and gives those that are open in the end.
    fn carried_out(open: &[(u32, Range)], steps: &[Reshard]) -> Vec<Range> {
        let mut open = open.to_vec();
        let mut next = u32::try_from(open.len()).unwrap();
        for step in steps {
            let mut parents = Vec::new();
            for number in &step.closing {
                let at = open.iter().position(|(own, _)| own == number).unwrap();
                parents.push(open.remove(at).1);
            }
            let covered = |ranges: &[Range]| (ranges[0].start, ranges[ranges.len() - 1].end);
            assert_eq!(covered(&parents), covered(&step.children));
            assert!(parents.windows(2).chain(step.children.windows(2)).all(|pair| pair[0].end + 1 == pair[1].start));
            open.extend(step.children.iter().zip(next..).map(|(range, number)| (number, *range)));
            next += u32::try_from(step.children.len()).unwrap();
        }
        let mut ranges: Vec<Range> = open.into_iter().map(|(_, range)| range).collect();
        ranges.sort_by_key(|range| range.start);
        ranges
    }

    #[test]
    fn any_count_becomes_any_other_with_even_ranges() {
        for from in 1..=12 {
            for target in 1..=24 {
                let steps = uniform(even(from), from, target);
                let expected: Vec<Range> = even(target).into_iter().map(|(_, range)| range).collect();
                assert_eq!(carried_out(&even(from), &steps), expected, "{from} to {target}");
            }
        }
    }

    #[test]
    fn doubling_only_splits_halving_only_merges_and_even_shards_stay() {
        assert!(uniform(even(4), 4, 8).iter().all(|step| step.closing.len() == 1 && step.children.len() == 2));
        assert_eq!(uniform(even(4), 4, 8).len(), 4);
        assert!(uniform(even(8), 8, 4).iter().all(|step| step.closing.len() == 2 && step.children.len() == 1));
        assert_eq!(uniform(even(8), 8, 4).len(), 4);
        assert_eq!(uniform(even(5), 5, 5), []);
    }

    #[test]
    fn uneven_shards_are_evened_out() {
        let open = vec![(0, Range { start: 0, end: 1 }), (1, Range { start: 2, end: u128::MAX })];
        let steps = uniform(open.clone(), 2, 2);
        let expected: Vec<Range> = even(2).into_iter().map(|(_, range)| range).collect();
        assert_eq!(carried_out(&open, &steps), expected);
    }
}
