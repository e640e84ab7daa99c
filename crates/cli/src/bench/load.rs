//! A market made for load: many traders with room for many orders, and the orders they sign.

use super::measure::now;
use anyhow::{Context as _, bail};
use duet_ledger::{
    Action, CarbonReference, Digest, Genesis, Identity, MarketRule, Mode, OrderRequest,
    Organisation, OrganisationId, PublicKey, Registration, Role, Roles, RuleId, SecondStageDesign,
    SessionId, SessionNotice, SessionTerms, Technology, TimeInForce, Unit, UnitId, Unsigned,
    Validator,
};
use duet_market::order::{Rationing, Side};
use duet_node::{Clock, Handle, SubmitError};
use duet_units::{
    BasisPoints, CarbonPrice, ClockTime, DeliveryDay, EmissionFactor, Energy, Money, Power, Price,
    Resolution,
};
use duet_world::{Actor, Founding, WorldClock, demo_seed};
use ed25519_zebra::{SigningKey, VerificationKeyBytes};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Traders: as many keys sign.
const TRADERS: u32 = 256;
/// Orders handed to a validator at once; it checks their signatures as one batch.
const BATCH: usize = 256;
/// Orders that wait at one validator before its clients pause.
const WAITING_MAX: usize = 16_384;
/// How long nothing may happen before the bench gives up.
const STALLED: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(1);
pub(super) const DAY: DeliveryDay = DeliveryDay::from_days(20_640);

pub(super) fn gate_close() -> ClockTime {
    DAY.start().plus_ms(-3_600_000)
}

/// A channel with many traders.
pub(super) struct Market {
    pub(super) founding: Founding,
    keys: Vec<SigningKey>,
}

pub(super) fn key_of(label: &str) -> (SigningKey, PublicKey) {
    let key = SigningKey::from(demo_seed(label));
    let public = PublicKey::from_bytes(VerificationKeyBytes::from(&key).into());
    (key, public)
}

impl Market {
    pub(super) fn new(validators: u8) -> anyhow::Result<Self> {
        let mut genesis = Genesis {
            name: "bench".to_owned(),
            time: DAY.start().plus_ms(-7_200_000),
            validators: self::validators(validators),
            organisations: Vec::new(),
            identities: Vec::new(),
            units: Vec::new(),
            rules: vec![MarketRule::plain("BENCH", &terms())],
        };
        for (name, role) in
            [("EXCHANGE", Role::Exchange), ("GRID", Role::Dispatcher), ("BANK", Role::Bank)]
        {
            add(&mut genesis, name, role);
        }
        let mut keys = Vec::new();
        for trader in 0..TRADERS {
            let sells = trader.is_multiple_of(2);
            let role = if sells { Role::Generator } else { Role::LargeUser };
            let name = format!("TRADER_{trader}");
            let (owner, device) = add(&mut genesis, &name, role);
            genesis.units.push(Unit {
                owner,
                name: name.clone(),
                technology: if sells { Technology::Coal } else { Technology::Load },
                capacity: Power::from_kw(100_000_000),
                registered_cost: Price::from_milli_yuan_per_mwh(if sells { 300_000 } else { 0 }),
                emission_factor: EmissionFactor::from_g_per_kwh(if sells { 830 } else { 0 }),
                benchmark: EmissionFactor::from_g_per_kwh(if sells { 791 } else { 0 }),
                device,
            });
            keys.push(key_of(&name).0);
        }
        genesis.check().context("the bench's genesis")?;
        Ok(Self { founding: Founding { genesis, members: Vec::new() }, keys })
    }

    /// Gives every buyer money and opens a session.
    pub(super) async fn open(
        &self,
        nodes: &[Handle],
        time: &WorldClock,
    ) -> anyhow::Result<SessionId> {
        let node = &nodes[0];
        let mut bank = Actor::new("BANK", node);
        let mut sent = Vec::new();
        for trader in 0..TRADERS {
            let organisation = OrganisationId(trader + 3);
            let amount = Money::from_fen(1_000_000_000_000_000);
            let deposit = Action::Deposit { organisation, amount, reference: trader.into() };
            sent.push(bank.send(deposit)?);
        }
        for hash in sent {
            bank.receipt(&hash).await?;
        }
        let notice = SessionNotice {
            rule: RuleId(1),
            mode: Mode::Joint,
            days: 1,
            day: DAY,
            gate_open: time.now(),
            gate_close: gate_close(),
            terms: terms(),
        };
        let mut exchange = Actor::new("EXCHANGE", node);
        let receipt = exchange.act(Action::OpenSession(notice)).await?;
        let session = SessionId(u32::try_from(receipt.receipt.subject)?);
        let height = receipt.height + 1;
        for node in nodes {
            node.wait_height(height).await;
        }
        Ok(session)
    }
}

