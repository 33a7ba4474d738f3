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
/// A sentence for people if the file can't be read, is no PEM, or has no certificate that can be trusted.
pub(super) fn context(bundle: Option<&OsStr>) -> Result<TlsContext, String> {
    let store = match bundle.filter(|path| !path.is_empty()).map(Path::new) {
        None => TrustStore::default(),
        Some(path) => certificates(path)
            .map(|pem| TrustStore::empty().with_pem_certificate(pem))
            .map_err(|error| format!("{CA_BUNDLE}={}: {error}; name a file of certificates in PEM", path.display()))?,
    };
    TlsContext::builder().with_trust_store(store).build().map_err(|error| error.to_string())
}

/// The certificates of a file that the SDK's client takes, in PEM: with another one it would panic.
fn certificates(path: &Path) -> Result<String, String> {
    let file = fs::read(path).map_err(|error| error.to_string())?;
    let (mut roots, mut pem) = (RootCertStore::empty(), String::new());
    for (at, certificate) in CertificateDer::pem_slice_iter(&file).enumerate() {
        let certificate = certificate.map_err(|error| error.to_string())?;
        let text = base64_simd::STANDARD.encode_to_string(&certificate);
        match roots.add(certificate) {
            Ok(()) => pem += &format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"),
            // As of the machine's own: one that is odd does not keep the others from use.
            Err(error) => {
                let (path, number) = (path.display(), at + 1);
                tracing::warn!(%path, number, %error, "a certificate of {CA_BUNDLE} can't be trusted and is left out");
            }
        }
    }
    if roots.is_empty() { Err("there is no certificate in it that can be trusted".to_owned()) } else { Ok(pem) }
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
    async fn a_file_without_certificates_is_refused_and_an_odd_one_left_out() {
        let service = LocalService::start(LocalConfig::default()).await.unwrap();
        let good = service.ca_pem().to_owned();
        let missing = context(Some(OsStr::new("/no/such/file"))).unwrap_err();
        assert!(missing.starts_with("AWS_CA_BUNDLE=/no/such/file: No such file"), "{missing}");
        assert!(refused("").contains("there is no certificate in it"));
        let odd = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(refused(odd).contains("there is no certificate in it"));
        let cut = refused(&good[..good.len() / 2]);
        assert!(cut.contains("AWS_CA_BUNDLE=") && cut.contains("in PEM"), "{cut}");

        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), format!("{odd}# a comment\n{good}")).unwrap();
        let kept = certificates(file.path()).unwrap();
        let roots: Vec<_> = CertificateDer::pem_slice_iter(kept.as_bytes()).map(Result::unwrap).collect();
        assert_eq!(roots, [CertificateDer::from_pem_slice(good.as_bytes()).unwrap()]);
        assert!(context(Some(file.path().as_os_str())).is_ok());
    }
}
