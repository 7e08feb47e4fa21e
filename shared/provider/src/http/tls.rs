//! The process's TLS provider.

/// Installs aws-lc-rs as the process's cryptography, unless one is installed already. May be called any
/// number of times, from any thread.
pub(super) fn install() {
    // The error says that another caller was faster, which is what is wanted.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
