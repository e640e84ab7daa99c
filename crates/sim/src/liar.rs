//! A validator that cheats when it leads: what is wrong with its block is its [`Misdeed`].

use bytes::Bytes;
use duet_consensus::{Application, Block, Header, Proposal};
use duet_ledger::{
    Action, Body, ChannelId, Encode as _, OrganisationId, PublicKey, Transaction, Unsigned,
    decode_all,
};
use duet_units::Money;
use ed25519_zebra::SigningKey;
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

const YEAR_MS: i64 = 365 * 24 * 3_600_000;
/// The key of nobody in the market.
const STRANGER: [u8; 32] = [7; 32];

/// What a cheating validator puts into its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misdeed {
    /// A deposit in the bank's name that somebody else signed.
    ForgedTransaction,
    /// A final transaction once more.
    Replay,
    /// A state root that is not the one of its checkpoint's height.
    WrongRoot,
    /// A time one year ahead, which would close every gate.
    FarFuture,
    /// A time before that of the parent, which would open a gate again.
    Past,
}

impl Misdeed {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::ForgedTransaction, Self::Replay, Self::WrongRoot, Self::FarFuture, Self::Past];

    /// Whether a block with it can become final: a replay is refused when the block is executed.
    #[must_use]
    pub const fn may_be_final(self) -> bool {
        matches!(self, Self::Replay)
    }
}

impl fmt::Display for Misdeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ForgedTransaction => "a forged transaction",
            Self::Replay => "a final transaction again",
            Self::WrongRoot => "a wrong state root",
            Self::FarFuture => "a time far ahead",
            Self::Past => "a time before the parent's",
        })
    }
}

/// One who cheats, and what it has proposed so far.
#[derive(Clone, Debug)]
pub(crate) struct Liar(Arc<Mutex<Record>>);

#[derive(Debug)]
struct Record {
    misdeed: Misdeed,
    forged: Transaction,
    last_final: Option<Transaction>,
    turns: u64,
    lies: Vec<Proposal>,
}

impl Liar {
    /// One who cheats on `channel`, also in the name of `bank`.
    pub(crate) fn new(misdeed: Misdeed, channel: ChannelId, bank: PublicKey) -> Self {
        let gift = Action::Deposit {
            organisation: OrganisationId(0),
            amount: Money::from_fen(1_000_000),
            reference: u64::MAX,
        };
        let forged = Unsigned { channel, signer: bank, nonce: 1 << 40, action: gift };
        let forged = forged.sign(&SigningKey::from(STRANGER));
        let record = Record { misdeed, forged, last_final: None, turns: 0, lies: Vec::new() };
        Self(Arc::new(Mutex::new(record)))
    }

    /// How many wrong blocks it has proposed.
    pub(crate) fn lies(&self) -> usize {
        self.record().lies.len()
    }

    /// Those that must never become final.
    pub(crate) fn refused(&self) -> Vec<Proposal> {
        let record = self.record();
        if record.misdeed.may_be_final() { Vec::new() } else { record.lies.clone() }
    }

    /// Turns every second proposal into a lie.
    fn corrupt(&self, mut proposal: Proposal, parent: &Header) -> Proposal {
        let mut record = self.record();
        record.turns += 1;
        if record.turns % 2 == 1 {
            return proposal;
        }
        match record.misdeed {
            Misdeed::ForgedTransaction => append(&mut proposal, &record.forged),
            Misdeed::Replay => {
                let Some(last) = &record.last_final else { return proposal };
                append(&mut proposal, last);
            }
            Misdeed::WrongRoot => proposal.checkpoint.state_root[0] ^= 1,
            Misdeed::FarFuture => proposal.time_ms += YEAR_MS,
            Misdeed::Past => proposal.time_ms = parent.time_ms - 1,
        }
        record.lies.push(proposal.clone());
        proposal
    }

    fn remember(&self, block: &Block) {
        if let Ok(body) = decode_all::<Body>(&block.body)
            && let Some(last) = body.transactions.into_iter().next_back()
        {
            self.record().last_final = Some(last);
        }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn append(proposal: &mut Proposal, transaction: &Transaction) {
    let mut body = decode_all::<Body>(&proposal.body).unwrap_or_default();
    body.transactions.push(transaction.clone());
    proposal.body = body.to_bytes().into();
}

/// The application of any validator: honest, but for the one who cheats.
#[derive(Clone)]
pub(crate) struct Suspect<A> {
    pub(crate) honest: A,
    pub(crate) liar: Option<Liar>,
}

impl<A: Application> Application for Suspect<A> {
    fn durable_height(&self) -> u64 {
        self.honest.durable_height()
    }

    async fn propose(&mut self, parent: &Header, pending: &[Block]) -> Option<Proposal> {
        let proposal = self.honest.propose(parent, pending).await?;
        Some(match &self.liar {
            Some(liar) => liar.corrupt(proposal, parent),
            None => proposal,
        })
    }

    async fn verify(&mut self, block: &Block, parent: &Header) -> bool {
        self.honest.verify(block, parent).await
    }

    async fn finalized(&mut self, block: Block) {
        if let Some(liar) = &self.liar {
            liar.remember(&block);
        }
        self.honest.finalized(block).await;
    }

    fn heard(&self, messages: Vec<Bytes>) {
        self.honest.heard(messages);
    }
}
