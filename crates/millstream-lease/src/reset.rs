//! What to change in a lease table so that a stream is read from other places: decisions only.
//!
//! The table becomes what a new application's would be: of each line of shards, only the oldest one that is still to be read has a
//! lease; its children get theirs when it has been read to its end. So parents are read before their children, whatever the
//! workers are: a worker of the KCL takes a parent without a lease for one that was read.

use std::collections::{BTreeMap, BTreeSet};

use millstream_kinesis::{Checkpoint, Shard, ShardId};

use crate::{Lease, lease_key};

/// One write, to be made in the order of [`plan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A lease that is missing.
    Create(Lease),
    /// A lease gets another checkpoint, and no owner.
    Reset {
        /// As it is.
        seen: Lease,
        /// As it shall be: checkpoint, moment and children.
        to: Box<Lease>,
    },
    /// A lease that a later one's end makes again, or nobody needs.
    Delete(Lease),
}

impl Change {
    /// The key of the lease.
    pub fn key(&self) -> &str {
        match self {
            Change::Create(lease) | Change::Delete(lease) | Change::Reset { seen: lease, .. } => &lease.key,
        }
    }
}

/// The writes, parents before their children, deletions last.
///
/// `stream`: the stream's identifier, empty for the only one of an application. `shards`: all that the stream lists. `leases`: all
/// of this stream. `starts`: after what each shard is to be read; [`Checkpoint::ShardEnd`]: nothing of it, for a closed shard.
/// `latest_since_ms`: the moment that [`Checkpoint::Latest`] stands for.
pub fn plan(
    stream: &str,
    shards: &BTreeMap<ShardId, Shard>,
    leases: &[Lease],
    starts: &BTreeMap<ShardId, Checkpoint>,
    latest_since_ms: i64,
) -> Vec<Change> {
    let line = Line { shards, starts };
    let order = line.parents_first();
    let unread: BTreeSet<&ShardId> = order.iter().fold(BTreeSet::new(), |mut unread, shard| {
        if line.is_wanted(shard) || shard.parents.iter().any(|parent| unread.contains(parent)) {
            unread.insert(&shard.id);
        }
        unread
    });
    let is_first = |shard: &Shard| !shard.parents.iter().any(|parent| unread.contains(parent));
    let has_lease = |shard: &Shard| unread.contains(&shard.id) && is_first(shard);
    // Who finds such a child would look for its parents' leases, and begin these anew.
    let is_asked_for = |shard: &Shard| {
        let waits = |child: &&Shard| {
            unread.contains(&child.id) && (!is_first(child) || line.start(child) == Checkpoint::TrimHorizon)
        };
        line.children(shard).any(|child| waits(&child))
    };
    let mut changes = Vec::new();
    let mut kept = BTreeSet::new();
    for shard in order {
        let key = lease_key(stream, shard.id.as_str()).into_owned();
        let seen = leases.iter().find(|lease| lease.key == key);
        let mut to = Lease { key, ..Lease::of_shard(shard, line.start(shard)) };
        if has_lease(shard) {
            to.latest_since_ms = (to.checkpoint == Checkpoint::Latest).then_some(latest_since_ms);
        } else if !unread.contains(&shard.id) && (is_asked_for(shard) || seen.is_some_and(Lease::is_ended)) {
            to.checkpoint = Checkpoint::ShardEnd;
            to.children = line.children(shard).map(|child| child.id.clone()).collect();
        } else {
            continue;
        }
        kept.insert(to.key.clone());
        match seen {
            None => changes.push(Change::Create(to)),
            Some(seen) if is_there_already(seen, &to) => {}
            Some(seen) => changes.push(Change::Reset { seen: seen.clone(), to: Box::new(to) }),
        }
    }
    changes.extend(leases.iter().filter(|lease| !kept.contains(&lease.key)).cloned().map(Change::Delete));
    changes
}

fn is_there_already(seen: &Lease, to: &Lease) -> bool {
    let is_free = seen.actual_owner().is_none() && seen.pending_checkpoint.is_none();
    // The children that its reader wrote are right.
    let is_ended = seen.is_ended() && to.is_ended();
    is_ended || is_free && seen.checkpoint == to.checkpoint && seen.latest_since_ms == to.latest_since_ms
}

