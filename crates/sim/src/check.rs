//! What must hold when a day has ended, whatever went wrong during it.

use crate::{failure::Failure, liar::Liar};
use duet_consensus::Proposal;
use duet_ledger::{Digest, State};
use duet_node::{BlockView, Handle};
use duet_world::{DayReport, Tally};
use std::collections::BTreeMap;

/// What a walk over the chain found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Walk {
    /// The height up to which all validators were compared.
    pub(crate) height: u64,
    /// Transactions that came again after they were final, and were refused.
    pub(crate) replays_refused: u64,
}

/// Agreement, conservation and permanence over all blocks up to the height of `report`.
pub(crate) async fn check(
    nodes: &[Handle],
    (report, tally): (&DayReport, &Tally),
    liar: Option<&Liar>,
) -> Result<Walk, Failure> {
    let height = report.validators.iter().map(|validator| validator.height).min().unwrap_or(0);
    let first = &nodes[0];
    let lies = liar.map(Liar::refused).unwrap_or_default();
    let mut walk = Walker { node: first, lies: &lies, seen: BTreeMap::new(), time_ms: i64::MIN };
    for height in 1..=height {
        let digest = walk.step(height).await?;
        for node in nodes {
            let other = node.mailbox().block(height).await.map(|block| block.digest());
            agree(node, "block", height, Some(digest) == other)?;
            let roots = |node: &Handle| (node.state_root_at(height), node.receipts_root_at(height));
            let same = roots(first).0.is_some() && roots(first) == roots(node);
            agree(node, "state or the receipts", height, same)?;
        }
    }
    for node in nodes {
        conserved(node)?;
        permanent(first, node, tally)?;
    }
    add_up(first, report)?;
    let replays_refused = walk.seen.values().map(|times| times.saturating_sub(1)).sum();
    Ok(Walk { height, replays_refused })
}

/// Goes over the blocks of the first validator in order.
struct Walker<'a> {
    node: &'a Handle,
    lies: &'a [Proposal],
    /// How often a transaction is on the chain.
    seen: BTreeMap<Digest, u64>,
    time_ms: i64,
}

impl Walker<'_> {
    async fn step(&mut self, height: u64) -> Result<[u8; 32], Failure> {
        let view = self.node.block(height).await;
        let BlockView { block, body, receipts } =
            view.ok_or_else(|| self.broken("every block is kept", height))?;
        let header = block.header;
        self.rule("time never goes back", height, self.time_ms <= header.time_ms)?;
        self.time_ms = header.time_ms;
        let is = |lie: &Proposal| {
            (lie.time_ms, lie.checkpoint, &lie.body)
                == (header.time_ms, header.checkpoint, &block.body)
        };
        self.rule("no lie is agreed on", height, !self.lies.iter().any(is))?;
        let checkpoint = header.checkpoint;
        if 0 < checkpoint.height {
            let truth = self.node.state_root_at(checkpoint.height);
            self.rule("headers carry true roots", height, truth == Some(checkpoint.state_root))?;
        }
        self.rule("each has a receipt", height, body.transactions.len() == receipts.len())?;
        for (transaction, receipt) in body.transactions.iter().zip(&receipts) {
            self.rule("all is signed", height, transaction.signature_is_valid())?;
            let times = self.seen.entry(*transaction.hash()).or_default();
            *times += 1;
            let acted_again = 1 < *times && receipt.is_accepted();
            self.rule("a transaction acts once", height, !acted_again)?;
        }
        Ok(block.digest())
    }

    fn rule(&self, rule: &'static str, height: u64, holds: bool) -> Result<(), Failure> {
        if holds { Ok(()) } else { Err(self.broken(rule, height)) }
    }

    fn broken(&self, rule: &'static str, height: u64) -> Failure {
        Failure::Broken { rule, height, validator: self.node.status().name }
    }
}

fn agree(node: &Handle, what: &'static str, height: u64, same: bool) -> Result<(), Failure> {
    if same {
        return Ok(());
    }
    Err(Failure::Disagreement { validator: node.status().name, what, height })
}

/// Money, allowances and certificates are conserved.
fn conserved(node: &Handle) -> Result<(), Failure> {
    let (height, totals) = node.read(|state| (state.height(), state.totals()));
    let rules = totals.map_or([("every sum fits", false); 3], |totals| {
        [
            ("money sums to zero", totals.money.is_zero()),
            ("allowances held are those allocated", totals.held == totals.allocated),
            (
                "certificates held are those issued",
                totals.certificates_held == totals.certificates_issued,
            ),
        ]
    });
    all_hold(node, height, &rules)
}

/// What one validator called final, every validator has, at the same place.
fn permanent(first: &Handle, node: &Handle, tally: &Tally) -> Result<(), Failure> {
    for hash in &tally.transactions {
        let receipt = node.receipt(hash);
        if receipt.is_none() || receipt != first.receipt(hash) {
            return Err(Failure::Forgotten { validator: node.status().name });
        }
    }
    Ok(())
}

/// The day is whole: orders end once, and an outsider is convinced of every receipt.
fn add_up(node: &Handle, report: &DayReport) -> Result<(), Failure> {
    let orders = &report.orders;
    let ended = orders.filled + orders.cancelled + orders.expired + orders.open;
    let rules = [
        ("accepted + rejected = submitted", orders.accepted + orders.rejected == orders.submitted),
        ("every accepted order ends once", ended == orders.accepted && orders.open == 0),
        ("every receipt can be proved", report.receipts == report.receipts_verified),
        ("energy was traded and metered", 0 < report.stage1.volume_kwh && 0 < report.metered_kwh),
    ];
    all_hold(node, node.read(State::height), &rules)
}

fn all_hold(node: &Handle, height: u64, rules: &[(&'static str, bool)]) -> Result<(), Failure> {
    match rules.iter().find(|(_, holds)| !holds) {
        None => Ok(()),
        Some((rule, _)) => Err(Failure::Broken { rule, height, validator: node.status().name }),
    }
}
