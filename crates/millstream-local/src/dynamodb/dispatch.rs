//! From an operation's name and JSON to a call of the engine, and back.

use dynoxide::{Database, DynoxideError, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::failure::Failure;

/// Carries out one operation; the answer is JSON.
pub(super) fn call(database: &Database, operation: &str, body: &[u8]) -> std::result::Result<String, Failure> {
    match run(database, operation, body) {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(Failure::unknown_operation()),
        Err(error) => Err(worded(operation, error).into()),
    }
}

macro_rules! operations {
    ($database:ident, $operation:ident, $body:ident: $($name:literal => $method:ident,)*) => {
        match $operation {
            $($name => write(&$database.$method(read($body)?)?).map(Some),)*
            _ => Ok(None),
        }
    };
}

/// `None` for an operation that the engine does not have.
fn run(database: &Database, operation: &str, body: &[u8]) -> Result<Option<String>> {
    operations!(database, operation, body:
        "BatchExecuteStatement" => batch_execute_statement,
        "BatchGetItem" => batch_get_item,
        "BatchWriteItem" => batch_write_item,
        "CreateTable" => create_table,
        "DeleteItem" => delete_item,
        "DeleteTable" => delete_table,
        "DescribeTable" => describe_table,
        "DescribeTimeToLive" => describe_time_to_live,
        "ExecuteStatement" => execute_statement,
        "ExecuteTransaction" => execute_transaction,
        "GetItem" => get_item,
        "ListTables" => list_tables,
        "ListTagsOfResource" => list_tags_of_resource,
        "PutItem" => put_item,
        "Query" => query,
        "Scan" => scan,
        "TagResource" => tag_resource,
        "TransactGetItems" => transact_get_items,
        "TransactWriteItems" => transact_write_items,
        "UntagResource" => untag_resource,
        "UpdateItem" => update_item,
        "UpdateTable" => update_table,
        "UpdateTimeToLive" => update_time_to_live,
    )
}

pub(super) fn write(answer: &impl Serialize) -> Result<String> {
    serde_json::to_string(answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| refused(&error))
}

/// The engine's request types mark in the text of a serde error which AWS exception it stands for.
fn refused(error: &serde_json::Error) -> DynoxideError {
    let text = error.to_string();
    let bare = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let validation = |message: &str| DynoxideError::ValidationException(message.to_owned());
    let serialization = |message: &str| DynoxideError::SerializationException(message.to_owned());
    if let Some(message) = text.strip_prefix("SERIALIZATION_AS_READ:") {
        serialization(message)
    } else if let Some(message) = text.strip_prefix("VALIDATION_AS_READ:") {
        validation(message)
    } else if let Some(message) = bare.strip_prefix("SERIALIZATION:") {
        serialization(message)
    } else if let Some(message) = bare.strip_prefix("VALIDATION_REQUEST:") {
        DynoxideError::EnvelopedValidation(message.to_owned())
    } else if let Some(message) = bare.strip_prefix("VALIDATION:") {
        validation(message)
    } else if ["missing field", "unknown variant", "invalid type: null"].iter().any(|cause| bare.contains(cause)) {
        validation(bare)
    } else {
        serialization(bare)
    }
}

/// Puts the envelope that AWS puts around the request errors of the single-item writes.
fn worded(operation: &str, error: DynoxideError) -> DynoxideError {
    match (operation, error) {
        ("PutItem" | "UpdateItem" | "DeleteItem", DynoxideError::EnvelopedValidation(message)) => {
            DynoxideError::ValidationException(format!("1 validation error detected: {message}"))
        }
        (_, error) => error,
    }
}
