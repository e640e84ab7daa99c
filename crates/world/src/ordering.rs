//! Members placing the orders of a delivery day.

use crate::{
    actor::{Actor, Refused},
    day::{DayError, Tally, TradingDay},
};
use duet_ledger::{Action, Digest, OrderId, OrderRequest, Rejection, SessionId, TimeInForce};
use duet_market::order::Side;
use duet_node::{FinalReceipt, Handle, SubmitError};
use duet_study::scenario::PlannedOrder;
use duet_units::{BasisPoints, DeliveryDay, Price};
use std::time::Duration;

/// One of so many accepted orders is withdrawn again before the gate closes.
const WITHDRAWN_ONE_IN: usize = 97;
/// One of so many orders has a slip: its price is off the tick.
const SLIP_ONE_IN: usize = 499;
/// How long members wait for a receipt before they look whether their validator was started again.
const LOOK: Duration = Duration::from_secs(1);
/// How many times they look before they take the chain for dead.
const LOOKS: u32 = 120;

/// What one member has sent to its validator.
struct Turn {
    place: usize,
    node: Handle,
    /// The validator's restarts when it was sent.
    restarts: u64,
    actor: Actor,
    sent: Vec<Sent>,
}

#[derive(Clone)]
struct Sent {
    hash: Digest,
    bytes: Vec<u8>,
}

impl TradingDay {
    /// Members place their orders, one member after the other. Validators pass transactions on to
    /// each other, and of different signers some can arrive before others or get lost; nonces keep
    /// only those of one signer in order. Thus the order of acceptance, and with it the day's
    /// result, depends on the seed alone.
    pub(crate) async fn place_orders(
        &self,
        session: SessionId,
        day: DeliveryDay,
        tally: &mut Tally,
    ) -> Result<(), DayError> {
        let number = u32::try_from(day.days() - self.first_day().days()).unwrap_or(0);
        let plan = self.scenario.day(number).orders;
        let mut accepted: Vec<(usize, OrderId)> = Vec::new();
        for member in self.members_by_place() {
            let own = plan.iter().enumerate().filter(|(_, order)| order.member == member);
            let mut turn = self.send_orders((member, session), own, tally).await;
            for sent in turn.sent.clone() {
                match self.outcome(&mut turn, &sent).await {
                    Ok(receipt) => {
                        tally.accepted += 1;
                        accepted.push((member, OrderId(receipt.receipt.subject)));
                    }
                    Err(Refused::NotFinal) => {
                        return Err(DayError::Refused { what: "order", reason: Refused::NotFinal });
                    }
                    Err(_) => tally.rejected += 1,
                }
                tally.transactions.push(sent.hash);
            }
        }
        for (member, order) in accepted.into_iter().skip(1).step_by(WITHDRAWN_ONE_IN) {
            let mut turn = self.turn(member).await;
            let action = Action::CancelOrder { order };
            let receipt = match self.put(&mut turn, action).await {
                Ok(sent) => self.outcome(&mut turn, &sent).await,
                Err(reason) => Err(reason.into()),
            };
            match receipt {
                // Whoever trades as the same member from the page was first: at a nonce, or at
                // this very order.
                Err(reason) if is_overtaken(&reason) => {}
                receipt => {
                    tally.note("withdrawal", receipt)?;
                }
            }
        }
        self.catch_up().await;
        Ok(())
    }

    /// The members, those of the first validator first.
    fn members_by_place(&self) -> impl Iterator<Item = usize> {
        let (members, places) = (self.scenario.members.len(), self.nodes().count());
        (0..places).flat_map(move |place| (place..members).step_by(places))
    }

    async fn turn(&self, member: usize) -> Turn {
        let place = member % self.nodes().count();
        let node = self.caught_up(place).await;
        let actor = Actor::new(&self.scenario.members[member].name, &node);
        Turn { place, restarts: self.nodes().restarts(place), node, actor, sent: Vec::new() }
    }

    async fn send_orders(
        &self,
        (member, session): (usize, SessionId),
        orders: impl Iterator<Item = (usize, &PlannedOrder)>,
        tally: &mut Tally,
    ) -> Turn {
        let mut turn = self.turn(member).await;
        for (index, planned) in orders {
            let action = Action::SubmitOrder(self.request(session, index, planned));
            tally.submitted += 1;
            if self.put(&mut turn, action).await.is_err() {
                tally.rejected += 1;
            }
        }
        turn
    }

    /// A member signs an action and sends it.
    async fn put(&self, turn: &mut Turn, action: Action) -> Result<Sent, SubmitError> {
        let bytes = turn.actor.sign(action);
        match self.submit(&turn.actor, &bytes).await {
            Ok(hash) => {
                let sent = Sent { hash, bytes };
                turn.sent.push(sent.clone());
                Ok(sent)
            }
            Err(reason) => {
                turn.actor.take_back(&reason);
                Err(reason)
            }
        }
    }

    /// What came of what was sent. A validator that crashes forgets what it has not agreed on; its
    /// members send that again once it is back: the same bytes, so that nothing is ordered twice.
    async fn outcome(&self, turn: &mut Turn, sent: &Sent) -> Result<FinalReceipt, Refused> {
        for _ in 0..LOOKS {
            let receipt = turn.actor.receipt_within(&sent.hash, LOOK).await;
            if receipt != Err(Refused::NotFinal) {
                return receipt;
            }
            if self.nodes().restarts(turn.place) != turn.restarts {
                self.send_again(turn).await;
            }
        }
        Err(Refused::NotFinal)
    }

    async fn send_again(&self, turn: &mut Turn) {
        turn.node = self.caught_up(turn.place).await;
        turn.restarts = self.nodes().restarts(turn.place);
        turn.actor.turn_to(&turn.node);
        for sent in &turn.sent {
            // Taken once already: should it be refused now, it is final, and its receipt says more.
            self.submit(&turn.actor, &sent.bytes).await.ok();
        }
    }

    fn request(&self, session: SessionId, index: usize, planned: &PlannedOrder) -> OrderRequest {
        let unit = self.founding.members[planned.member].units[planned.unit.unwrap_or(0)];
        let conductivity = planned
            .unit
            .and_then(|unit| self.scenario.unit(planned.member, unit))
            .map_or(BasisPoints::ZERO, |unit| unit.conductivity);
        let slip = i64::from(index % SLIP_ONE_IN == SLIP_ONE_IN - 1);
        OrderRequest {
            session,
            unit,
            side: planned.side,
            period: planned.period,
            limit: Price::from_milli_yuan_per_mwh(planned.limit.milli_yuan_per_mwh() + slip),
            quantity: planned.quantity,
            conductivity: if planned.side == Side::Sell { conductivity } else { BasisPoints::ZERO },
            reference: u64::try_from(index).unwrap_or(u64::MAX),
            time_in_force: TimeInForce::Gtc,
        }
    }

    /// Sends what `actor` has signed, and waits while the mempool is full.
    async fn submit(&self, actor: &Actor, bytes: &[u8]) -> Result<Digest, SubmitError> {
        loop {
            match actor.submit(bytes) {
                Err(SubmitError::Full(_)) => self.back_off().await,
                result => return result,
            }
        }
    }
}

fn is_overtaken(reason: &Refused) -> bool {
    let overtaken = [Rejection::StaleNonce, Rejection::OrderNotPending, Rejection::GateClosed];
    reason.rejection().is_some_and(|rejection| overtaken.contains(&rejection))
}
