//! A simulation of many workers on one lease table, in virtual time. One seed is one story.

mod agenda;
mod dice;
mod fleet;
pub mod growth;
mod link;
pub mod mutant;
mod names;
mod oracle;
mod peer;
mod process;
mod program;
mod remote;
mod server;
pub mod settings;
pub mod story;
mod streams;
mod trace;
mod trouble;
mod world;
