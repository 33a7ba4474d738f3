//! The rows that say how far the moves of a fleet are (KCL `MigrationState`, `TableMigrationState`), the index of owners, and the
//! rows that move from three tables to one.

use std::collections::HashMap;

use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update};
use millstream_kinesis::now_ms;

use super::fleet::{STATE, attribute};
use super::item::{ENTITY_TYPE, Item, LEASE_KEY, text};
use super::{DynamoDbLeaseStore, StoreError, lock};
use crate::fleet::Layout;
use crate::migration::{ClientVersion, MigrationStep, TableStatus};

/// A row that says how far a move is.
#[derive(Clone, Copy)]
pub(super) struct Progress {
    pub(super) key: &'static str,
    /// The attribute that says it.
    pub(super) word: &'static str,
    kind: &'static str,
    /// What a row that is made notes as having been before.
    start: &'static str,
}

pub(super) const VERSION: Progress =
    Progress { key: "Migration3.0", word: "cv", kind: "CLIENT_VERSION_MIGRATION", start: "CLIENT_VERSION_INIT" };
pub(super) const TABLES: Progress =
    Progress { key: "TableMigration3.5", word: "tm", kind: "TABLE_MIGRATION", start: "TABLE_MIGRATION_STATUS_INIT" };

const BY: &str = "mb";
const SINCE: &str = "mts";
const HISTORY: &str = "h";
const LONGEST_HISTORY: usize = 10;
/// Rows in one transaction: each is a put and a deletion, of a hundred that DynamoDB allows.
const ROWS_AT_A_TIME: usize = 25;

/// Where a row is, or is to be.
struct Place {
    table: String,
    key: &'static str,
}

/// When a row was written last, in milliseconds since the epoch.
pub(super) fn since_ms(item: &Item) -> Option<u64> {
    item.get(SINCE)?.as_n().ok()?.parse().ok()
}

/// Whether a row of the table of state is to be moved to the lease table.
pub(super) fn is_to_move(item: &Item) -> bool {
    !matches!(attribute(item, STATE.key), None | Some(lock::LEADER)) && attribute(item, STATE.key) != Some(TABLES.key)
}

impl DynamoDbLeaseStore {
    /// Takes a step. `false`: what it follows is not so any more.
    pub(super) async fn take_step(
        &self,
        worker: &str,
        step: MigrationStep,
        layout: Layout,
    ) -> Result<bool, StoreError> {
        match step {
            MigrationStep::MakeIndex => self.make_index().await,
            MigrationStep::Version { from, to } => {
                let place = self.place_of_version(layout).await?;
                self.progress(place, VERSION, worker, from.map(ClientVersion::name), to.name()).await
            }
            MigrationStep::Table { from: Some(from), to: TableStatus::Complete } => self.complete(worker, from).await,
            MigrationStep::Table { from, to } => {
                self.progress(self.beside_place(), TABLES, worker, from.map(TableStatus::name), to.name()).await
            }
            MigrationStep::ForgetTable => self.forget_table().await,
            MigrationStep::MoveState => self.move_state(worker).await,
        }
    }

    /// A transaction moves the row of the version: it is in one of the tables.
    async fn place_of_version(&self, layout: Layout) -> Result<Place, StoreError> {
        let (table, key) = self.place(layout.keeps_workers_beside(), STATE);
        let place = Place { table, key };
        if layout != Layout::Moving || self.row(&place, VERSION.key).await?.is_some() {
            return Ok(place);
        }
        let beside = self.beside_place();
        let is_there = self.row(&beside, VERSION.key).await?.is_some();
        Ok(if is_there { beside } else { place })
    }

    fn beside_place(&self) -> Place {
        let (table, key) = self.place(true, STATE);
        Place { table, key }
    }

    async fn row(&self, place: &Place, key: &str) -> Result<Option<Item>, StoreError> {
        let get = self.client.get_item().table_name(&place.table).key(place.key, text(key)).consistent_read(true);
        let answer = get.send().await.map_err(|error| self.error("GetItem", &error))?;
        Ok(answer.item)
    }

