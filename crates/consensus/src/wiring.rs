//! Wires one validator: dissemination, backfill, archives, ordered delivery, agreement.

use crate::{
    application::{Adapter, Application},
    block::{Block, Context},
    config::{
        BLOCK_BYTES_CEILING, BLOCKS_BUFFERED_PER_PEER, BLOCKS_REPAIRED_AT_ONCE,
        BLOCKS_UNACKNOWLEDGED_MAX, BlockLimit, Config, MAILBOX, Scheme, VIEWS_RETAINED,
    },
    delivery::delivery,
    engine::{Network, StartError},
    gossip,
    key::{ValidatorKey, committee},
    mailbox::Mailbox,
};
use commonware_broadcast::buffered;
use commonware_consensus::{
    CertifiableAutomaton, Relay, Reporter,
    marshal::{
        self,
        core::Actor as Marshal,
        resolver::p2p as resolver,
        standard::{Inline, Standard},
    },
    simplex::{self, ForwardPolicy, SkipBudget, SkipPolicy, elector::RoundRobin, types::Activity},
    types::{Epoch, FixedEpocher, ViewDelta},
};
use commonware_cryptography::{
    Digested, Digestible as _, Sha256, Signer as _,
    certificate::{Provider as SchemeProvider, Scoped, Verifier as _},
    ed25519::PublicKey,
    sha256::Digest,
};
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::{
    Clock, Handle as Task, Metrics, Spawner, Storage,
    buffer::paged::{CacheRef, page_size},
};
use commonware_storage::{archive::prunable, translator::EightCap};
use commonware_utils::{NZDuration, NZU64, NZUsize, NonZeroDuration, ordered::Set};
use rand_core::CryptoRng;
use std::{
    num::{NonZeroU64, NonZeroUsize},
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

/// Pages of 4 KiB that journals and archives of one validator keep in memory: 8 MiB.
const CACHE_PAGES: NonZeroUsize = NZUsize!(2048);
/// Bytes that a journal gathers before it writes, and reads ahead at start. Small values (votes,
/// keys) and blocks.
const WRITE_BUFFER_SMALL: NonZeroUsize = NZUsize!(64 * 1024);
const WRITE_BUFFER_BLOCKS: NonZeroUsize = NZUsize!(1024 * 1024);
const REPLAY_BUFFER: NonZeroUsize = NZUsize!(1024 * 1024);
/// Blocks per file of the archives, and of the cache of candidates.
const BLOCKS_PER_FILE: NonZeroU64 = NZU64!(256);
const CANDIDATES_PER_FILE: NonZeroU64 = NZU64!(64);
/// Between two requests for the same missing block or certificate.
const FETCH_RETRY: Duration = Duration::from_millis(100);
/// One committee for the whole chain so far. A change of committee is a shorter epoch, the next
/// entry of `Committees`, and one more simplex engine; certificates already name their epoch.
const EPOCH_BLOCKS: NonZeroU64 = NonZeroU64::MAX;

/// Who signs in an epoch.
#[derive(Clone)]
struct Committees {
    first: Arc<Scheme>,
}

impl SchemeProvider for Committees {
    type Scope = Epoch;
    type Scheme = Scheme;

    fn scoped(&self, epoch: Epoch) -> Option<Scoped<Scheme>> {
        self.scheme(epoch).map(Scoped::scheme)
    }

    fn scheme(&self, epoch: Epoch) -> Option<Arc<Scheme>> {
        (epoch == Epoch::zero()).then(|| self.first.clone())
    }
}

/// What the parts of one validator share.
pub(crate) struct Wiring {
    config: Config,
    me: PublicKey,
    committees: Committees,
    page_cache: CacheRef,
}

impl Wiring {
    pub(crate) fn new(config: Config, key: &ValidatorKey) -> Result<Self, StartError> {
        if !(1..=BLOCK_BYTES_CEILING).contains(&config.block_bytes_max) {
            return Err(StartError::BlockLimit(config.block_bytes_max));
        }
        let key = key.private_key();
        let me = key.public_key();
        let committee: Set<PublicKey> = committee(&config.committee)?;
        let scheme = Scheme::signer(&config.namespace, committee.clone(), key)
            .unwrap_or_else(|| Scheme::verifier(&config.namespace, committee));
        let committees = Committees { first: Arc::new(scheme) };
        let page_cache = CacheRef::new(page_size(4096), CACHE_PAGES);
        Ok(Self { config, me, committees, page_cache })
    }

    fn limit(&self) -> BlockLimit {
        BlockLimit(self.config.block_bytes_max)
    }

    /// Starts all actors; the side of the application first, so that agreement finds it ready.
    pub(crate) async fn start<E, A, B, P, S, R>(
        self,
        context: &E,
        application: A,
        network: Network<B, P, S, R>,
    ) -> Result<(Mailbox, Vec<Task<()>>), StartError>
    where
        E: Clock + CryptoRng + Metrics + Spawner + Storage,
        A: Application,
        B: Blocker<PublicKey = PublicKey>,
        P: Provider<PublicKey = PublicKey>,
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
    {
        let Network { blocker, peers, channels } = network;
        let [votes, certificates, vote_requests, block_requests, blocks, messages] = channels;
        let (delivery, queue) = delivery();

        let (broadcast, buffer) =
            buffered::Engine::new(context.child("broadcast"), self.broadcast(peers.clone()));
        let backfill = resolver::init(
            context.child("backfill"),
            self.backfill(peers, blocker.clone()),
            block_requests,
        );
        let finalizations = prunable::Archive::init(
            context.child("finalizations"),
            self.archive("finalizations", Scheme::certificate_codec_config_unbounded()),
        )
        .await
        .map_err(|source| StartError::Archive { archive: "finalizations", source })?;
        let final_blocks =
            prunable::Archive::init(context.child("blocks"), self.archive("blocks", self.limit()))
                .await
                .map_err(|source| StartError::Archive { archive: "blocks", source })?;
        let genesis = Block::genesis(self.config.genesis).digested();
        let genesis_digest = genesis.digest();
        let (marshal, mailbox, floor) = Marshal::<_, Standard<Block>, _, _, _, _, _>::init(
            context.child("marshal"),
            finalizations,
            final_blocks,
            self.marshal(genesis),
        )
        .await;

        let (outbox, outgoing) = gossip::outbox();
        let mailbox = Mailbox(mailbox, outbox);
        let processed = floor.processed().map_or(0, |processed| processed.height().get());
        let replayed_from = application.durable_height().min(processed);
        let delivered = Arc::new(AtomicU64::new(replayed_from));
        let adapter = Adapter {
            application: application.clone(),
            delivered: delivered.clone(),
            block_bytes_max: self.config.block_bytes_max,
        };
        // A block is judged before it is voted for, not after: a validator that is behind waits with
        // its verdict, and a block that half of the others wait for must not be notarized. Else one
        // half votes to finalize, the other to nullify, and neither has a quorum, for ever.
        let automaton = Inline::new(
            context.child("application"),
            adapter,
            mailbox.0.clone(),
            FixedEpocher::new(EPOCH_BLOCKS),
        );
        let (sender, receiver) = messages;
        let listener = application.clone();
        let mut tasks = vec![
            context.child("gossip").spawn(move |clock| gossip::send(clock, outgoing, sender)),
            context.child("hearing").spawn(move |_| gossip::receive(listener, receiver)),
            context.child("delivery").spawn({
                let mailbox = mailbox.clone();
                move |_| queue.deliver(application, delivered, (mailbox, processed))
            }),
            broadcast.start(blocks),
            marshal.start(delivery, buffer, backfill),
        ];
        let engine = simplex::Engine::new(
            context.child("simplex"),
            self.simplex(automaton, blocker, genesis_digest),
        );
        tasks.push(engine.start(votes, certificates, vote_requests));
        Ok((mailbox, tasks))
    }

    fn broadcast<P: Provider<PublicKey = PublicKey>>(
        &self,
        peers: P,
    ) -> buffered::Config<PublicKey, BlockLimit, P, Sequential> {
        buffered::Config {
            public_key: self.me.clone(),
            mailbox_size: MAILBOX,
            deque_size: BLOCKS_BUFFERED_PER_PEER,
            priority: true,
            codec_config: self.limit(),
            peer_provider: peers,
            strategy: Sequential,
        }
    }

    fn backfill<P, B>(&self, peers: P, blocker: B) -> resolver::Config<PublicKey, P, B>
    where
        P: Provider<PublicKey = PublicKey>,
        B: Blocker<PublicKey = PublicKey>,
    {
        resolver::Config {
            public_key: self.me.clone(),
            peer_provider: peers,
            blocker,
            mailbox_size: MAILBOX,
            fetch_timeout: self.fetch_timeout(),
            fetch_retry_delay: FETCH_RETRY,
            priority_requests: false,
            priority_responses: false,
        }
    }

    fn archive<C>(&self, name: &str, codec_config: C) -> prunable::Config<EightCap, C> {
        let prefix = &self.config.storage_prefix;
        prunable::Config {
            translator: EightCap,
            metadata_partition: format!("{prefix}-{name}-metadata"),
            key_partition: format!("{prefix}-{name}-key"),
            key_page_cache: self.page_cache.clone(),
            value_partition: format!("{prefix}-{name}-value"),
            compression: None,
            codec_config,
            items_per_section: BLOCKS_PER_FILE,
            key_write_buffer: WRITE_BUFFER_SMALL,
            value_write_buffer: WRITE_BUFFER_BLOCKS,
            replay_buffer: REPLAY_BUFFER,
        }
    }

    fn marshal(
        &self,
        genesis: Digested<Block>,
    ) -> marshal::Config<Committees, FixedEpocher, Sequential, Block, Digested<Block>> {
        marshal::Config {
            provider: self.committees.clone(),
            epocher: FixedEpocher::new(EPOCH_BLOCKS),
            start: marshal::Start::Genesis(genesis),
            partition_prefix: self.config.storage_prefix.clone(),
            mailbox_size: MAILBOX,
            view_retention: ViewDelta::new(VIEWS_RETAINED),
            prunable_items_per_section: CANDIDATES_PER_FILE,
            page_cache: self.page_cache.clone(),
            replay_buffer: REPLAY_BUFFER,
            key_write_buffer: WRITE_BUFFER_SMALL,
            value_write_buffer: WRITE_BUFFER_BLOCKS,
            block_codec_config: self.limit(),
            max_repair: BLOCKS_REPAIRED_AT_ONCE,
            max_pending_acks: BLOCKS_UNACKNOWLEDGED_MAX,
            strategy: Sequential,
        }
    }

    fn simplex<B, A>(
        &self,
        automaton: A,
        blocker: B,
        floor: Digest,
    ) -> simplex::Config<Scheme, RoundRobin<Sha256>, B, Digest, A, A, A, Sequential>
    where
        B: Blocker<PublicKey = PublicKey>,
        A: CertifiableAutomaton<Context = Context, Digest = Digest>
            + Relay<Digest = Digest, PublicKey = PublicKey>
            + Reporter<Activity = Activity<Scheme, Digest>>,
    {
        let timeouts = self.config.timeouts;
        simplex::Config {
            scheme: (*self.committees.first).clone(),
            elector: RoundRobin::default(),
            blocker,
            automaton: automaton.clone(),
            relay: automaton.clone(),
            reporter: automaton,
            track_historical_votes: false,
            strategy: Sequential,
            partition: format!("{}-votes-{}", self.config.storage_prefix, Epoch::zero()),
            mailbox_size: MAILBOX,
            epoch: Epoch::zero(),
            floor: simplex::Floor::Genesis(floor),
            replay_buffer: REPLAY_BUFFER,
            write_buffer: WRITE_BUFFER_SMALL,
            page_cache: self.page_cache.clone(),
            leader_timeout: timeouts.leader,
            certification_timeout: timeouts.certification,
            timeout_retry: timeouts.retry,
            view_retention: ViewDelta::new(VIEWS_RETAINED),
            skip: SkipPolicy::Enabled { timeout: timeouts.skip, budget: SkipBudget::Participants },
            fetch_timeout: self.fetch_timeout(),
            fetch_retry_delay: FETCH_RETRY,
            forward: ForwardPolicy::Disabled,
        }
    }

    fn fetch_timeout(&self) -> NonZeroDuration {
        NZDuration!(self.config.timeouts.fetch.max(Duration::from_millis(1)))
    }
}
