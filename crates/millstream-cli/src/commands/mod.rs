//! One file a command.

pub(crate) mod completions;
pub(crate) mod cost;
pub(crate) mod doctor;
pub(crate) mod leases;
pub(crate) mod local;
pub(crate) mod put;
pub(crate) mod replay;
pub(crate) mod reshard;
pub(crate) mod shards;
pub(crate) mod streams;
pub(crate) mod submit;
pub(crate) mod tail;
pub(crate) mod top;
