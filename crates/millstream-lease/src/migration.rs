//! The two moves of a fleet of KCL workers: from version 2 to 3, and from three tables to one.
//!
//! Both are rows that say how far the move is, under names of the KCL (`MigrationState`, `TableMigrationState`). One worker, the
//! leader, writes the next state when every worker is ready for it; the others follow what the row says.

/// How far the move from version 2 to 3 is: attribute `cv` of the row `Migration3.0` (KCL `ClientVersion`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientVersion {
    /// Workers take leases for themselves, as in version 2, and report, until all of them do.
    UpgradeFrom2x,
    /// Rolled back by the KCL's migration tool: as in version 2, and nobody reports.
    V2x,
    /// A leader assigns; the tool can still roll back.
    V3xWithRollback,
    /// A leader assigns, for good.
    V3x,
    /// A word that this library does not know.
    Unknown,
}

impl ClientVersion {
    const NAMES: [(Self, &'static str); 4] = [
        (Self::UpgradeFrom2x, "CLIENT_VERSION_UPGRADE_FROM_2X"),
        (Self::V2x, "CLIENT_VERSION_2X"),
        (Self::V3xWithRollback, "CLIENT_VERSION_3X_WITH_ROLLBACK"),
        (Self::V3x, "CLIENT_VERSION_3X"),
    ];

    /// What a row says.
    pub fn of(name: &str) -> Self {
        let known = Self::NAMES.iter().find(|(_, known)| *known == name);
        known.map_or(Self::Unknown, |(version, _)| *version)
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(version, _)| *version == self).map_or("unknown", |(_, name)| name)
    }
}

/// What the worker's program is deployed for (KCL `ClientVersionConfig`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientVersionConfig {
    /// As in version 2: nothing is written but leases. Workers of the KCL 3.5 with this setting know rows that are no leases.
    CompatibleWith2xPhase1,
    /// Starts the move, and reports.
    CompatibleWith2x,
    /// Ends it: no way back.
    V3x,
}

impl ClientVersionConfig {
    const NAMES: [(&'static str, Self); 3] = [
        ("CLIENT_VERSION_CONFIG_COMPATIBLE_WITH_2X_PHASE1", Self::CompatibleWith2xPhase1),
        ("CLIENT_VERSION_CONFIG_COMPATIBLE_WITH_2X", Self::CompatibleWith2x),
        ("CLIENT_VERSION_CONFIG_3X", Self::V3x),
    ];
}

impl std::str::FromStr for ClientVersionConfig {
    type Err = UnknownClientVersion;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::NAMES.iter().find(|(known, _)| *known == name);
        known.map(|(_, version)| *version).ok_or_else(|| UnknownClientVersion(name.to_owned()))
    }
}

/// A client version that the KCL does not know either.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no client version: use CLIENT_VERSION_CONFIG_COMPATIBLE_WITH_2X_PHASE1, CLIENT_VERSION_CONFIG_COMPATIBLE_WITH_2X or \
     CLIENT_VERSION_CONFIG_3X"
)]
pub struct UnknownClientVersion(String);

/// How far the move to one table is: attribute `tm` of the row `TableMigration3.5` (KCL `TableMigrationStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableStatus {
    /// All workers know the one table, since not long ago.
    Init,
    /// They did for an hour: now workers may be deployed that write to it.
    Deployed,
    /// All do, and the state has been moved; what they did before is still possible.
    Pending,
    /// For good.
    Complete,
}

impl TableStatus {
    const NAMES: [(Self, &'static str); 4] = [
        (Self::Init, "TABLE_MIGRATION_STATUS_INIT"),
        (Self::Deployed, "TABLE_MIGRATION_STATUS_DEPLOYED"),
        (Self::Pending, "TABLE_MIGRATION_STATUS_PENDING"),
        (Self::Complete, "TABLE_MIGRATION_STATUS_COMPLETE"),
    ];

    /// What a row says; `None`: nothing that is known.
    pub fn of(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(status, _)| *status)
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(status, _)| *status == self).map_or("unknown", |(_, name)| name)
    }
}

/// The row of the move to one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableMigration {
    /// How far it is.
    pub status: TableStatus,
    /// Since when, by this machine's clock and the writer's.
    pub age_s: u64,
}

/// What a worker does for the two moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MigrationConfig {
    /// What the program is deployed for. `None`: it follows the fleet, and starts nothing.
    pub client_version: Option<ClientVersionConfig>,
    /// How long all workers must have been ready before the leader changes to version 3, in milliseconds.
    pub flip_after_ms: u64,
    /// Whether this worker writes to the one table as soon as all know it, and as the leader moves the fleet's rows there (KCL
    /// `migrateAllEntitiesToLeaseTable`). `None`: it does so once all others do. `Some(false)`: not before the move has ended, which
    /// takes it back where it has begun.
    pub moves_to_lease_table: Option<bool>,
    /// How long all workers must have known the one table before others may write to it, in seconds.
    pub deployed_after_s: u64,
    /// How long all must have written to it before there is no way back, in seconds (KCL
    /// `tableMigrationCompleteBakeTimeSeconds`).
    pub complete_after_s: u64,
}

