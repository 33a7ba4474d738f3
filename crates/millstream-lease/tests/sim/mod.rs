mod checks;
mod dice;
mod leader;
mod node;
mod oracle;
mod stream;
mod trouble;
pub(crate) mod world;
