//! What the commands that talk to a node share: where it is, who signs, how to answer.

use clap::Args;
use duet_ledger::Action;
use duet_sdk::{
    client::{Client, ClientError, Trust, TrustError},
    sign::{KeyError, MemberKey},
    wire::{self, Page, Receipt, Submitted},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// What a node must show.
#[derive(Clone, Debug, Args)]
pub(crate) struct Pin {
    /// The root that an https address must show a certificate of, in PEM; no other is trusted.
    #[arg(long, value_name = "FILE", env = "DUET_TLS_ROOT")]
    tls_root: Option<PathBuf>,
    /// Take an http address of another machine: whoever is on the way can read and change what is
    /// said.
    #[arg(long)]
    plain_http: bool,
}

/// Where the node is, and what it must show.
#[derive(Clone, Debug, Args)]
pub(crate) struct Address {
    /// The node's API.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    #[command(flatten)]
    pin: Pin,
}

/// Where the node is, and how to answer.
#[derive(Clone, Debug, Args)]
pub(crate) struct Remote {
    #[command(flatten)]
    address: Address,
    /// Answer in JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Who signs, and how long to wait.
#[derive(Clone, Debug, Args)]
pub(crate) struct Signer {
    /// The key file of the member who signs.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Wait at most this long for the final receipt; 0 does not wait.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=60))]
    pub(crate) wait: u64,
}

/// Who signs, and where to.
#[derive(Clone, Debug, Args)]
pub(crate) struct Ends {
    #[command(flatten)]
    pub(crate) signer: Signer,
    #[command(flatten)]
    pub(crate) remote: Remote,
}

/// Why a command did not do what it was asked; each has its exit code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// 1: the ledger refused.
    #[error("refused: {}", refusal(.0))]
    Refused(Receipt),
    /// 1: a proof does not hold.
    #[error("the proof does not hold")]
    NotProved(#[from] duet_sdk::proof::ProofError),
    /// 1: a sealed book does not come to the result that it says.
    #[error("the sealed book does not hold")]
    NotReplayed,
    /// 2: the command makes no sense as given.
    #[error("{0}")]
    Usage(String),
    /// 2: the key file is of no use.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// 2: the pinned root is of no use.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// 1 if the node refused, 2 if its address is not to be trusted, 3 if it did not answer.
    #[error(transparent)]
    Node(#[from] ClientError),
}

fn refusal(receipt: &Receipt) -> String {
    let code = receipt.code.as_deref().unwrap_or("unknown");
    format!("{code}: {}", receipt.rule.as_deref().unwrap_or_default())
}

impl Failure {
    /// The exit code, for scripts.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Refused(_)
            | Self::NotProved(_)
            | Self::NotReplayed
            | Self::Node(ClientError::Refused(_)) => 1,
            Self::Usage(_)
            | Self::Key(_)
            | Self::Trust(_)
            | Self::Node(ClientError::Address { .. }) => 2,
            Self::Node(ClientError::Unreachable { .. } | ClientError::NotTheApi { .. }) => 3,
        })
    }
}

impl Pin {
    /// A client of the node at `url`.
    pub(crate) fn client(&self, url: &str) -> Result<Client, Failure> {
        let trust = match &self.tls_root {
            Some(file) => Trust::pinned(file)?,
            None => Trust::default(),
        };
        Client::trusting(url, &trust.with_plain_http(self.plain_http)).map_err(|error| {
            let advice = "--tls-root FILE pins a root, --plain-http does without TLS";
            Failure::Usage(format!("{error} ({advice})"))
        })
    }
}

impl Address {
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        self.pin.client(&self.url)
    }
}

/// All rows of a list: `page` gives the page behind the row that it is told.
pub(crate) async fn all_pages<T>(
    page: impl AsyncFn(Option<u64>) -> Result<Page<T>, ClientError>,
) -> Result<Vec<T>, Failure> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = page(after).await?;
        rows.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(rows);
        }
    }
}

impl Remote {
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        self.address.client()
    }

    /// Shows `answer` as JSON, or as the text that `text` makes of it.
    pub(crate) fn show<T: Serialize>(
        &self,
        answer: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        let shown = if self.json { json(answer) } else { text(answer) };
        print(&shown);
        Ok(())
    }
}

impl Signer {
    pub(crate) fn read(&self) -> Result<MemberKey, Failure> {
        read_key(&self.key)
    }

    /// Signs `action` with the next nonce, submits it and waits; a refusal is a [`Failure`].
    pub(crate) async fn submit(
        &self,
        client: &Client,
        action: Action,
    ) -> Result<Submitted, Failure> {
        let key = self.read()?;
        let channel = client.channel().await?.channel.0;
        let identity = client.identity(key.public().into()).await?;
        let transaction = key.sign(channel, identity.last_nonce.saturating_add(1), action);
        let answer = client.submit(&transaction, Duration::from_secs(self.wait)).await?;
        match answer.receipt {
            Some(receipt) if !receipt.accepted => Err(Failure::Refused(receipt)),
            _ => Ok(answer),
        }
    }
}

