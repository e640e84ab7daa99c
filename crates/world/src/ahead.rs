//! What members trade ahead of the joint session of a delivery day: each day of the week in
//! another mode, so that a week has every one of them.
//!
//! ```text
//! day before  08:00 notice   08:10 gate opens   08:40 gate closes   08:40 the bank confirms
//!             with a continuous phase:          08:40 the call      08:50 the phase ends
//! ```

use crate::day::{DayError, Tally, TradingDay};
use duet_ledger::{
    Action, AllowanceLeg, ContinuousTerms, ContractAction, ContractConfirmation, ContractTerms,
    CurvePoint, ListingTake, ListingTerms, Mode, OrderId, OrderRequest, OrganisationId, Phase,
    ProposalId, RuleId, SessionId, SessionNotice, State, TimeInForce, TradingRule, UnitId,
};
use duet_market::order::Side;
use duet_study::scenario::MemberRole;
use duet_units::{Allowances, BasisPoints, ClockTime, DeliveryDay, Energy, Price, Resolution};

const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
/// How many members of a side take part.
const PARTIES: usize = 3;
/// The hours that are traded ahead, but for contracts, which are for the whole day.
pub(crate) const PEAK_HOURS: [u8; 4] = [10, 11, 18, 19];
/// How long the continuous phase is after its call, and for how long before it no order can be
/// withdrawn (Shandong 4.5.10).
const CONTINUOUS_MS: i64 = 10 * MINUTE_MS;
const FREEZE_MS: u32 = 5 * 60_000;
/// Energy of an order, and of an hour of a contract, in lots.
pub(crate) const ORDER_LOTS: i64 = 5;
const CONTRACT_LOTS: i64 = 2;
/// Allowances that go with the contract: about what its energy emits.
const CONTRACT_ALLOWANCES: Allowances = Allowances::from_t(280);

/// A member who takes part ahead of the joint session.
#[derive(Clone, Debug)]
pub(crate) struct Party {
    pub(crate) name: String,
    pub(crate) organisation: OrganisationId,
    pub(crate) unit: UnitId,
}

/// What somebody asks of the ledger.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) what: &'static str,
    pub(crate) who: String,
    pub(crate) action: Action,
}

impl TradingDay {
    /// Trades ahead of a delivery day, in the mode whose turn it is; once.
    ///
    /// # Errors
    ///
    /// Returns [`DayError`] if the ledger refuses what the simulated members and institutions do.
    pub async fn trade_ahead(&self, day: DeliveryDay, tally: &mut Tally) -> Result<(), DayError> {
        let number = day.days().saturating_sub(self.first_day().days());
        let notice_at = day.start().plus_ms(-16 * HOUR_MS);
        let (gate_open, gate_close) =
            (notice_at.plus_ms(10 * MINUTE_MS), notice_at.plus_ms(40 * MINUTE_MS));
        if self.ahead_of(day).is_none() {
            if gate_open <= self.state(State::time) {
                return Ok(());
            }
            let Some(rule) = self.founding.genesis.rules.first() else { return Ok(()) };
            let (mode, days) = mode_of(number, &rule.trading, gate_close);
            self.clock().jump_to(notice_at);
            let (rule, terms) = (RuleId(1), self.terms());
            let notice = SessionNotice { rule, mode, day, days, gate_open, gate_close, terms };
            let receipt = self.actor("EXCHANGE").act(Action::OpenSession(notice)).await;
            tally.note("notice of a session ahead", receipt)?;
        }
        let Some((session, mode, orders)) = self.ahead_of(day) else { return Ok(()) };
        self.clock().jump_to(gate_open);
        let passed = |state: &State, phase| {
            state.sessions().get(&session).is_none_or(|session| phase <= session.phase)
        };
        self.until(|state| passed(state, Phase::Open)).await;
        let closed = self.state(|state| passed(state, Phase::Cleared));
        match mode {
            // The day was interrupted here, and goes on.
            _ if closed || orders > 0 => {}
            Mode::Bilateral => self.agree(session, tally).await?,
            Mode::Listing(_) => self.list_and_take(session, tally).await?,
            Mode::Call => self.offer_curves(session, tally).await?,
            _ => self.bid(session, tally).await?,
        }
        self.clock().jump_to(gate_close);
        if let Mode::Continuous(terms) = mode {
            if !closed && orders == 0 {
                self.trade_on(session, tally).await?;
            }
            self.clock().jump_to(terms.until);
        }
        self.until(|state| passed(state, Phase::Cleared)).await;
        self.confirm_payments(session, tally).await
    }

