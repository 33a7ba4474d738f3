use std::collections::HashSet;

use millstream_kinesis::{ChildShard, HashKeyRange, Shard, ShardId};

/// Which shards may be read: a child after its parents, as far as these are read at all.
pub(super) struct Family {
    waiting: Vec<Member>,
    /// Shards that are not read to their end: waiting, or being read.
    unfinished: HashSet<ShardId>,
    known: HashSet<ShardId>,
}

/// A shard to read.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: ShardId,
    pub(super) hash_range: HashKeyRange,
    /// Whether it was closed when the shards were listed.
    pub(super) is_closed: bool,
    /// Whether it was there at the start; else it follows a shard that was read to its end.
    pub(super) is_first: bool,
    parents: Vec<ShardId>,
}

impl Family {
    /// To read these shards.
    pub(super) fn of_all(shards: Vec<Shard>) -> Self {
        let mut family = Family { waiting: Vec::new(), unfinished: HashSet::new(), known: HashSet::new() };
        for shard in shards {
            let is_closed = shard.is_closed();
            let Shard { id, parents, hash_range, .. } = shard;
            family.add(Member { id, hash_range, is_closed, is_first: true, parents });
        }
        family
    }

    /// To read those of these shards that are open.
    pub(super) fn of_open(mut shards: Vec<Shard>) -> Self {
        shards.retain(|shard| !shard.is_closed());
        Self::of_all(shards)
    }

    fn add(&mut self, member: Member) {
        if self.known.insert(member.id.clone()) {
            self.unfinished.insert(member.id.clone());
            self.waiting.push(member);
        }
    }

    /// The shards that may be read from now on; each is given out once.
    pub(super) fn ready(&mut self) -> Vec<Member> {
        let unfinished = &self.unfinished;
        self.waiting.extract_if(.., |member| !member.parents.iter().any(|parent| unfinished.contains(parent))).collect()
    }

    /// A shard is read to its end, and these follow it.
    pub(super) fn ended(&mut self, shard: &ShardId, children: Vec<ChildShard>) {
        self.unfinished.remove(shard);
        for ChildShard { id, parents, hash_range } in children {
            self.add(Member { id, hash_range, is_closed: false, is_first: false, parents });
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shard(id: &str, parents: &[&str], is_closed: bool) -> Shard {
        Shard {
            id: id.into(),
            parents: parents.iter().map(|&parent| parent.into()).collect(),
            hash_range: HashKeyRange::ALL,
            first: 1.into(),
            last: is_closed.then(|| 2.into()),
        }
    }

    fn child(id: &str, parents: &[&str]) -> ChildShard {
        let Shard { id, parents, hash_range, .. } = shard(id, parents, false);
        ChildShard { id, parents, hash_range }
    }

    fn ready(family: &mut Family) -> Vec<(String, bool)> {
        family.ready().iter().map(|member| (member.id.to_string(), member.is_first)).collect()
    }

    fn first(ids: &[&str]) -> Vec<(String, bool)> {
        ids.iter().map(|&id| (id.to_owned(), true)).collect()
    }

    #[test]
    fn a_merged_shard_waits_for_both_parents() {
        let mut family =
            Family::of_all(vec![shard("a", &[], true), shard("b", &[], true), shard("c", &["a", "b"], false)]);
        assert_eq!(ready(&mut family), first(&["a", "b"]));
        family.ended(&"a".into(), vec![child("c", &["a", "b"])]);
        assert!(ready(&mut family).is_empty());
        family.ended(&"b".into(), vec![child("c", &["a", "b"])]);
        assert_eq!(ready(&mut family), first(&["c"]));
        assert!(ready(&mut family).is_empty());
    }

    #[test]
    fn parents_that_have_expired_are_not_waited_for() {
        let mut family = Family::of_all(vec![shard("c", &["a", "b"], false)]);
        assert_eq!(ready(&mut family), first(&["c"]));
    }

    #[test]
    fn closed_shards_are_left_out_where_only_new_records_count_and_children_are_followed() {
        let mut family = Family::of_open(vec![shard("a", &[], true), shard("b", &["a"], false)]);
        assert_eq!(ready(&mut family), first(&["b"]));
        family.ended(&"b".into(), vec![child("d", &["b"]), child("e", &["b"])]);
        assert_eq!(ready(&mut family), [("d".to_owned(), false), ("e".to_owned(), false)]);
    }
}
