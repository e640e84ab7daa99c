//! A member's key, and the transactions that it signs.

use duet_ledger::{Action, ChannelId, PublicKey, Transaction, Unsigned};
use ed25519_zebra::{SigningKey, VerificationKey};
use std::{
    fmt, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("key file {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is not 64 hex digits.
    #[error("key file {0} is not a 32-byte seed in hex")]
    NotASeed(PathBuf),
    /// Others on the machine can read the key.
    #[error("key file {path} is open to others (mode {mode:03o}); run chmod 600 on it")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes: {0}")]
    Random(String),
}

/// The Ed25519 key of a member. It is never printed.
#[derive(Clone)]
pub struct MemberKey {
    signing: SigningKey,
}

impl fmt::Debug for MemberKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MemberKey").field(&self.public()).finish()
    }
}

impl MemberKey {
    /// The key of a seed (RFC 8032, section 5.1.5).
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self { signing: SigningKey::from(seed) }
    }

    /// A new key from the system's randomness.
    ///
    /// # Errors
    ///
    /// Returns [`KeyError::Random`] if the system has none.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| KeyError::Random(error.to_string()))?;
        Ok(Self::from_seed(seed))
    }

    /// Reads a key file: the seed as 64 hex digits, readable by its owner alone.
    ///
    /// # Errors
    ///
    /// Returns [`KeyError`] if the file cannot be read, is open to others, or holds no seed.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        check_mode(path)?;
        let text = fs::read_to_string(path).map_err(|source| file_error(path, source))?;
        let mut seed = [0; 32];
        hex::decode_to_slice(text.trim(), &mut seed)
            .map_err(|_| KeyError::NotASeed(path.to_owned()))?;
        Ok(Self::from_seed(seed))
    }

    /// Writes the seed into a new file that only its owner can read.
    ///
    /// # Errors
    ///
    /// Returns [`KeyError::File`] if the file exists or cannot be written.
    pub fn write_new(&self, path: &Path) -> Result<(), KeyError> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let seed: [u8; 32] = self.signing.into();
        let text = format!("{}\n", hex::encode(seed));
        options
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .map_err(|source| file_error(path, source))
    }

    /// The public key, by which the ledger knows the member.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey::from_bytes(VerificationKey::from(&self.signing).into())
    }

    /// Signs what is asked for. `nonce` must be above the last one that the key used on the
    /// channel, else the ledger refuses the transaction.
    #[must_use]
    pub fn sign(&self, channel: ChannelId, nonce: u64, action: Action) -> Transaction {
        Unsigned { channel, signer: self.public(), nonce, action }.sign(&self.signing)
    }
}

fn file_error(path: &Path, source: io::Error) -> KeyError {
    KeyError::File { path: path.to_owned(), source }
}

#[cfg(unix)]
fn check_mode(path: &Path) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = fs::metadata(path).map_err(|source| file_error(path, source))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeyError::Exposed { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
const fn check_mode(_: &Path) -> Result<(), KeyError> {
    Ok(())
}
