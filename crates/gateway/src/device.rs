//! The device's key: made on the device, enrolled by its owner, never sent anywhere.

use std::fmt;
use std::path::Path;

use duet_ledger::{ChannelId, PublicKey};
use duet_sdk::sign::{KeyError, MemberKey};
use ed25519_zebra::SigningKey;

/// The key of a device, for the transactions and the batches that it signs.
#[derive(Clone)]
pub struct Device {
    member: MemberKey,
    signing: SigningKey,
    channel: ChannelId,
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Device").field(&self.public()).finish()
    }
}

impl Device {
    /// The device with this seed, on this channel.
    #[must_use]
    pub fn from_seed(seed: [u8; 32], channel: ChannelId) -> Self {
        let (member, signing) = (MemberKey::from_seed(seed), SigningKey::from(seed));
        Self { member, signing, channel }
    }

    /// Reads the key file of the device, as `duet-gateway key` writes it.
    ///
    /// # Errors
    ///
    /// Returns [`KeyError`] if the file cannot be read, is open to others, or holds no seed.
    pub fn read(path: &Path, channel: ChannelId) -> Result<Self, KeyError> {
        // Checks the file's mode and form; the seed itself is not given out by the SDK.
        MemberKey::read(path)?;
        let text = std::fs::read_to_string(path)
            .map_err(|source| KeyError::File { path: path.to_owned(), source })?;
        let mut seed = [0; 32];
        hex::decode_to_slice(text.trim(), &mut seed)
            .map_err(|_| KeyError::NotASeed(path.to_owned()))?;
        Ok(Self::from_seed(seed, channel))
    }

    /// The public key, by which the ledger knows the device.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.member.public()
    }

    /// The channel that it reports to.
    #[must_use]
    pub const fn channel(&self) -> &ChannelId {
        &self.channel
    }

    /// The key, for transactions.
    #[must_use]
    pub const fn member(&self) -> &MemberKey {
        &self.member
    }

    /// Signs bytes that begin with a domain of their own.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message).into()
    }
}
