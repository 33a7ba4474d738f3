//! TLS on the same port: the first byte of a connection tells.

mod certificate;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::LocalError;

/// The first byte of a TLS connection, a handshake record, and of no HTTP request.
pub(crate) const FIRST_BYTE: u8 = 0x16;

/// What the service shows to TLS clients.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    /// The certificate of the authority, in PEM: who trusts it trusts the service.
    pub(crate) ca_pem: String,
    /// Where it is kept, unless in memory.
    pub(crate) ca_path: Option<PathBuf>,
}

impl Tls {
    /// Reads the certificate of the data directory, or makes one; without a directory it lasts as long as the service.
    pub(crate) fn open(data: Option<&Path>) -> Result<Self, LocalError> {
        let (pem, paths) = match data {
            None => (certificate::make()?, None),
            Some(data) => {
                let directory = data.join("tls");
                let pem = certificate::kept_in(&directory)?;
                (pem, Some((directory.join(certificate::SERVER), directory.join(certificate::CA))))
            }
        };
        let damaged = |reason: String| match &paths {
            Some((path, _)) => LocalError::Damaged {
                path: path.clone(),
                reason: format!("{reason}; remove it to have a new one made"),
            },
            None => LocalError::Certificate { message: reason },
        };
        let config = config(&pem).map_err(damaged)?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            ca_pem: certificate::ca_of(&pem).to_owned(),
            ca_path: paths.map(|(_, path)| path),
        })
    }
}

fn config(pem: &str) -> Result<ServerConfig, String> {
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| error.to_string())?;
    let chain = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>();
    let chain = chain.map_err(|error| error.to_string())?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| error.to_string())?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