impl Default for MigrationConfig {
    /// The KCL's times: 10 minutes, an hour, a day.
    fn default() -> Self {
        MigrationConfig {
            client_version: None,
            flip_after_ms: 600_000,
            moves_to_lease_table: None,
            deployed_after_s: 3_600,
            complete_after_s: 86_400,
        }
    }
}

/// One step of a move. Each is conditional on what it follows: of two workers that take it, one is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MigrationStep {
    /// Makes the index of owners (`LeaseOwnerToLeaseKeyIndex`), which workers of version 3 find their leases by.
    MakeIndex,
    /// The next version; from `None`: there is no row.
    Version {
        /// As the row says.
        from: Option<ClientVersion>,
        /// As it is to say.
        to: ClientVersion,
    },
    /// The next status of the move to one table; from `None`: there is no row. As the leader.
    Table {
        /// As the row says.
        from: Option<TableStatus>,
        /// As it is to say. `Complete` is written to both tables.
        to: TableStatus,
    },
    /// Removes the row of the move to one table: a worker has come that does not know that table.
    ForgetTable,
    /// Moves the rows of the table of state to the lease table, but for the lock and the row of this move. As the leader.
    MoveState,
}

/// Whom of these workers the KCL 2 takes for the leader (`DeterministicShuffleShardSyncLeaderDecider`): the first of the sorted
/// names after `Collections.shuffle` with `new Random(1947)`.
pub(crate) fn elected(mut workers: Vec<&str>) -> Option<&str> {
    // Java compares UTF-16 units; names of workers that are not ASCII are told apart all the same.
    workers.sort_unstable();
    workers.dedup();
    let mut random = JavaRandom::new(1_947);
    for size in (2..=workers.len()).rev() {
        workers.swap(size - 1, random.below(size));
    }
    workers.first().copied()
}

/// `java.util.Random`.
struct JavaRandom(u64);

impl JavaRandom {
    const MULTIPLIER: u64 = 0x5_DEEC_E66D;
    const MASK: u64 = (1 << 48) - 1;

    fn new(seed: u64) -> Self {
        JavaRandom((seed ^ Self::MULTIPLIER) & Self::MASK)
    }

    fn bits31(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(Self::MULTIPLIER).wrapping_add(0xB) & Self::MASK;
        self.0 >> 17
    }

    /// `nextInt(bound)`.
    fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        let value = if bound.is_power_of_two() {
            (bound * self.bits31()) >> 31
        } else {
            loop {
                let bits = self.bits31();
                // Java's overflow of an `int`: the last, shorter row of remainders is left out.
                if bits - bits % bound + bound <= 1 << 31 {
                    break bits % bound;
                }
            }
        };
        value as usize
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn random_numbers_are_javas() {
        // By OpenJDK 17.
        let mut random = JavaRandom::new(42);
        let hundreds: Vec<usize> = (0..5).map(|_| random.below(100)).collect();
        assert_eq!(hundreds, [30, 63, 48, 84, 70]);
        let mut random = JavaRandom::new(1_947);
        assert_eq!((random.below(16), random.below(7)), (10, 1), "of a power of two, and of another bound");
    }

    #[test]
    fn the_elected_worker_is_the_one_that_java_elects() {
        // By `Collections.shuffle(names, new Random(1947))` of OpenJDK 17.
        for (workers, first) in [(1, 0), (2, 0), (3, 2), (5, 4), (8, 2), (17, 13)] {
            let names: Vec<String> = (0..workers).map(|worker| format!("worker-{worker:02}")).collect();
            let twice = names.iter().rev().chain(&names).map(String::as_str).collect();
            assert_eq!(elected(twice), Some(names[first].as_str()), "of {workers}");
        }
        assert_eq!(elected(Vec::new()), None);
    }

    #[test]
    fn names_are_the_kcls() {
        for (version, name) in ClientVersion::NAMES {
            assert_eq!((ClientVersion::of(name), version.name()), (version, name));
        }
        assert_eq!(ClientVersion::of("CLIENT_VERSION_4X"), ClientVersion::Unknown);
        assert_eq!("CLIENT_VERSION_CONFIG_3X".parse(), Ok(ClientVersionConfig::V3x));
        let error = "3X".parse::<ClientVersionConfig>().unwrap_err().to_string();
        assert!(error.contains("`3X`") && error.contains("CLIENT_VERSION_CONFIG_3X"), "{error}");
    }
}