    /// Writes the next word of a row, with what was before in its history.
    async fn progress(
        &self,
        place: Place,
        row: Progress,
        worker: &str,
        from: Option<&str>,
        to: &str,
    ) -> Result<bool, StoreError> {
        let now = millis();
        let Some(from) = from else {
            let before = entry(row, row.start, worker, &now);
            let mut item = said(row, worker, &now, to, vec![before]);
            item.insert(place.key.to_owned(), text(row.key));
            if place.key == LEASE_KEY {
                item.insert(ENTITY_TYPE.to_owned(), text(row.kind));
            }
            let put = self.client.put_item().table_name(place.table).set_item(Some(item));
            let put =
                put.condition_expression("attribute_not_exists(#key)").expression_attribute_names("#key", place.key);
            return self.is_done("PutItem", put.send().await);
        };
        let Some(known) = self.row(&place, row.key).await?.filter(|item| attribute(item, row.word) == Some(from))
        else {
            return Ok(false);
        };
        let (update, names, values) = next(row, &known, worker, to);
        let request = self.client.update_item().table_name(place.table).key(place.key, text(row.key));
        let request = request.update_expression(update).condition_expression("#word = :from");
        let request = request.set_expression_attribute_names(Some(names)).set_expression_attribute_values(Some(values));
        self.is_done("UpdateItem", request.send().await)
    }

    async fn forget_table(&self) -> Result<bool, StoreError> {
        let place = self.beside_place();
        let request = self.client.delete_item().table_name(place.table).key(place.key, text(TABLES.key));
        let request = request
            .condition_expression("#word = :start")
            .expression_attribute_names("#word", TABLES.word)
            .expression_attribute_values(":start", text(TABLES.start));
        self.is_done("DeleteItem", request.send().await)
    }

    /// In both tables at once, while this worker leads.
    async fn complete(&self, worker: &str, from: TableStatus) -> Result<bool, StoreError> {
        let beside = self.beside_place();
        let known = self.row(&beside, TABLES.key).await?;
        let Some(known) = known.filter(|item| attribute(item, TABLES.word) == Some(from.name())) else {
            return Ok(false);
        };
        let (update, names, values) = next(TABLES, &known, worker, TableStatus::Complete.name());
        let mut here = said(TABLES, worker, &millis(), TableStatus::Complete.name(), history(TABLES, &known));
        here.insert(LEASE_KEY.to_owned(), text(TABLES.key));
        here.insert(ENTITY_TYPE.to_owned(), text(TABLES.kind));
        let update = Update::builder()
            .table_name(&beside.table)
            .key(beside.key, text(TABLES.key))
            .update_expression(update)
            .condition_expression("#word = :from")
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .build();
        let update = TransactWriteItem::builder().update(update.map_err(|error| self.invalid(&error))?).build();
        self.transact(worker, vec![self.creation(here)?, update]).await
    }

