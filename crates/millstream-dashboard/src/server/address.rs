//! Finding a port that is free.

use std::io;
use std::net::{SocketAddr, TcpListener};

use super::{DashboardConfig, DashboardError};

/// Ports below need privileges; Spark goes on here behind the last one.
const FIRST: u32 = 1024;

/// Opens the port of the settings, or the next that is free.
pub(super) fn listen(config: &DashboardConfig) -> Result<(TcpListener, SocketAddr), DashboardError> {
    let mut last_error = io::Error::from(io::ErrorKind::AddrInUse);
    for attempt in 0..=config.retries {
        let address = SocketAddr::new(config.host, port_of(config.port, attempt));
        match open(address) {
            Ok(opened) => return Ok(opened),
            Err(error) => {
                tracing::debug!(%address, %error, "the dashboard's port can't be had; the next one is tried");
                last_error = error;
            }
        }
    }
    let DashboardConfig { host, port: first, retries, .. } = *config;
    Err(DashboardError::NoPort { host, first, retries, source: last_error })
}

fn open(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// The port of an attempt, as Spark's `Utils.userPort`.
fn port_of(first: u16, attempt: u16) -> u16 {
    let port = u32::from(first) + u32::from(attempt);
    match u16::try_from(port) {
        _ if first == 0 => 0,
        Ok(port) => port,
        Err(_) => u16::try_from(port - (u32::from(u16::MAX) + 1) + FIRST).unwrap_or(u16::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_tried_one_after_the_other() {
        assert_eq!([0, 1, 16].map(|attempt| port_of(4040, attempt)), [4040, 4041, 4056]);
        assert_eq!([0, 1, 2].map(|attempt| port_of(65_534, attempt)), [65_534, 65_535, 1024]);
        assert_eq!(port_of(0, 3), 0);
    }
}
