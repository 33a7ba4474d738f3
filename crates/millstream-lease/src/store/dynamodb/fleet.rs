//! The rows of KCL 3 workers that are no leases: `WorkerMetricStatsDAO`, `CoordinatorStateDAO` and their serializers.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use millstream_kinesis::now_ms;

use super::item::{ENTITY_TYPE, Item, LEASE, LEASE_KEY, number, text};
use super::migration::{self, TABLES, VERSION};
use super::{DynamoDbLeaseStore, FleetStore, StoreError, lock};
use crate::fleet::{Fleet, FleetWorker, Index, Layout, LeaderLock, Metric, Utilisation};
use crate::migration::{ClientVersion, MigrationStep, TableMigration, TableStatus};

/// Not the KCL's: tells our workers from Java's, which leave it alone.
const OURS: &str = "millstreamVersion";
const METRICS: &str = "WORKER_METRIC_STATS";
/// The support code of the single table (KCL 3.5).
const SINGLE_TABLE: u64 = 1;

/// One of the tables that KCL 3.0 to 3.4 keep beside the lease table.
#[derive(Clone, Copy)]
pub(super) struct Legacy {
    suffix: &'static str,
    pub(super) key: &'static str,
}

pub(super) const STATE: Legacy = Legacy { suffix: "-CoordinatorState", key: "key" };
const WORKERS: Legacy = Legacy { suffix: "-WorkerMetricStats", key: "wid" };

#[async_trait]
impl FleetStore for DynamoDbLeaseStore {
    async fn look(&self) -> Result<Fleet, StoreError> {
        let (now_ms, here) = (now_ms().cast_unsigned(), self.entities().await?);
        let beside = self.legacy(STATE).await?;
        let has_legacy_tables = beside.is_some();
        let beside = beside.unwrap_or_default();
        let is_here = |key: &str| here.iter().find(|item| attribute(item, LEASE_KEY) == Some(key));
        let is_beside = |key: &str| beside.iter().find(|item| attribute(item, STATE.key) == Some(key));
        // The row of the move stays where it began; the end is written to both.
        let moved = is_here(TABLES.key).or_else(|| is_beside(TABLES.key));
        let table_migration = moved.and_then(|item| {
            let status = TableStatus::of(attribute(item, TABLES.word)?)?;
            let since_ms = migration::since_ms(item).unwrap_or(now_ms);
            Some(TableMigration { status, age_s: now_ms.saturating_sub(since_ms) / 1_000 })
        });
        let is_complete = table_migration.is_some_and(|table| table.status == TableStatus::Complete);
        let lock = if has_legacy_tables && !is_complete { is_beside(lock::LEADER) } else { is_here(lock::LEADER) };
        let version = is_here(VERSION.key).or_else(|| is_beside(VERSION.key));
        let client_version = version.and_then(|item| attribute(item, VERSION.word)).map(ClientVersion::of);
        let index = match client_version {
            Some(ClientVersion::UpgradeFrom2x) => self.index().await?,
            _ => Index::default(),
        };
        let mut workers: Vec<FleetWorker> = here.iter().filter_map(|item| worker(item, LEASE_KEY, now_ms)).collect();
        if has_legacy_tables && !is_complete {
            let rows = self.legacy(WORKERS).await?.unwrap_or_default();
            workers.extend(rows.iter().filter_map(|item| worker(item, WORKERS.key, now_ms)));
        }
        Ok(Fleet {
            workers,
            client_version,
            index,
            lock: lock.and_then(lock::from_item),
            has_legacy_tables,
            table_migration,
            legacy_entries: beside.iter().filter(|item| migration::is_to_move(item)).count(),
        })
    }

    async fn migrate(&self, id: &str, step: MigrationStep, layout: Layout) -> Result<bool, StoreError> {
        self.take_step(id, step, layout).await
    }

    async fn report(&self, id: &str, layout: Layout) -> Result<(), StoreError> {
        let none = AttributeValue::M(HashMap::new());
        let mut set = format!("SET lut = :now, sts = :none, opr = :none, sup = :sup, slu = :now, {OURS} = :version");
        // Worker ids and lease keys share one space: a lease is never written over.
        let condition = if layout.keeps_workers_beside() {
            "attribute_not_exists(entityType) OR entityType = :kind"
        } else {
            set.push_str(", entityType = :kind");
            "attribute_not_exists(leaseKey) OR entityType = :kind"
        };
        let (table, key) = self.place(layout.keeps_workers_beside(), WORKERS);
        let request = self.client.update_item().table_name(table).key(key, text(id));
        request
            .update_expression(set)
            .condition_expression(condition)
            .expression_attribute_values(":now", number(now_ms().cast_unsigned() / 1_000))
            .expression_attribute_values(":none", none)
            .expression_attribute_values(":sup", number(SINGLE_TABLE))
            .expression_attribute_values(":version", text(env!("CARGO_PKG_VERSION")))
            .expression_attribute_values(":kind", text(METRICS))
            .send()
            .await
            .map_err(|error| self.error("UpdateItem", &error))?;
        Ok(())
    }

