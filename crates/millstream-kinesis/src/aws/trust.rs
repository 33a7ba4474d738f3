//! The certificates that a service's own is checked with.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Names a file with the certificates to trust in place of the machine's, as for botocore and the AWS CLI. The SDK for Rust
/// does not read it.
pub(super) const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// What TLS trusts: the certificates of a file in PEM, or the machine's where none is named.
///
/// # Errors
///
/// A sentence for people if the file can't be read, holds no certificate, or one that can't be trusted.
pub(super) fn context(bundle: Option<&OsStr>) -> Result<TlsContext, String> {
    let store = match bundle.filter(|path| !path.is_empty()).map(Path::new) {
        None => TrustStore::default(),
        Some(path) => certificates(path)
            .map(|pem| TrustStore::empty().with_pem_certificate(pem))
            .map_err(|error| format!("{CA_BUNDLE}={}: {error}; name a file of certificates in PEM", path.display()))?,
    };
    TlsContext::builder().with_trust_store(store).build().map_err(|error| error.to_string())
}

/// A file that the SDK's client takes: with another it would panic.
fn certificates(path: &Path) -> Result<Vec<u8>, String> {
    let pem = fs::read(path).map_err(|error| error.to_string())?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| format!("certificate {}: {error}", roots.len() + 1))?;
    }
    if roots.is_empty() {
        return Err("there is no certificate in it".to_owned());
    }
    Ok(pem)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use millstream_local::{LocalConfig, LocalService};

    use super::*;

    fn refused(content: &str) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        context(Some(file.path().as_os_str())).unwrap_err()
    }

    #[test]
    fn the_machines_certificates_are_trusted_unless_a_file_is_named() {
        assert!(context(None).is_ok());
        assert!(context(Some(OsStr::new(""))).is_ok());
    }

    #[tokio::test]
    async fn a_file_that_is_not_all_of_certificates_is_refused() {
        let service = LocalService::start(LocalConfig::default()).await.unwrap();
        let pem = service.ca_pem().to_owned();
        let missing = context(Some(OsStr::new("/no/such/file"))).unwrap_err();
        assert!(missing.starts_with("AWS_CA_BUNDLE=/no/such/file: No such file"), "{missing}");
        assert!(refused("").contains("there is no certificate in it"));
        let not_one = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let second = refused(&format!("{pem}{not_one}"));
        assert!(second.contains("certificate 2: "), "{second}");
        let cut = refused(&pem[..pem.len() / 2]);
        assert!(cut.contains("AWS_CA_BUNDLE=") && cut.contains("in PEM"), "{cut}");
    }
}