/// So many validators, with the keys under which a cluster starts them.
pub(super) fn validators(count: u8) -> Vec<Validator> {
    let validator = |index: u8| {
        let name = format!("V{index}");
        let seed = Founding::validator_seed(&name);
        let key = duet_consensus::ValidatorKey::from_seed(seed).public();
        Validator { name, key: PublicKey::from_bytes(key) }
    };
    (0..count).map(validator).collect()
}

pub(super) fn terms() -> SessionTerms {
    let price = Price::from_milli_yuan_per_mwh;
    SessionTerms {
        resolution: Resolution::Hour,
        floor: price(200_000),
        ceiling: price(600_000),
        tick: price(10),
        lot: Energy::from_kwh(1_000),
        reference_price: price(400_000),
        carbon_price: CarbonPrice::from_fen_per_t(8_500),
        price_numerator: 1,
        price_denominator: 2,
        rationing: Rationing::ProRata,
        second_stage: SecondStageDesign::Compensation,
        compensation_cap: price(36_440),
        fund_share: BasisPoints::from_bp(5_000),
        second_stage_chance: BasisPoints::ONE,
        carbon_reference: CarbonReference::Notice,
    }
}

pub(super) fn add(genesis: &mut Genesis, name: &str, role: Role) -> (OrganisationId, PublicKey) {
    let organisation = OrganisationId(u32::try_from(genesis.organisations.len()).unwrap_or(0));
    let (_, key) = key_of(name);
    genesis.organisations.push(Organisation { name: name.to_owned(), name_zh: name.to_owned() });
    let identity = Identity { organisation, roles: Roles::of(&[role]), label: name.to_owned() };
    genesis.identities.push(Registration { key, identity });
    (organisation, key)
}

/// Signed orders, one list for each validator. A trader always turns to the same one.
pub(super) type Signed = Vec<Vec<Vec<u8>>>;

/// Draws and signs orders.
pub(super) struct Flow<'a> {
    market: &'a Market,
    nodes: usize,
    session: SessionId,
    drawn: u64,
    nonces: Vec<u64>,
    channel: [u8; 32],
}

impl<'a> Flow<'a> {
    pub(super) fn new(market: &'a Market, nodes: &[Handle], session: SessionId) -> Self {
        let nonces = vec![0; market.keys.len()];
        let channel = market.founding.genesis.channel();
        Self { market, nodes: nodes.len(), session, drawn: 0, nonces, channel }
    }

    /// The next `count` orders, signed.
    pub(super) fn sign(&mut self, count: u64) -> Signed {
        let mut signed = vec![Vec::new(); self.nodes];
        for _ in 0..count {
            let trader = (self.drawn % u64::from(TRADERS)) as u32;
            let bytes = self.next(trader);
            signed[trader as usize % self.nodes].push(bytes);
        }
        signed
    }

    fn next(&mut self, trader: u32) -> Vec<u8> {
        // A fixed odd multiplier spreads prices and periods over their ranges.
        let random = self.drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        self.drawn += 1;
        let sells = trader.is_multiple_of(2);
        let spread = (random % 10_000) as i64 * 10;
        let limit = if sells { 280_000 + spread } else { 300_000 + spread };
        let nonce = &mut self.nonces[trader as usize];
        *nonce += 1;
        let unsigned = Unsigned {
            channel: self.channel,
            signer: key_of_public(&self.market.keys[trader as usize]),
            nonce: *nonce,
            action: Action::SubmitOrder(OrderRequest {
                session: self.session,
                unit: UnitId(trader),
                side: if sells { Side::Sell } else { Side::Buy },
                period: (random >> 16) as u8 % 24,
                limit: Price::from_milli_yuan_per_mwh(limit),
                quantity: Energy::from_kwh(1_000),
                conductivity: BasisPoints::from_bp(if sells { 8_000 } else { 0 }),
                reference: self.drawn,
                time_in_force: TimeInForce::Gtc,
            }),
        };
        unsigned.sign(&self.market.keys[trader as usize]).bytes().to_vec()
    }
}

