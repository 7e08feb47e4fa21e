//! The process's TLS provider, and what every connection trusts.

use std::sync::OnceLock;

use rustls::{ClientConfig, RootCertStore};

/// What a client needs for TLS: aws-lc-rs, unless the process has installed another, and the system's roots. `None` where the
/// system has none that can be used.
///
/// The roots are read once for each process, because reading the bundle costs more than everything else about a client, and a
/// worker has one client for each connection. A bundle that is changed counts from the next start.
pub(super) fn config() -> Option<ClientConfig> {
    static CONFIG: OnceLock<Option<ClientConfig>> = OnceLock::new();
    CONFIG.get_or_init(read).clone()
}

fn read() -> Option<ClientConfig> {
    // The error says that another caller was faster, which is what is wanted.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return None;
    }
    let mut config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Some(config)
}