    /// The session ahead of a delivery day: its mode, and how many orders it has.
    fn ahead_of(&self, day: DeliveryDay) -> Option<(SessionId, Mode, u32)> {
        self.state(|state| {
            let mut sessions = state.sessions().iter();
            sessions
                .find(|(_, session)| !session.mode.is_joint() && session.day == day)
                .map(|(id, session)| (*id, session.mode, session.orders))
        })
    }

    /// Generators and consumers, the first few of the scenario each, with their first units.
    pub(crate) fn parties(&self, sells: bool) -> Vec<Party> {
        let members = self.scenario.members.iter().zip(&self.founding.members);
        members
            .filter(|(member, _)| (member.role == MemberRole::Generator) == sells)
            .filter_map(|(member, place)| {
                let (name, organisation) = (member.name.clone(), place.organisation);
                Some(Party { name, organisation, unit: *place.units.first()? })
            })
            .take(PARTIES)
            .collect()
    }

    pub(crate) fn price(&self, above_floor_percent: i64) -> Price {
        let market = &self.scenario.market;
        let (floor, ceiling) =
            (market.floor.milli_yuan_per_mwh(), market.ceiling.milli_yuan_per_mwh());
        let tick = market.tick.milli_yuan_per_mwh().max(1);
        let price = floor + (ceiling - floor) * above_floor_percent / 100;
        Price::from_milli_yuan_per_mwh(price - price.rem_euclid(tick))
    }

    pub(crate) fn lots(&self, count: i64) -> Energy {
        Energy::from_kwh(self.scenario.market.lot.kwh().saturating_mul(count))
    }

    /// Somebody does something; returns what its receipt names.
    pub(crate) async fn done(&self, request: Request, tally: &mut Tally) -> Result<u64, DayError> {
        let receipt = self.actor(&request.who).act(request.action).await;
        tally.note(request.what, receipt)
    }

    /// Sellers ask more from one to the next, buyers bid less, so that some trade and some do not.
    async fn bid(&self, session: SessionId, tally: &mut Tally) -> Result<(), DayError> {
        let (sellers, buyers) = (self.parties(true), self.parties(false));
        for period in PEAK_HOURS {
            for (parties, side) in [(&sellers, Side::Sell), (&buyers, Side::Buy)] {
                for (place, party) in (0_i64..).zip(parties) {
                    let percent =
                        if side == Side::Sell { 40 + 15 * place } else { 75 - 15 * place };
                    let terms = (self.price(percent), self.lots(ORDER_LOTS));
                    self.done(order(session, party, (side, period), terms), tally).await?;
                }
            }
        }
        Ok(())
    }

    /// After the call the dearest seller meets the buyer that bid least, at the median price.
    async fn trade_on(&self, session: SessionId, tally: &mut Tally) -> Result<(), DayError> {
        let row = |state: &State| state.sessions().get(&session).cloned();
        self.until(|state| row(state).is_none_or(|session| session.called.is_some())).await;
        let (sellers, buyers) = (self.parties(true), self.parties(false));
        let (Some(seller), Some(buyer)) = (sellers.last(), buyers.last()) else { return Ok(()) };
        for period in PEAK_HOURS {
            for (party, side, percent) in [(seller, Side::Sell, 50), (buyer, Side::Buy, 60)] {
                let terms = (self.price(percent), self.lots(ORDER_LOTS));
                self.done(order(session, party, (side, period), terms), tally).await?;
            }
        }
        Ok(())
    }

