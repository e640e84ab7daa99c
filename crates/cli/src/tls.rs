//! `duet tls`: a root of one's own, and certificates of it for the APIs of nodes.

use crate::{node::write_new, remote::print};
use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use duet_gateway::clock::{Clock as _, SystemClock};
use duet_units::DeliveryDay;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use std::path::{Path, PathBuf};

const ROOT: &str = "tls-root";
/// The longest that a certificate may be valid, in days.
const DAYS_MAX: u16 = 3_650;
/// A root is made for ten years.
const ROOT_YEARS: i32 = 10;
/// Clocks may differ: certificates are valid from this many days before.
const DAYS_BEFORE: i32 = 2;

/// Makes a root, and certificates of it for the APIs of nodes.
#[derive(Debug, Args)]
pub(crate) struct TlsArgs {
    #[command(subcommand)]
    command: TlsCommand,
}

#[derive(Debug, Subcommand)]
enum TlsCommand {
    /// Makes a root: tls-root.pem for whoever connects, and tls-root.key, which is kept offline.
    Root {
        /// The folder of the new files.
        folder: PathBuf,
    },
    /// Makes a certificate of the root in a folder: NAME.pem and NAME.tls.key.
    Server(ServerArgs),
}

#[derive(Debug, Args)]
struct ServerArgs {
    /// The folder of the root and of the new files.
    folder: PathBuf,
    /// The node.
    #[arg(long)]
    name: String,
    /// A host name or an IP address that it is reached at; may be said several times.
    #[arg(long = "host", required = true)]
    hosts: Vec<String>,
    /// For how many days it is valid.
    #[arg(long, default_value_t = 397, value_parser = clap::value_parser!(u16).range(1..=i64::from(DAYS_MAX)))]
    days: u16,
}

pub(crate) fn run(args: &TlsArgs) -> anyhow::Result<()> {
    match &args.command {
        TlsCommand::Root { folder } => {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("making {}", folder.display()))?;
            Root::new_in(folder)?;
            print(&folder.join(format!("{ROOT}.pem")).display().to_string());
        }
        TlsCommand::Server(args) => {
            let ServerArgs { folder, name, hosts, days } = args;
            let root = Root::read(folder)?;
            let (chain, _) = root.valid_for(*days).issue_in(folder, name, hosts)?;
            print(&folder.join(chain).display().to_string());
        }
    }
    Ok(())
}

/// A root of one's own.
pub(crate) struct Root {
    issuer: Issuer<'static, KeyPair>,
    days: u16,
}

impl Root {
    /// Makes a root and its files.
    pub(crate) fn new_in(folder: &Path) -> anyhow::Result<Self> {
        let key = KeyPair::generate().context("a key for the root")?;
        let params = root_params(&key)?;
        let certificate = params.self_signed(&key).context("the root")?;
        write_new(&folder.join(format!("{ROOT}.key")), &key.serialize_pem(), 0o600)?;
        write_new(&folder.join(format!("{ROOT}.pem")), &certificate.pem(), 0o644)?;
        Ok(Self { issuer: Issuer::new(params, key), days: 397 })
    }

    /// The root whose key is in a folder. Its name follows from the key.
    fn read(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join(format!("{ROOT}.key"));
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("reading {}", file.display()))?;
        let key = KeyPair::from_pem(&text).with_context(|| format!("in {}", file.display()))?;
        let params = root_params(&key)?;
        Ok(Self { issuer: Issuer::new(params, key), days: 397 })
    }

    /// The same root, whose next certificates are valid for so many days.
    const fn valid_for(mut self, days: u16) -> Self {
        self.days = days;
        self
    }

    /// Makes a certificate for a node and returns the files' names: chain and key.
    pub(crate) fn issue_in(
        &self,
        folder: &Path,
        name: &str,
        hosts: &[String],
    ) -> anyhow::Result<(PathBuf, PathBuf)> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        ensure!(
            !name.is_empty() && name.chars().all(plain),
            "{name:?}: a name of letters, digits, - and _ is needed"
        );
        let key = KeyPair::generate().context("a key for the node")?;
        let mut params = CertificateParams::new(hosts).with_context(|| hosts.join(", "))?;
        params.distinguished_name.push(DnType::CommonName, name);
        date(&mut params, self.days.into())?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).context("the certificate")?;
        let files = (PathBuf::from(format!("{name}.pem")), format!("{name}.tls.key").into());
        write_new(&folder.join(&files.1), &key.serialize_pem(), 0o600)?;
        write_new(&folder.join(&files.0), &certificate.pem(), 0o644)?;
        Ok(files)
    }
}

fn root_params(key: &KeyPair) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::<String>::new()).context("the root")?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    date(&mut params, ROOT_YEARS * 365)?;
    let id = params.key_identifier(key);
    let id: String = id.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    params.distinguished_name.push(DnType::CommonName, format!("Duet root {id}"));
    Ok(params)
}

/// Makes a certificate valid from a little before today for so many days.
fn date(params: &mut CertificateParams, days: i32) -> anyhow::Result<()> {
    let (year, month, day) = ymd(-DAYS_BEFORE).context("the clock")?;
    params.not_before = date_time_ymd(year, month, day);
    let (year, month, day) = ymd(days).context("the clock")?;
    params.not_after = date_time_ymd(year, month, day);
    Ok(())
}

/// Year, month and day of the day that is so many days from today.
fn ymd(days: i32) -> Option<(i32, u8, u8)> {
    let today = SystemClock.now().day().days();
    let text = DeliveryDay::from_days(today.checked_add(days)?).to_string();
    let mut parts = text.split('-');
    let ymd =
        (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some(ymd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use duet_node::api::Tls;
    use duet_sdk::client::Trust;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("duet-tls-{name}-{}", std::process::id()));
        std::fs::remove_dir_all(&folder).ok();
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_root_that_is_read_again_issues_under_the_same_name() {
        let folder = folder("again");
        let made = Root::new_in(&folder).unwrap();
        let read = Root::read(&folder).unwrap();
        let hosts = ["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        for (root, name) in [(made, "ONE"), (read, "TWO")] {
            let (chain, key) = root.issue_in(&folder, name, &hosts).unwrap();
            assert!(Tls::read(&folder.join(chain), &folder.join(key)).is_ok());
        }
        assert!(Trust::pinned(&folder.join("tls-root.pem")).is_ok());
        assert!(Root::new_in(&folder).is_err(), "a root is kept");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_name_is_no_path_and_a_host_is_a_host() {
        let folder = folder("names");
        let root = Root::new_in(&folder).unwrap();
        for name in ["", "../x", "a/b", "a b"] {
            assert!(root.issue_in(&folder, name, &["localhost".to_owned()]).is_err(), "{name:?}");
        }
        assert!(root.issue_in(&folder, "N", &["\u{e9}".to_owned()]).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
