//! Whom to trust: the system's certificate authorities, or those of a file.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::InvalidSmtp;

/// A TLS client that trusts `ca_file`, else the system, else (where the system has none) the list
/// that browsers use.
pub(super) fn client(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, InvalidSmtp> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = ca_file {
        let shown = path.display();
        let invalid =
            |error: String| InvalidSmtp(format!("reading the certificates in {shown} failed: {error}"));
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| invalid(error.to_string()))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| invalid(error.to_string()))?;
            roots.add(certificate).map_err(|error| invalid(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(InvalidSmtp(format!("{shown} has no certificate; it must be a PEM file")));
        }
    } else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
    }
    // Named, so that a second provider in the tree could not become a panic at the first connection.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| InvalidSmtp(format!("preparing TLS failed: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