    /// The first seller posts, the buyers take more than there is.
    async fn list_and_take(&self, session: SessionId, tally: &mut Tally) -> Result<(), DayError> {
        let Some(seller) = self.parties(true).into_iter().next() else { return Ok(()) };
        for period in PEAK_HOURS {
            let terms = (self.price(55), self.lots(2 * ORDER_LOTS));
            let request = order(session, &seller, (Side::Sell, period), terms);
            let listing = self.done(request, tally).await?;
            for buyer in self.parties(false).into_iter().take(2) {
                let take = ListingTake {
                    listing: OrderId(listing),
                    unit: buyer.unit,
                    quantity: self.lots(ORDER_LOTS),
                    reference: 0,
                };
                let action = Action::Contract(ContractAction::Take(take));
                let request = Request { what: "take of a listing", who: buyer.name, action };
                self.done(request, tally).await?;
            }
        }
        Ok(())
    }

    /// The first seller and the first buyer agree on the same energy for every hour, and on
    /// allowances that go with it.
    async fn agree(&self, session: SessionId, tally: &mut Tally) -> Result<(), DayError> {
        let (seller, buyer) = (self.parties(true), self.parties(false));
        let (Some(seller), Some(buyer)) = (seller.first(), buyer.first()) else { return Ok(()) };
        let energy = self.lots(CONTRACT_LOTS);
        let price = self.scenario.market.carbon_price;
        let leg = AllowanceLeg { allowances: CONTRACT_ALLOWANCES, price };
        let terms = ContractTerms {
            session,
            unit: seller.unit,
            counterparty: buyer.unit,
            side: Side::Sell,
            price: self.price(50),
            curve: (0..Resolution::Hour.periods())
                .map(|period| CurvePoint { period, energy })
                .collect(),
            allowances: Some(leg),
            certificates: None,
            reference: 0,
        };
        let hash = terms.hash();
        let action = Action::Contract(ContractAction::Propose(terms));
        let request = Request { what: "proposed contract", who: seller.name.clone(), action };
        let proposal = self.done(request, tally).await?;
        let signed = ContractConfirmation { proposal: ProposalId(proposal), hash };
        let action = Action::Contract(ContractAction::Confirm(signed));
        let request = Request { what: "signed contract", who: buyer.name.clone(), action };
        self.done(request, tally).await.map(drop)
    }
}

/// The mode of a day, counted from the first, and how many days are traded.
const fn mode_of(number: i32, rule: &TradingRule, gate_close: ClockTime) -> (Mode, u16) {
    match number.rem_euclid(7) {
        0 => (Mode::Bilateral, 7),
        1 => {
            let (sharing, listers) = (rule.sharing, Some(Side::Sell));
            (Mode::Listing(ListingTerms { sharing, listers }), 1)
        }
        2 => (Mode::Uniform(rule.k1), 1),
        3 => (Mode::Pairwise(rule.k2), 1),
        4 => (Mode::Call, 1),
        5 => {
            let (until, n1) = (gate_close.plus_ms(CONTINUOUS_MS), rule.n1);
            (Mode::Continuous(ContinuousTerms { until, n1, freeze_ms: FREEZE_MS }), 1)
        }
        _ => (Mode::Rolling, 1),
    }
}

pub(crate) fn order(
    session: SessionId,
    party: &Party,
    (side, period): (Side, u8),
    (limit, quantity): (Price, Energy),
) -> Request {
    let request = order_request(session, party, (side, period), (limit, quantity));
    Request { what: "order ahead", who: party.name.clone(), action: Action::SubmitOrder(request) }
}

pub(crate) fn order_request(
    session: SessionId,
    party: &Party,
    (side, period): (Side, u8),
    (limit, quantity): (Price, Energy),
) -> OrderRequest {
    let (unit, conductivity, reference) = (party.unit, BasisPoints::ZERO, 0);
    OrderRequest {
        session,
        unit,
        side,
        period,
        limit,
        quantity,
        conductivity,
        reference,
        time_in_force: TimeInForce::Gtc,
    }
}