struct Line<'a> {
    shards: &'a BTreeMap<ShardId, Shard>,
    starts: &'a BTreeMap<ShardId, Checkpoint>,
}

impl<'a> Line<'a> {
    /// A shard that nothing is told of is read from its beginning.
    fn start(&self, shard: &Shard) -> Checkpoint {
        self.starts.get(&shard.id).cloned().unwrap_or(Checkpoint::TrimHorizon)
    }

    /// An open shard has no end yet.
    fn is_wanted(&self, shard: &Shard) -> bool {
        !shard.is_closed() || self.start(shard) != Checkpoint::ShardEnd
    }

    fn children(&self, parent: &'a Shard) -> impl Iterator<Item = &'a Shard> {
        self.shards.values().filter(|shard| shard.parents.contains(&parent.id))
    }

    /// As many rounds as there are generations.
    fn parents_first(&self) -> Vec<&'a Shard> {
        let mut order = Vec::new();
        let mut waiting: Vec<&Shard> = self.shards.values().collect();
        while !waiting.is_empty() {
            let ids: BTreeSet<&ShardId> = waiting.iter().map(|shard| &shard.id).collect();
            let (later, now): (Vec<_>, Vec<_>) =
                waiting.iter().partition(|shard| shard.parents.iter().any(|parent| ids.contains(parent)));
            if now.is_empty() {
                // Never: a shard is made of older ones.
                order.extend(later);
                break;
            }
            order.extend(now);
            waiting = later;
        }
        order
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use millstream_kinesis::HashKeyRange;

    use super::*;

    /// `c<ab` is made of `a` and `b`; a small letter is a closed shard, a capital one an open shard.
    fn shards(text: &str) -> BTreeMap<ShardId, Shard> {
        let shard = |word: &str| {
            let (name, parents) = word.split_once('<').unwrap_or((word, ""));
            let is_closed = name.chars().all(char::is_lowercase);
            Shard {
                id: name.into(),
                parents: parents.chars().map(|parent| parent.to_string().into()).collect(),
                hash_range: HashKeyRange::ALL,
                first: 1u128.into(),
                last: is_closed.then(|| 2u128.into()),
            }
        };
        text.split_whitespace().map(shard).map(|shard| (shard.id.clone(), shard)).collect()
    }

    /// `a=TRIM_HORIZON b=7:0`, of each shard or lease.
    fn places(text: &str) -> BTreeMap<ShardId, Checkpoint> {
        let place = |word: &str| {
            let (name, place) = word.split_once('=').unwrap();
            (name.into(), place.parse().unwrap())
        };
        text.split_whitespace().map(place).collect()
    }

    fn leases(shards: &BTreeMap<ShardId, Shard>, text: &str) -> Vec<Lease> {
        let lease = |(id, checkpoint): (ShardId, Checkpoint)| {
            let unlisted = Shard { id: id.clone(), ..shards.values().next().unwrap().clone() };
            let shard = shards.get(&id).unwrap_or(&unlisted);
            Lease { owner: Some("w".into()), counter: 5, ..Lease::of_shard(shard, checkpoint) }
        };
        places(text).into_iter().map(lease).collect()
    }

    #[track_caller]
    fn check(listed: &str, before: &str, starts: &str, expected: &[&str]) {
        let shards = shards(listed);
        let show = |change: &Change| match change {
            Change::Create(lease) => format!("+{}={}", lease.key, lease.checkpoint),
            Change::Reset { to, .. } => format!("{}={}", to.key, to.checkpoint),
            Change::Delete(lease) => format!("-{}", lease.key),
        };
        let changes = plan("", &shards, &leases(&shards, before), &places(starts), 9);
        assert_eq!(changes.iter().map(show).collect::<Vec<_>>(), expected);
        // What a worker would make of the table then: nothing more to create, so that it reads what was planned.
        let after = applied(&shards, before, &changes);
        let by_shard = after.iter().map(|lease| (lease.shard(), lease)).collect();
        let latest = millstream_kinesis::InitialPosition::Latest;
        let missing = crate::lineage::missing_leases(&shards, &by_shard, latest, &BTreeSet::new());
        assert_eq!(missing, [], "a worker would create these leases");
    }

    fn applied(shards: &BTreeMap<ShardId, Shard>, before: &str, changes: &[Change]) -> Vec<Lease> {
        let mut after = leases(shards, before);
        for change in changes {
            after.retain(|lease| lease.key != change.key());
            match change {
                Change::Create(lease) => after.push(lease.clone()),
                Change::Reset { to, .. } => after.push(Lease::clone(to)),
                Change::Delete(_) => {}
            }
        }
        after
    }

    #[test]
    fn back_to_the_horizon_only_the_oldest_of_each_line_has_a_lease() {
        let lines = "a b<a c<a D<b E<c F";
        check(
            lines,
            "a=SHARD_END b=SHARD_END c=SHARD_END D=7:0 E=8:0 F=9:0",
            "",
            &["F=TRIM_HORIZON", "a=TRIM_HORIZON", "-D", "-E", "-b", "-c"],
        );
        // The cleanup has removed the ended ones; the stream still has their records.
        check(lines, "D=7:0 E=8:0 F=9:0", "", &["F=TRIM_HORIZON", "+a=TRIM_HORIZON", "-D", "-E"]);
    }

    #[test]
    fn a_parent_that_the_stream_has_forgotten_is_not_waited_for() {
        check("D<b", "b=SHARD_END D=7:0", "", &["D=TRIM_HORIZON", "-b"]);
    }

    #[test]
    fn from_now_on_open_shards_alone_are_read() {
        check("a B<a C<a", "a=7:0", "a=SHARD_END B=LATEST C=LATEST", &["+B=LATEST", "+C=LATEST", "-a"]);
        check("a B<a", "a=SHARD_END B=7:0", "a=SHARD_END B=LATEST", &["B=LATEST"]);
    }

    #[test]
    fn an_ended_parent_stays_known_where_a_child_starts_at_its_beginning() {
        // Else a worker would make the parent's lease anew, and read it again.
        check(
            "a B<a C<a",
            "B=7:0 C=8:0",
            "a=SHARD_END B=TRIM_HORIZON C=3:1",
            &["+a=SHARD_END", "B=TRIM_HORIZON", "C=3:1"],
        );
    }

    #[test]
    fn a_merged_shard_waits_for_the_parent_that_is_still_to_be_read() {
        check("a b C<ab", "a=SHARD_END C=7:0", "a=SHARD_END b=5:0 C=TRIM_HORIZON", &["+b=5:0", "-C"]);
        check("a b C<ab", "C=7:0", "a=SHARD_END b=5:0 C=TRIM_HORIZON", &["+a=SHARD_END", "+b=5:0", "-C"]);
    }

    #[test]
    fn an_empty_shard_between_two_that_are_read_is_read_too() {
        check("a b<a C<b", "C=7:0", "a=5:0 b=SHARD_END C=TRIM_HORIZON", &["+a=5:0", "-C"]);
    }

    #[test]
    fn a_lease_that_is_there_already_is_left_alone() {
        let shards = shards("A");
        let free = Lease { owner: None, ..leases(&shards, "A=TRIM_HORIZON").remove(0) };
        assert_eq!(plan("", &shards, std::slice::from_ref(&free), &BTreeMap::new(), 9), []);
        let since = Lease { checkpoint: Checkpoint::Latest, latest_since_ms: Some(8), ..free };
        let changes = plan("", &shards, &[since], &places("A=LATEST"), 9);
        assert!(matches!(&changes[..], [Change::Reset { to, .. }] if to.latest_since_ms == Some(9)), "{changes:?}");
    }

    #[test]
    fn the_stream_is_part_of_the_keys_where_there_are_several() {
        let changes = plan("1:s:2", &shards("A"), &[], &BTreeMap::new(), 9);
        assert!(matches!(&changes[..], [Change::Create(lease)] if lease.key == "1:s:2:A"), "{changes:?}");
    }
}
