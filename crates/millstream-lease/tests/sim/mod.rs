mod checks;
#[allow(dead_code)]
#[path = "../../../../sim/src/dice.rs"]
mod dice;
mod leader;
mod node;
mod oracle;
mod stream;
mod trouble;
pub(crate) mod world;
