//! The certificate of the service: made once, for this machine alone, and kept.
//!
//! It is signed by an authority of its own whose key nobody has afterwards. So who trusts the authority, as TLS clients
//! do with a CA bundle, trusts this one certificate.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

use crate::error::LocalError;
use crate::storage::{finish_replacing, replace};

/// The key, the certificate and the authority's; for the service alone.
pub(super) const SERVER: &str = "server.pem";
/// The authority's certificate, for clients.
pub(super) const CA: &str = "ca.pem";

const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// The key and the certificates of a directory, in PEM; makes them if there are none.
pub(super) fn kept_in(directory: &Path) -> Result<String, LocalError> {
    let failed = |path: &Path, source| LocalError::DataDir { path: path.to_owned(), source };
    let (server, ca) = (directory.join(SERVER), directory.join(CA));
    let pem = match fs::read_to_string(&server) {
        Ok(pem) => pem,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let pem = make()?;
            fs::create_dir_all(directory).map_err(|source| failed(directory, source))?;
            write_private(&server, pem.as_bytes()).map_err(|source| failed(&server, source))?;
            pem
        }
        Err(source) => return Err(failed(&server, source)),
    };
    // It is missing if the first start was cut short, and of no use if it is another.
    if fs::read_to_string(&ca).ok().as_deref() != Some(ca_of(&pem)) {
        replace(&ca, ca_of(&pem).as_bytes()).map_err(|source| failed(&ca, source))?;
    }
    Ok(pem)
}

/// A new key, its certificate, and that of the authority that signed it, in PEM.
pub(super) fn make() -> Result<String, LocalError> {
    let made = || {
        let authority_key = KeyPair::generate()?;
        let mut authority = params("millstream local authority", &[])?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_certificate = authority.self_signed(&authority_key)?;
        let key = KeyPair::generate()?;
        let mut server = params("millstream local", &NAMES)?;
        server.is_ca = IsCa::ExplicitNoCa;
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        server.use_authority_key_identifier_extension = true;
        let certificate = server.signed_by(&key, &Issuer::new(authority, authority_key))?;
        Ok([key.serialize_pem(), certificate.pem(), authority_certificate.pem()].concat())
    };
    made().map_err(|error: rcgen::Error| LocalError::Certificate { message: error.to_string() })
}

/// The last certificate: that of the authority.
pub(super) fn ca_of(pem: &str) -> &str {
    pem.rfind(BEGIN).map_or("", |at| &pem[at..])
}

fn params(name: &str, subjects: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let subjects: Vec<String> = subjects.iter().map(|subject| (*subject).to_owned()).collect();
    let mut params = CertificateParams::new(subjects)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    Ok(params)
}

/// Writes a file that only its owner reads, all or nothing.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    finish_replacing(path, &temporary, &file, bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_first_start_makes_what_the_later_ones_read() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("tls");
        let made = kept_in(&directory).unwrap();
        assert_eq!(kept_in(&directory).unwrap(), made);
        let mode = fs::metadata(directory.join(SERVER)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let ca = fs::read_to_string(directory.join(CA)).unwrap();
        assert!(!ca.contains("PRIVATE") && made.ends_with(&ca) && ca.matches(BEGIN).count() == 1, "{ca}");
        // The first start may have been cut short after each file.
        fs::remove_file(directory.join(CA)).unwrap();
        assert_eq!(kept_in(&directory).unwrap(), made);
        assert_eq!(fs::read_to_string(directory.join(CA)).unwrap(), ca);
        fs::remove_file(directory.join(SERVER)).unwrap();
        let other = kept_in(&directory).unwrap();
        assert_ne!(other, made);
        assert_eq!(fs::read_to_string(directory.join(CA)).unwrap(), ca_of(&other));
    }
}
