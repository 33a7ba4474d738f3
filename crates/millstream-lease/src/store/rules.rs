//! Every conditional change of a lease, for stores that can look at a row and change it in one step. The conditions are
//! those of the KCL (`DynamoDBLeaseSerializer`); the DynamoDB store has the same ones as expressions.

use millstream_kinesis::{Checkpoint, ShardId};

use crate::Lease;

/// Changes the stored lease if it meets the condition, and says whether it did.
pub(super) type Rule = Box<dyn Fn(&mut Lease) -> bool + Send + Sync>;

fn rule(
    condition: impl Fn(&Lease) -> bool + Send + Sync + 'static,
    change: impl Fn(&mut Lease) + Send + Sync + 'static,
) -> Rule {
    Box::new(move |stored| {
        let is_met = condition(stored);
        if is_met {
            change(stored);
        }
        is_met
    })
}

pub(super) fn renew(held: &Lease) -> Rule {
    let (counter, reader, throughput) = (held.counter, held.checkpoint_owner.clone(), held.throughput);
    rule(
        move |stored| stored.counter == counter && stored.checkpoint_owner == reader,
        move |stored| {
            stored.counter += 1;
            stored.throughput = throughput.or(stored.throughput);
        },
    )
}

pub(super) fn take(seen: &Lease, me: &str) -> Rule {
    let (counter, me) = (seen.counter, me.to_owned());
    let is_switch = seen.actual_owner() != Some(&me);
    rule(
        move |stored| stored.counter == counter,
        move |stored| {
            stored.owner_switches += u64::from(is_switch);
            stored.owner = Some(me.clone());
            stored.checkpoint_owner = None;
            stored.counter += 1;
        },
    )
}

pub(super) fn request_handoff(seen: &Lease, me: &str) -> Rule {
    let (owner, me) = (seen.owner.clone(), me.to_owned());
    rule(
        move |stored| stored.owner.is_some() && stored.owner == owner && stored.checkpoint_owner.is_none(),
        move |stored| stored.checkpoint_owner = stored.owner.replace(me.clone()),
    )
}

pub(super) fn complete_handoff(held: &Lease) -> Rule {
    rule(is_pending(held), |stored| {
        stored.checkpoint_owner = None;
        stored.owner_switches += 1;
        stored.counter += 1;
    })
}

pub(super) fn withdraw_handoff(seen: &Lease) -> Rule {
    rule(is_pending(seen), |stored| stored.owner = stored.checkpoint_owner.take())
}

/// The handoff that is known is still to be completed.
fn is_pending(known: &Lease) -> impl Fn(&Lease) -> bool + Send + Sync + 'static {
    let (owner, reader) = (known.owner.clone(), known.checkpoint_owner.clone());
    move |stored| stored.checkpoint_owner.is_some() && stored.owner == owner && stored.checkpoint_owner == reader
}

pub(super) fn release(held: &Lease) -> Rule {
    let (owner, counter) = (held.owner.clone(), held.counter);
    rule(
        move |stored| stored.counter == counter && stored.owner == owner && stored.checkpoint_owner.is_none(),
        |stored| {
            stored.owner = None;
            stored.counter += 1;
        },
    )
}

pub(super) fn prepare(held: &Lease, pending: &Checkpoint, state: Option<&[u8]>) -> Rule {
    let (counter, pending, state) = (held.counter, pending.clone(), state.map(<[u8]>::to_vec));
    rule(
        move |stored| stored.counter == counter,
        move |stored| {
            stored.counter += 1;
            stored.pending_checkpoint = Some(pending.clone());
            stored.pending_state.clone_from(&state);
        },
    )
}

pub(super) fn checkpoint(held: &Lease, checkpoint: &Checkpoint, children: &[ShardId]) -> Rule {
    let (counter, throughput) = (held.counter, held.throughput);
    let (checkpoint, children) = (checkpoint.clone(), children.to_vec());
    rule(
        move |stored| stored.counter == counter,
        move |stored| {
            stored.counter += 1;
            stored.owner_switches = 0;
            stored.checkpoint = checkpoint.clone();
            stored.pending_checkpoint = None;
            stored.pending_state = None;
            stored.throughput = throughput.or(stored.throughput);
            if !children.is_empty() {
                stored.children.clone_from(&children);
            }
        },
    )
}

pub(super) fn reset(seen: &Lease, to: &Lease) -> Rule {
    let (counter, to) = (seen.counter, to.clone());
    rule(
        move |stored| stored.counter == counter,
        move |stored| {
            stored.counter += 1;
            stored.owner_switches = 0;
            stored.owner = None;
            stored.checkpoint_owner = None;
            stored.checkpoint = to.checkpoint.clone();
            stored.latest_since_ms = to.latest_since_ms;
            stored.pending_checkpoint = None;
            stored.pending_state = None;
            stored.children.clone_from(&to.children);
        },
    )
}