pub(super) fn key_of_public(key: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(VerificationKeyBytes::from(key).into())
}

/// How a validator takes transactions that wait at its door.
pub(super) type Door = fn(&Handle, &[Vec<u8>]) -> Vec<Result<Digest, SubmitError>>;

/// One by one, as the API does.
pub(super) fn singly(node: &Handle, many: &[Vec<u8>]) -> Vec<Result<Digest, SubmitError>> {
    many.iter().map(|bytes| node.submit(bytes)).collect()
}

/// What waits at one validator, in the order in which it was sent.
struct Waiting<'a> {
    node: &'a Handle,
    sent: VecDeque<([u8; 32], Instant)>,
}

impl Waiting<'_> {
    /// Takes what has become final.
    fn collect(&mut self, into: &mut Vec<Duration>) -> anyhow::Result<()> {
        while let Some((hash, start)) = self.sent.front() {
            let Some(found) = self.node.receipt(hash) else { break };
            if !found.receipt.is_accepted() {
                bail!("an order of the bench was refused: {:?}", found.receipt.rejection());
            }
            into.push(now() - *start);
            self.sent.pop_front();
        }
        Ok(())
    }

    fn send(&mut self, batch: &[Vec<u8>], door: Door) -> anyhow::Result<()> {
        let start = now();
        for result in door(self.node, batch) {
            match result {
                Ok(hash) => self.sent.push_back((hash, start)),
                Err(error @ (SubmitError::Refused(_) | SubmitError::Full(_))) => {
                    return Err(error).context("an order of the bench");
                }
            }
        }
        Ok(())
    }
}

/// Sends at a fixed rate, spread over the validators; returns the time to finality of each.
pub(super) async fn at_rate(
    nodes: &[Handle],
    signed: Signed,
    rate: u64,
    clock: &Clock,
) -> anyhow::Result<Vec<Duration>> {
    let total: usize = signed.iter().map(Vec::len).sum();
    let mut queues: Vec<_> = signed.into_iter().map(Vec::into_iter).collect();
    let mut waiting: Vec<_> =
        nodes.iter().map(|node| Waiting { node, sent: VecDeque::new() }).collect();
    let (start, mut finality, mut sent, mut progress) = (now(), Vec::new(), 0_usize, now());
    while finality.len() < total {
        let due = ((now() - start).as_secs_f64() * rate as f64) as usize;
        while sent < due.min(total) {
            let place = sent % nodes.len();
            if let Some(bytes) = queues[place].next() {
                waiting[place].send(&[bytes], Handle::submit_batch)?;
            }
            sent += 1;
        }
        let before = finality.len();
        for one in &mut waiting {
            one.collect(&mut finality)?;
        }
        progress = stalled_since(progress, before < finality.len())?;
        clock.sleep(PAUSE).await;
    }
    Ok(finality)
}

/// Sends as fast as the validators take transactions; returns the time to finality of each.
pub(super) async fn all_at_once(
    nodes: &[Handle],
    signed: Signed,
    door: Door,
    clock: &Clock,
) -> anyhow::Result<Vec<Duration>> {
    let total: usize = signed.iter().map(Vec::len).sum();
    let mut waiting: Vec<_> =
        nodes.iter().map(|node| Waiting { node, sent: VecDeque::new() }).collect();
    let mut queues: Vec<_> = signed.iter().map(|orders| orders.chunks(BATCH)).collect();
    let (mut finality, mut progress) = (Vec::with_capacity(total), now());
    while finality.len() < total {
        let before = finality.len();
        for (one, queue) in waiting.iter_mut().zip(&mut queues) {
            if one.sent.len() < WAITING_MAX
                && let Some(batch) = queue.next()
            {
                one.send(batch, door)?;
            }
            one.collect(&mut finality)?;
        }
        progress = stalled_since(progress, before < finality.len())?;
        clock.sleep(PAUSE).await;
    }
    Ok(finality)
}

fn stalled_since(last: Instant, moved: bool) -> anyhow::Result<Instant> {
    if moved {
        return Ok(now());
    }
    if STALLED < now() - last {
        bail!("nothing became final for {} s", STALLED.as_secs());
    }
    Ok(last)
}
