//! The seal of a settled day, and the hash of what a session came to.

use super::Metered;
use crate::codec::Encode;
use crate::hash::{Digest, hash};
use crate::ids::{OrderId, SessionId, TradeId, UnitId};
use crate::records::{Seal, StatementLine};
use crate::sealed::SealedInput;
use crate::state::State;
use duet_units::DeliveryDay;
use std::collections::{BTreeMap, BTreeSet};

const RESULT_DOMAIN: &[u8] = b"duet/session-result/v2";

/// How many seals are kept: of five years and more, as books must be (market-rules.md 4.16).
const SEALS_KEPT: usize = 2_000;

impl State {
    /// Keeps what units get for their energy, and what they had metered and not certified: the
    /// certificates of the day depend on it.
    pub(super) fn keep_openings(&mut self, id: SessionId, metered: &Metered) {
        for unit in metered.keys().map(|(unit, _)| *unit).collect::<BTreeSet<UnitId>>() {
            if let Some(opening) = self.certified.get(unit).map(|row| (row.kind, row.carry)) {
                self.openings.insert((id, unit), opening);
            }
        }
    }

    /// Keeps the hashes that the book and the lines of the day can be held to when they are gone.
    pub(super) fn seal(&mut self, id: SessionId, result: Digest) {
        let Some(input) = SealedInput::of(self, id) else { return };
        let (lines_root, lines) = self.lines_root(id);
        let seal = Seal {
            day: self.sessions.get(id).map_or_else(DeliveryDay::default, |session| session.day),
            settled_at: self.time(),
            height: self.height(),
            book: input.hash(),
            result,
            lines_root,
            lines,
        };
        self.seals.insert(id, seal);
        self.seals.keep_last(SEALS_KEPT);
    }

    /// The hash of what a session cleared at.
    pub(crate) fn clearing_hash(&self, id: SessionId) -> Digest {
        self.result_hash(id, &[], &[])
    }

    /// The hash of what a session, or the day of a joint one, came to. It begins with the number of
    /// the session, so that no session's result passes for another's. Orders and trades are named
    /// by their place in their session, and neither channel, heights nor times enter, so that the
    /// same book gives the same hash wherever it is run again; the seal ties it to its chain.
    pub(in crate::apply) fn result_hash(
        &self,
        session: SessionId,
        lines: &[StatementLine],
        lots: &[(UnitId, u64)],
    ) -> Digest {
        let mut bytes = session.to_bytes();
        for ((_, period), clearing) in
            self.clearings.rows().range((session, 0)..=(session, u8::MAX))
        {
            period.encode(&mut bytes);
            clearing.encode(&mut bytes);
        }
        let places = self.trade_places();
        let place = |id: OrderId| self.orders.get(id).map_or(u32::MAX, |order| order.sequence);
        let trades = self.session_trades(session);
        for id in &trades {
            let Some(trade) = self.trades.get(*id) else { continue };
            (trade.period, trade.stage).encode(&mut bytes);
            (place(trade.buy), place(trade.sell)).encode(&mut bytes);
            (trade.quantity, trade.buyer_price, trade.seller_price).encode(&mut bytes);
            (trade.paid, trade.received, trade.defaulted).encode(&mut bytes);
        }
        for line in lines {
            (line.period, line.item, line.unit).encode(&mut bytes);
            line.trade.and_then(|id| places.get(&id)).encode(&mut bytes);
            (line.payer, line.payee).encode(&mut bytes);
            (line.energy, line.price, line.amount).encode(&mut bytes);
        }
        for lot in lots {
            lot.encode(&mut bytes);
        }
        hash(RESULT_DOMAIN, &[&bytes])
    }

    /// Names every trade without its number, which depends on the sessions before: by its session
    /// and its place among the trades of that session.
    fn trade_places(&self) -> BTreeMap<TradeId, (SessionId, u64)> {
        let mut counts: BTreeMap<SessionId, u64> = BTreeMap::new();
        let mut places = BTreeMap::new();
        for (id, trade) in self.trades.rows() {
            let count = counts.entry(trade.session).or_default();
            places.insert(*id, (trade.session, *count));
            *count = count.saturating_add(1);
        }
        places
    }
}
