//! Whom the client believes to be the node: a pinned root over TLS 1.3, or this machine itself.

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore,
    SignatureScheme,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{WebPkiSupportedAlgorithms, ring},
    pki_types::{
        CertificateDer, ServerName, UnixTime,
        pem::{self, PemObject as _},
    },
    time_provider::{DefaultTimeProvider, TimeProvider},
    version::TLS13,
};
use std::{path::Path, sync::Arc};

/// The most certificates of a root file: the root in use and those that follow it.
const ROOTS_MAX: usize = 8;
/// How often one certificate chain may name another date before it is given up.
const DATES_MAX: usize = 8;

/// Why a root file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It cannot be read, or is not PEM.
    #[error("the root {file}")]
    File {
        /// Its name.
        file: String,
        /// What is wrong.
        #[source]
        source: pem::Error,
    },
    /// It holds no certificate, too many, or one that cannot be a root.
    #[error("the root {file}: one to {ROOTS_MAX} certificates that can be roots are needed")]
    Roots {
        /// Its name.
        file: String,
    },
}

/// What an address must show to be taken for a node.
///
/// An `https` address must show a certificate of a pinned root, in TLS 1.3; the system's roots are
/// never asked. An `http` address shows nothing, so only this machine's own are taken, unless the
/// reader says otherwise.
#[derive(Clone, Debug)]
pub struct Trust {
    roots: Option<Arc<RootCertStore>>,
    plain: bool,
    dated: bool,
    time: Arc<dyn TimeProvider>,
}

impl Default for Trust {
    /// This machine's own addresses and nothing else.
    fn default() -> Self {
        Self { roots: None, plain: false, dated: true, time: Arc::new(DefaultTimeProvider) }
    }
}

impl Trust {
    /// The roots of a PEM file, and this machine's own addresses.
    ///
    /// # Errors
    ///
    /// Returns [`TrustError`] if the file has no roots in it, or too many.
    pub fn pinned(file: &Path) -> Result<Self, TrustError> {
        let name = file.display().to_string();
        let broken = |source| TrustError::File { file: name.clone(), source };
        let certificates = CertificateDer::pem_file_iter(file).map_err(broken)?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            let added = roots.add(certificate.map_err(broken)?);
            if added.is_err() || roots.len() > ROOTS_MAX {
                return Err(TrustError::Roots { file: name });
            }
        }
        if roots.is_empty() {
            return Err(TrustError::Roots { file: name });
        }
        Ok(Self { roots: Some(Arc::new(roots)), ..Self::default() })
    }

    /// Takes `http` addresses of other machines too: whoever is on the way can read and change
    /// what is said.
    #[must_use]
    pub const fn with_plain_http(mut self, plain: bool) -> Self {
        self.plain = plain;
        self
    }

    /// Certificates must be valid at the time that `time` tells, in place of the system's.
    #[must_use]
    pub fn at(mut self, time: Arc<dyn TimeProvider>) -> Self {
        self.time = time;
        self
    }

    /// Certificates may be of any time. Root, name and signatures are checked as ever, so this is
    /// good for reading what proves itself, and for nothing else.
    #[must_use]
    pub const fn undated(mut self) -> Self {
        self.dated = false;
        self
    }

    /// Whether `http` is good enough for addresses of other machines.
    pub(super) const fn takes_plain_http(&self) -> bool {
        self.plain
    }

    /// What a TLS connection needs; none without a root.
    pub(super) fn config(&self) -> Option<Result<ClientConfig, TlsError>> {
        self.roots.clone().map(|roots| self.build(roots))
    }

    fn build(&self, roots: Arc<RootCertStore>) -> Result<ClientConfig, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_details(provider.clone(), self.time.clone())
            .with_protocol_versions(&[&TLS13])?;
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
            .build()
            .map_err(|error| TlsError::General(error.to_string()))?;
        let mut config = if self.dated {
            builder.with_webpki_verifier(verifier).with_no_client_auth()
        } else {
            let algorithms = provider.signature_verification_algorithms;
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Undated { verifier, algorithms }))
                .with_no_client_auth()
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Every connection checks the certificate anew.
        config.resumption = Resumption::disabled();
        Ok(config)
    }
}

/// Checks all of a certificate chain but its dates.
#[derive(Debug)]
struct Undated {
    verifier: Arc<WebPkiServerVerifier>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Undated {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        mut now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let mut tries = 0;
        // The chain is looked at on a day that it names itself.
        loop {
            let result = self.verifier.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            );
            now = match result {
                Err(TlsError::InvalidCertificate(CertificateError::NotValidYetContext {
                    not_before,
                    ..
                })) => not_before,
                Err(TlsError::InvalidCertificate(CertificateError::ExpiredContext {
                    not_after,
                    ..
                })) => not_after,
                other => return other,
            };
            tries += 1;
            if tries > DATES_MAX {
                return result;
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Err(TlsError::General("only TLS 1.3 is spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
