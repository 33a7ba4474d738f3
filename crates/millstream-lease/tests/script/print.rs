use millstream_kinesis::{Checkpoint, ShardId};
use millstream_lease::migration::{ClientVersion, MigrationStep, TableStatus};
use millstream_lease::{Action, Lease, LeaseView, SessionWrite, Throughput};

/// The lease that an action writes to.
pub(super) fn lease_of(action: &Action) -> Option<&Lease> {
    match action {
        Action::Create(lease)
        | Action::Renew(lease)
        | Action::Take(lease)
        | Action::Assign { lease, .. }
        | Action::RequestHandoff { lease, .. }
        | Action::CompleteHandoff(lease)
        | Action::WithdrawHandoff(lease)
        | Action::Release(lease)
        | Action::Delete(lease)
        | Action::Prepare { lease, .. }
        | Action::WriteCheckpoint { lease, .. } => Some(lease),
        _ => None,
    }
}

/// What `me` is to do.
pub(super) fn action(action: &Action, me: &str) -> String {
    let counted = |verb: &str, lease: &Lease| format!("{verb} {} counter={}", lease.key, lease.counter);
    let kbps = |lease: &Lease| {
        lease
            .throughput
            .filter(|kbps| *kbps > Throughput::default())
            .map_or(String::new(), |kbps| format!(" kbps={kbps}"))
    };
    match action {
        Action::Scan => "scan".to_owned(),
        Action::ListShards { stream } if stream.is_empty() => "list-shards".to_owned(),
        Action::ListShards { stream } => format!("list-shards of {stream}"),
        Action::Create(lease) => {
            format!("create {} at={}{}", lease.key, position(&lease.checkpoint), list(" parents=", &lease.parents))
        }
        Action::Renew(lease) => counted("renew", lease) + &kbps(lease),
        Action::Take(lease) => counted("take", lease),
        Action::Release(lease) => counted("release", lease),
        Action::Delete(lease) => format!("delete {}", lease.key),
        Action::Assign { lease, to } => counted("assign", lease) + &format!(" to={to}"),
        Action::RequestHandoff { lease, to } => {
            let text = format!("ask-for {} of={}", lease.key, lease.owner.as_deref().unwrap_or("nobody"));
            if to == me { text } else { text + &format!(" for={to}") }
        }
        Action::TakeLead { seen, .. } => match seen {
            Some(seen) => format!("take-lead of={} version={}", seen.owner, seen.version),
            None => "take-lead of nobody".to_owned(),
        },
        Action::KeepLead { version, .. } => format!("keep-lead version={version}"),
        Action::Resign { version, .. } => format!("resign version={version}"),
        Action::CompleteHandoff(lease) => {
            format!("hand-over {} to={}", lease.key, lease.owner.as_deref().unwrap_or("nobody"))
        }
        Action::WithdrawHandoff(lease) => {
            format!("withdraw {} from={}", lease.key, lease.checkpoint_owner.as_deref().unwrap_or("nobody"))
        }
        Action::WriteCheckpoint { lease, checkpoint, children } => {
            let text = counted("checkpoint", lease);
            format!("{text} at={}{}{}", position(checkpoint), list(" children=", children), kbps(lease))
        }
        Action::Prepare { lease, pending, state } => {
            let state =
                state.as_deref().map_or(String::new(), |state| format!(" state={}", String::from_utf8_lossy(state)));
            format!("{} at={}{state}", counted("prepare", lease), position(pending))
        }
        Action::StartReading { key, checkpoint, .. } => {
            format!("read {key} after={}", position(checkpoint))
        }
        Action::StopReading { key, drain: true } => format!("stop {key} and drain"),
        Action::StopReading { key, drain: false } => format!("stop {key} and drop"),
        Action::LookAtFleet => "look-at-fleet".to_owned(),
        Action::Report(layout) => format!("report to {layout:?}"),
        Action::Retire(layout) => format!("retire from {layout:?}"),
        Action::Migrate { step, .. } => migration(*step),
        Action::WriteSession(SessionWrite::Begin { worker, .. }) => format!("begin-session of {worker}"),
        Action::WriteSession(SessionWrite::Beat { tells: true, .. }) => "beat and tell".to_owned(),
        Action::WriteSession(SessionWrite::Beat { .. }) => "beat".to_owned(),
        Action::WriteSession(SessionWrite::End { worker, seen }) if worker == me => format!("end-session {seen}"),
        Action::WriteSession(SessionWrite::End { worker, seen }) => format!("end-session {seen} of {worker}"),
        Action::Done => "done".to_owned(),
    }
}

fn migration(step: MigrationStep) -> String {
    match step {
        MigrationStep::MakeIndex => "make-index".to_owned(),
        MigrationStep::Version { from, to } => {
            format!("version {} -> {}", from.map_or("none", ClientVersion::name), to.name())
        }
        MigrationStep::Table { from, to } => {
            format!("tables {} -> {}", from.map_or("none", TableStatus::name), to.name())
        }
        MigrationStep::ForgetTable => "forget-table-migration".to_owned(),
        MigrationStep::MoveState => "move-state".to_owned(),
    }
}

pub(super) fn view(lease: &LeaseView<'_>) -> String {
    let mut text = format!("{} {:?}", lease.key, lease.status);
    if let Some(owner) = lease.owner {
        text += &format!(" owner={owner}");
    }
    text += &format!(" at={}", position(lease.checkpoint));
    if let Some(processed) = lease.processed {
        text += &format!(" processed={}", position(processed));
    }
    if let Some(error) = lease.last_error {
        text += &format!(" failures={} ({error})", lease.failures);
    }
    text
}

/// A plain record's position without its sub-sequence number.
fn position(checkpoint: &Checkpoint) -> String {
    let text = checkpoint.to_string();
    text.strip_suffix(":0").map(str::to_owned).unwrap_or(text)
}

fn list(label: &str, shards: &[ShardId]) -> String {
    if shards.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = shards.iter().map(ShardId::as_str).collect();
    format!("{label}{}", names.join(","))
}