    async fn take_lead(
        &self,
        id: &str,
        seen: Option<&LeaderLock>,
        layout: Layout,
    ) -> Result<Option<String>, StoreError> {
        self.claim(id, lock::Claim::Take(seen), layout).await
    }

    async fn keep_lead(&self, id: &str, version: &str, layout: Layout) -> Result<Option<String>, StoreError> {
        self.claim(id, lock::Claim::Keep(version), layout).await
    }

    async fn resign(&self, id: &str, version: &str, layout: Layout) -> Result<(), StoreError> {
        self.give_back(id, version, layout).await
    }

    async fn retire(&self, id: &str, layout: Layout) -> Result<(), StoreError> {
        let (table, key) = self.place(layout.keeps_workers_beside(), WORKERS);
        self.client
            .delete_item()
            .table_name(table)
            .key(key, text(id))
            .condition_expression(format!("attribute_exists({OURS})"))
            .send()
            .await
            .map_err(|error| self.error("DeleteItem", &error))?;
        Ok(())
    }
}

impl DynamoDbLeaseStore {
    fn beside(&self, legacy: Legacy) -> String {
        format!("{}{}", self.table, legacy.suffix)
    }

    /// The table of rows that are kept in `legacy`, or in the lease table, and its key.
    pub(super) fn place(&self, is_beside: bool, legacy: Legacy) -> (String, &'static str) {
        if is_beside { (self.beside(legacy), legacy.key) } else { (self.table.clone(), LEASE_KEY) }
    }

    /// The rows of the lease table that are no leases.
    async fn entities(&self) -> Result<Vec<Item>, StoreError> {
        let scan = self.client.scan().table_name(&self.table);
        let scan = scan.filter_expression("attribute_exists(#kind) AND #kind <> :lease");
        let scan =
            scan.expression_attribute_names("#kind", ENTITY_TYPE).expression_attribute_values(":lease", text(LEASE));
        let items = scan.into_paginator().items().send().collect::<Result<_, _>>().await;
        items.map_err(|error| self.error("Scan", &error))
    }

    /// All rows of a table beside the lease table; `None`: there is none, or this worker may not read it.
    pub(super) async fn legacy(&self, legacy: Legacy) -> Result<Option<Vec<Item>>, StoreError> {
        let scan = self.client.scan().table_name(self.beside(legacy)).into_paginator().items().send();
        match scan.collect::<Result<_, _>>().await.map_err(|error| self.error("Scan", &error)) {
            Ok(items) => Ok(Some(items)),
            Err(StoreError::TableMissing { .. }) => Ok(None),
            Err(error @ StoreError::AccessDenied { .. }) => {
                if !self.has_told_of_denial.swap(true, Ordering::Relaxed) {
                    let table = self.beside(legacy);
                    tracing::warn!(%error, table, "if workers of the KCL 3.0 to 3.4 run, this one can't join them");
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// The worker of a row of metrics; `None`: the row is of another kind, or not whole.
fn worker(item: &Item, key: &str, now_ms: u64) -> Option<FleetWorker> {
    if key == LEASE_KEY && attribute(item, ENTITY_TYPE) != Some(METRICS) {
        return None;
    }
    let number = |name: &str| item.get(name)?.as_n().ok()?.parse::<u64>().ok();
    let updated_s = number("lut")?;
    let id = attribute(item, key)?.to_owned();
    Some(FleetWorker {
        id,
        age_s: (now_ms / 1_000).saturating_sub(updated_s),
        is_ours: item.contains_key(OURS),
        support: number("sup").unwrap_or(0),
        is_in_legacy_table: key != LEASE_KEY,
        utilisation: utilisation(item),
    })
}

/// The metrics of a row: `sts` has what was measured last, `opr` the limits. `None`: one can't be relied on
/// (KCL `WorkerMetricStats.isValidWorkerMetric`, `isAnyWorkerMetricFailing`).
fn utilisation(item: &Item) -> Option<Utilisation> {
    let map = |name: &str| item.get(name).and_then(|value| value.as_m().ok());
    let numbers = |value: &AttributeValue| -> Option<Vec<f64>> {
        value.as_l().ok()?.iter().map(|number| number.as_n().ok()?.parse().ok()).collect()
    };
    let measured = map("sts").into_iter().flatten();
    let metric = |(name, values): (&String, &AttributeValue)| {
        let limit = *numbers(map("opr")?.get(name)?)?.first()?;
        Some((name.clone(), Metric::of(&numbers(values)?, limit)?))
    };
    measured.map(metric).collect()
}

pub(super) fn attribute<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}