    async fn move_state(&self, worker: &str) -> Result<bool, StoreError> {
        let beside = self.beside_place();
        let rows = self.legacy(STATE).await?.unwrap_or_default();
        let mut writes = Vec::new();
        for mut item in rows.into_iter().filter(is_to_move) {
            let Some(key) = item.remove(STATE.key) else { continue };
            if key.as_s().is_ok_and(|key| key == VERSION.key) {
                item.entry(ENTITY_TYPE.to_owned()).or_insert_with(|| text(VERSION.kind));
            }
            if !item.contains_key(ENTITY_TYPE) {
                // In the lease table it would be taken for a lease.
                tracing::warn!(
                    ?key,
                    table = beside.table,
                    "a row of an unknown kind keeps the fleet from moving to one table"
                );
                return Ok(false);
            }
            item.insert(LEASE_KEY.to_owned(), key.clone());
            let delete = Delete::builder().table_name(&beside.table).key(beside.key, key).build();
            writes.push(self.creation(item)?);
            writes.push(TransactWriteItem::builder().delete(delete.map_err(|error| self.invalid(&error))?).build());
        }
        for some in writes.chunks(2 * ROWS_AT_A_TIME) {
            if !self.transact(worker, some.to_vec()).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A row of the lease table that is not there yet.
    fn creation(&self, item: Item) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder().table_name(&self.table).set_item(Some(item)).condition_expression(super::KEY_IS_NEW);
        Ok(TransactWriteItem::builder().put(put.build().map_err(|error| self.invalid(&error))?).build())
    }

    /// All or nothing, and only while this worker holds the lock. `false`: it does not, or a row is not as it was.
    async fn transact(&self, worker: &str, mut writes: Vec<TransactWriteItem>) -> Result<bool, StoreError> {
        let beside = self.beside_place();
        let leads = ConditionCheck::builder()
            .table_name(beside.table)
            .key(beside.key, text(lock::LEADER))
            .condition_expression(format!("{} = :me", lock::OWNER))
            .expression_attribute_values(":me", text(worker))
            .build()
            .map_err(|error| self.invalid(&error))?;
        writes.push(TransactWriteItem::builder().condition_check(leads).build());
        match self.client.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(reasons)) => {
                    tracing::info!(?reasons, "a step of the move to one table is another worker's");
                    Ok(false)
                }
                _ => Err(self.error("TransactWriteItems", &error)),
            },
        }
    }

    fn invalid(&self, error: &BuildError) -> StoreError {
        self.service_error("TransactWriteItems", "invalid request", &error.to_string())
    }

    /// A conditional write: `false` is one whose condition does not hold.
    fn is_done<T, E>(
        &self,
        operation: &'static str,
        answer: Result<T, aws_sdk_dynamodb::error::SdkError<E>>,
    ) -> Result<bool, StoreError>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        match answer {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(self.error(operation, &error)),
        }
    }
}

/// What a row says.
fn said(row: Progress, worker: &str, now: &AttributeValue, word: &str, history: Vec<AttributeValue>) -> Item {
    HashMap::from([
        (row.word.to_owned(), text(word)),
        (BY.to_owned(), text(worker)),
        (SINCE.to_owned(), now.clone()),
        (HISTORY.to_owned(), AttributeValue::L(history)),
    ])
}

/// One line of a history.
fn entry(row: Progress, word: &str, by: &str, since: &AttributeValue) -> AttributeValue {
    AttributeValue::M(HashMap::from([
        (row.word.to_owned(), text(word)),
        (BY.to_owned(), text(by)),
        (SINCE.to_owned(), since.clone()),
    ]))
}

/// A row's history with what it says now: the last ten, the latest first.
fn history(row: Progress, known: &Item) -> Vec<AttributeValue> {
    let word = attribute(known, row.word).unwrap_or(row.start);
    let unknown = AttributeValue::N("0".to_owned());
    let last = entry(row, word, attribute(known, BY).unwrap_or_default(), known.get(SINCE).unwrap_or(&unknown));
    let before = known.get(HISTORY).and_then(|history| history.as_l().ok()).into_iter().flatten().cloned();
    std::iter::once(last).chain(before).take(LONGEST_HISTORY).collect()
}

/// The update of a row that is as known, with its names and values.
fn next(
    row: Progress,
    known: &Item,
    worker: &str,
    to: &str,
) -> (String, HashMap<String, String>, HashMap<String, AttributeValue>) {
    let update = format!("SET #word = :to, {BY} = :by, {SINCE} = :since, {HISTORY} = :history");
    let values = HashMap::from([
        (":to".to_owned(), text(to)),
        (":from".to_owned(), text(attribute(known, row.word).unwrap_or_default())),
        (":by".to_owned(), text(worker)),
        (":since".to_owned(), millis()),
        (":history".to_owned(), AttributeValue::L(history(row, known))),
    ]);
    (update, HashMap::from([("#word".to_owned(), row.word.to_owned())]), values)
}

fn millis() -> AttributeValue {
    AttributeValue::N(now_ms().to_string())
}
