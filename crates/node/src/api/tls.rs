//! TLS 1.3 at the API's listener.

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject as _},
    },
    version::TLS13,
};
use std::{path::Path, sync::Arc};
use tokio_rustls::TlsAcceptor;

/// The most certificates of a chain.
const CHAIN_MAX: usize = 8;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is not PEM of the kind that it should be.
    #[error("{file}")]
    File {
        /// Its name.
        file: String,
        /// What is wrong.
        #[source]
        source: pem::Error,
    },
    /// The chain is empty or endless.
    #[error("{file}: a chain of one to {CHAIN_MAX} certificates is needed")]
    Chain {
        /// Its name.
        file: String,
    },
    /// Certificate and key do not go together.
    #[error("certificate and key")]
    Pair(#[from] rustls::Error),
}

/// What a node shows to whoever connects: a certificate chain, and its key.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// Reads the chain, the node's own certificate first, and the key, both in PEM.
    ///
    /// # Errors
    ///
    /// Returns [`TlsError`] if a file is of no use, or the two are not of one pair.
    pub fn read(chain: &Path, key: &Path) -> Result<Self, TlsError> {
        let name = |path: &Path| path.display().to_string();
        let broken = |file: &Path| {
            let file = name(file);
            move |source| TlsError::File { file, source }
        };
        let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(chain)
            .and_then(|found| found.take(CHAIN_MAX + 1).collect())
            .map_err(broken(chain))?;
        if certificates.is_empty() || certificates.len() > CHAIN_MAX {
            return Err(TlsError::Chain { file: name(chain) });
        }
        let key = PrivateKeyDer::from_pem_file(key).map_err(broken(key))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13])?
            .with_no_client_auth()
            .with_single_cert(certificates, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    pub(super) const fn acceptor(&self) -> &TlsAcceptor {
        &self.0
    }
}
