//! The four validators of a run, and the places at which the world reaches them.

use crate::{
    liar::{Liar, Suspect},
    market::Market,
    plan::VALIDATORS,
};
use commonware_runtime::{Supervisor as _, deterministic::Context};
use duet_consensus::{Application, Mailbox, ValidatorKey};
use duet_node::{Clock, Handle, NodeConfig, Prepared, prepare};
use duet_world::{Founding, Nodes, WorldClock};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The validator that cheats, if one does: the last.
const LIAR: usize = VALIDATORS - 1;

/// The validators. Clones are the same cluster.
#[derive(Clone)]
pub(crate) struct Cluster {
    market: Market,
    pub(crate) time: WorldClock,
    liar: Option<Liar>,
    board: Arc<Mutex<Board>>,
}

#[derive(Default)]
struct Board {
    /// Nodes whose engine is about to start.
    prepared: Vec<(usize, Prepared)>,
    /// Those that are up, until all are.
    up: Vec<(usize, Handle)>,
    /// All of them, once they were up together.
    nodes: Option<Nodes>,
    /// The heights that restarted validators found on their disks.
    recovered: Vec<u64>,
    /// The run is over: nothing of the runtime may be held any more.
    closed: bool,
}

impl Cluster {
    pub(crate) fn new(market: Market, liar: Option<Liar>) -> Self {
        let time = WorldClock::at(market.genesis().time);
        Self { market, time, liar, board: Arc::default() }
    }

    /// The validators' keys in the order of the genesis.
    pub(crate) fn keys(&self) -> Vec<ValidatorKey> {
        let seeds = self.market.genesis().validators.iter().map(|v| &v.name);
        seeds.map(|name| ValidatorKey::from_seed(Founding::validator_seed(name))).collect()
    }

    pub(crate) fn config(&self, index: usize) -> NodeConfig {
        let genesis = self.market.genesis();
        NodeConfig::new(&genesis.validators[index].name, genesis.clone())
    }

    pub(crate) fn clock(&self, context: &Context) -> Clock {
        let time = self.time.clone();
        Clock::new(context.child("clock"), move || time.now())
    }

    /// Prepares a validator, at the start and after each crash, and returns its application.
    pub(crate) async fn build(self, context: Context, index: usize) -> impl Application {
        if let Some(nodes) = self.nodes() {
            // Handles outlive a crash. What they hold of the old process must not.
            nodes.at(index).close().await;
        }
        let clock = self.clock(&context);
        let node = prepare(&context, &self.config(index), clock).await;
        let node = node.unwrap_or_else(|error| panic!("validator {index}: {error}"));
        let honest = node.application();
        let mut board = self.board();
        if board.nodes.is_some() {
            board.recovered.push(honest.durable_height());
        }
        board.prepared.push((index, node));
        drop(board);
        Suspect { honest, liar: self.liar.filter(|_| index == LIAR) }
    }

    /// Notes that the engine of a validator is up.
    pub(crate) fn started(&self, index: usize, mailbox: Mailbox) {
        let mut board = self.board();
        let place = board.prepared.iter().position(|(prepared, _)| *prepared == index);
        let (_, node) = board.prepared.remove(place.expect("a node is prepared before it starts"));
        if board.closed {
            return;
        }
        let handle = node.handle(mailbox);
        if let Some(nodes) = &board.nodes {
            nodes.replace(index, handle);
            return;
        }
        board.up.push((index, handle));
        if board.up.len() == VALIDATORS {
            let mut up = std::mem::take(&mut board.up);
            up.sort_by_key(|(index, _)| *index);
            let handles: Vec<_> = up.into_iter().map(|(_, handle)| handle).collect();
            board.nodes = Some(handles.into());
        }
    }

    /// The places of the validators, once all are up.
    pub(crate) fn nodes(&self) -> Option<Nodes> {
        self.board().nodes.clone()
    }

    /// Lets go of all validators.
    pub(crate) fn close(&self) {
        let mut board = self.board();
        board.closed = true;
        board.nodes = None;
    }

    /// The heights that restarted validators found on their disks.
    pub(crate) fn recovered(&self) -> Vec<u64> {
        self.board().recovered.clone()
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
