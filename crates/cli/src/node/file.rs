//! A node's configuration file. Paths in it are relative to the file.

use anyhow::{Context as _, bail};
use duet_ledger::{Genesis, PublicKey, decode_all};
use duet_node::api::Tls;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// The file as it is written; unknown fields are refused.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// The validator's name in the genesis.
    pub(super) name: String,
    /// The genesis of the channel, as hex digits of its canonical bytes.
    pub(super) genesis: PathBuf,
    /// The validator's key: 64 hex digits, readable by its owner alone.
    pub(super) key: PathBuf,
    /// The folder of the chain; one process at a time.
    pub(super) data: PathBuf,
    /// Where other validators connect.
    pub(super) listen: SocketAddr,
    /// Where the API is served.
    pub(super) api: SocketAddr,
    /// The certificate chain that the API shows, in PEM; without it there is no TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tls_cert: Option<PathBuf>,
    /// The key of the certificate, in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tls_key: Option<PathBuf>,
    /// The folder of the built page, if it is to be served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) web: Option<PathBuf>,
    /// The address of every validator of the genesis, this one included, by name.
    pub(super) peers: BTreeMap<String, SocketAddr>,
}

/// What the file and those that it names say.
pub(super) struct NodeFile {
    pub(super) name: String,
    pub(super) genesis: Genesis,
    pub(super) seed: [u8; 32],
    pub(super) data: PathBuf,
    pub(super) listen: SocketAddr,
    pub(super) api: SocketAddr,
    pub(super) tls: Option<Tls>,
    pub(super) web: Option<PathBuf>,
    pub(super) peers: Vec<(PublicKey, SocketAddr)>,
}

impl NodeFile {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let written: Written =
            toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let genesis = read_genesis(&folder.join(&written.genesis))?;
        let seed = read_seed(&folder.join(&written.key))?;
        let known = genesis.validators.iter().find(|v| v.name == written.name);
        let Some(own) = known else {
            bail!("name = {:?}: the genesis has no such validator", written.name);
        };
        if duet_consensus::ValidatorKey::from_seed(seed).public() != *own.key.bytes() {
            bail!("key: it is not the key of {} in the genesis", written.name);
        }
        let mut peers = Vec::new();
        for validator in &genesis.validators {
            let Some(address) = written.peers.get(&validator.name) else {
                bail!("peers: the address of {} is missing", validator.name);
            };
            peers.push((validator.key, *address));
        }
        if let Some(stranger) =
            written.peers.keys().find(|name| genesis.validators.iter().all(|v| v.name != **name))
        {
            bail!("peers.{stranger}: the genesis has no such validator");
        }
        let tls = match (&written.tls_cert, &written.tls_key) {
            (Some(chain), Some(key)) => {
                Some(Tls::read(&folder.join(chain), &folder.join(key)).context("TLS")?)
            }
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => bail!("tls_cert and tls_key: both, or none"),
        };
        Ok(Self {
            name: written.name,
            genesis,
            seed,
            data: folder.join(written.data),
            listen: written.listen,
            api: written.api,
            tls,
            web: written.web.map(|web| folder.join(web)),
            peers,
        })
    }
}

fn read_genesis(path: &Path) -> anyhow::Result<Genesis> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let bytes: duet_sdk::wire::Bytes =
        text.trim().parse().with_context(|| format!("in {}", path.display()))?;
    let genesis: Genesis =
        decode_all(&bytes.0).with_context(|| format!("in {}", path.display()))?;
    genesis.check().with_context(|| format!("in {}", path.display()))?;
    Ok(genesis)
}

fn read_seed(path: &Path) -> anyhow::Result<[u8; 32]> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let seed: duet_sdk::wire::Hex32 =
        text.trim().parse().with_context(|| format!("in {}", path.display()))?;
    Ok(seed.0)
}
