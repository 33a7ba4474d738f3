//! What is below the operations: the formats of requests and answers, and the protocols that carry them.

mod cbor;
mod events;
mod http2;
mod subscribe;
mod tls;