impl Ends {
    /// Signs `action`, submits it, waits, and says in one line what came of it.
    pub(crate) async fn submit(&self, what: &str, action: wire::Action) -> Result<(), Failure> {
        let answer = self.signer.submit(&self.remote.client()?, action.into()).await?;
        self.remote.show(&answer, |answer| submitted(what, answer))
    }
}

pub(crate) fn read_key(path: &Path) -> Result<MemberKey, Failure> {
    Ok(MemberKey::read(path)?)
}

/// Reads a file whose form the command lays down.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let wrong =
        |error: &dyn std::fmt::Display| Failure::Usage(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    serde_json::from_str(&text).map_err(|error| wrong(&error))
}

/// Runs `work` on a runtime of this thread alone.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(work)?)
}

/// What came of a submission, in one line.
pub(crate) fn submitted(what: &str, answer: &Submitted) -> String {
    let hash = answer.transaction;
    match &answer.receipt {
        Some(receipt) => format!(
            "{what} {}: final in block {} at place {} (transaction {hash})",
            receipt.subject, receipt.height, receipt.index
        ),
        None => format!("{what}: taken, not final yet (transaction {hash})"),
    }
}

pub(crate) fn json<T: Serialize>(answer: &T) -> String {
    // The wire shapes have string keys only, so this cannot fail.
    serde_json::to_string_pretty(answer).unwrap_or_default()
}

/// The name of a case in JSON; of one with fields, its kind.
pub(crate) fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(fields) => fields["kind"].as_str().unwrap_or_default().to_owned(),
        Err(_) => String::new(),
    }
}

/// Writes to standard output; a reader that has gone away is no fault.
pub(crate) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").ok();
}

/// Rows under a head, each column as wide as its widest cell; numbers to the right.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = head
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).fold(name.len(), usize::max)
        })
        .collect();
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || b".-".contains(&byte));
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| {
            if number(cell) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head: Vec<String> = head.iter().map(|name| (*name).to_owned()).collect();
    let lines = std::iter::once(line(&head)).chain(rows.iter().map(|row| line(row)));
    lines.collect::<Vec<_>>().join("\n")
}

/// A price in yuan/MWh with its three decimals.
pub(crate) fn yuan_per_mwh(milli: i64) -> String {
    let sign = if milli < 0 { "-" } else { "" };
    let milli = milli.unsigned_abs();
    format!("{sign}{}.{:03}", milli / 1_000, milli % 1_000)
}

/// An amount in yuan with its two decimals.
pub(crate) fn yuan(fen: i128) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

/// Reads a price in yuan/MWh, with at most the three decimals that the market has.
pub(crate) fn parse_price(text: &str) -> Result<i64, String> {
    let refused = || format!("{text:?} is not a price in yuan/MWh with at most three decimals");
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(fraction) || fraction.len() > 3 {
        return Err(refused());
    }
    let milli = format!("{fraction:0<3}").parse::<i64>().map_err(|_| refused())?;
    whole
        .parse::<i64>()
        .ok()
        .and_then(|whole| whole.checked_mul(1_000)?.checked_add(milli)?.checked_mul(sign))
        .ok_or_else(refused)
}

/// Reads an amount in yuan with at most two decimals, in fen.
pub(crate) fn parse_yuan(text: &str) -> Result<i64, String> {
    let refused = || format!("{text:?} is not an amount in yuan with at most two decimals");
    let milli = parse_price(text).map_err(|_| refused())?;
    if milli % 10 == 0 { Ok(milli / 10) } else { Err(refused()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_exactly_or_not_at_all() {
        for (text, milli) in
            [("367.5", 367_500), ("0", 0), ("-12.001", -12_001), ("1500", 1_500_000)]
        {
            assert_eq!(parse_price(text), Ok(milli), "{text}");
        }
        for text in ["", ".5", "5.", "1.2345", "1e3", "+1", "--1", "1,5", "9223372036854775807"] {
            assert!(parse_price(text).is_err(), "{text}");
        }
        assert_eq!(yuan_per_mwh(-12_001), "-12.001");
        assert_eq!(yuan(-5), "-0.05");
    }

    #[test]
    fn amounts_have_two_decimals() {
        assert_eq!(parse_yuan("97.49"), Ok(9_749));
        assert_eq!(parse_yuan("-5"), Ok(-500));
        for text in ["4.505", "x", ""] {
            assert!(parse_yuan(text).is_err(), "{text}");
        }
    }

    #[test]
    fn cases_are_named_with_and_without_fields() {
        assert_eq!(name(&wire::Side::Buy), "buy");
        assert_eq!(name(&wire::Mode::Uniform { k1_bp: 1 }), "uniform");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = vec![vec!["7".to_owned(), "sell".to_owned()], vec!["12".to_owned()]];
        assert_eq!(table(&["no", "side"], &rows), "no  side\n 7  sell\n12");
    }
}
