//! Whom the server believes when it connects to somebody.

use std::sync::{Arc, LazyLock};

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

/// The machine's own authorities, read once, as `SSL_CERT_FILE` changes them.
static OF_THIS_MACHINE: LazyLock<RootCertStore> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
});

/// Believes those whom the machine believes, and some more.
pub fn trusting_this_machine(and_these: Vec<CertificateDer<'static>>) -> ClientConfig {
    let mut roots = OF_THIS_MACHINE.clone();
    roots.add_parsable_certificates(and_these);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring knows the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}
