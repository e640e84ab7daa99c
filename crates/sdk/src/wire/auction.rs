//! Orders over several periods, and what an auction came to, as JSON.

use super::{OrderStatus, Side, mirror, view};
use duet_ledger::{OrderId, SessionId, State};
use duet_units::Price;

mirror! {
    /// Where an order over several periods stands; all but the first are final.
    LinkedState {
        /// Waiting for the gate to close.
        Pending,
        /// Filled in full in all its periods.
        Accepted,
        /// Rejected: the book could not fill it whole.
        NotFilled,
        /// Rejected: it would have lost against its limit.
        AtALoss,
        /// Withdrawn by its owner.
        Withdrawn,
        /// The session was called off.
        Expired,
    }
}

view! {
    /// What an order over several periods wants in one of them.
    LinkedPart(id: OrderId, row: &duet_ledger::Order) {
        /// The order of the period.
        order: u64 = id.0;
        /// The delivery period within the day.
        period: u8 = row.period;
        /// The energy.
        quantity_kwh: i64 = row.quantity.kwh();
    }
}

view! {
    /// An order over several periods.
    LinkedOrder(id: duet_ledger::LinkedOrderId, row: &duet_ledger::LinkedOrder, state: &State) {
        /// Its number.
        id: u64 = id.0;
        /// Its session.
        session: u32 = row.session.0;
        /// Whose it is.
        owner: u32 = row.owner.0;
        /// The unit that delivers or uses the energy.
        unit: u32 = row.unit.0;
        /// Buy or sell.
        side: Side = row.side.into();
        /// The worst acceptable mean price of all its energy.
        limit_milli_yuan_per_mwh: i64 = row.limit.milli_yuan_per_mwh();
        /// Its periods, ascending.
        parts: Vec<LinkedPart> = parts(row, state);
        /// The owner's own reference.
        reference: u64 = row.reference;
        /// When it was taken into the book.
        accepted_at_ms: i64 = row.accepted_at.unix_ms();
        /// Where it stands.
        state: LinkedState = row.state.into();
        /// The mean price of its energy at the prices of its periods, half away from zero; none
        /// before they are known, or where one has none.
        mean_price_milli_yuan_per_mwh: Option<i64> = mean(row, state);
    }
}

fn parts(row: &duet_ledger::LinkedOrder, state: &State) -> Vec<LinkedPart> {
    let order = |id| state.orders().get(&id).map(|order| LinkedPart::new(id, order));
    row.orders().filter_map(order).collect()
}

fn mean(row: &duet_ledger::LinkedOrder, state: &State) -> Option<i64> {
    let (mut value, mut energy) = (0_i128, 0_i128);
    for id in row.orders() {
        let order = state.orders().get(&id)?;
        let price = state.clearings().get(&(row.session, order.period))?.price?;
        let kwh = i128::from(order.quantity.kwh());
        value = value.checked_add(kwh.checked_mul(price.milli_yuan_per_mwh().into())?)?;
        energy = energy.checked_add(kwh)?;
    }
    duet_units::div_half_away(value, energy).and_then(|price| i64::try_from(price).ok())
}

view! {
    /// An order that is filled to a minimum or not at all.
    MinimumOrder(id: OrderId, row: &duet_ledger::Order, minimum: duet_units::Energy) {
        /// Its number.
        order: u64 = id.0;
        /// Whose it is.
        owner: u32 = row.owner.0;
        /// The delivery period within the day.
        period: u8 = row.period;
        /// Buy or sell.
        side: Side = row.side.into();
        /// The limit price.
        limit_milli_yuan_per_mwh: i64 = row.limit.milli_yuan_per_mwh();
        /// The energy.
        quantity_kwh: i64 = row.quantity.kwh();
        /// The least of it to fill.
        minimum_kwh: i64 = minimum.kwh();
        /// The energy filled.
        filled_kwh: i64 = row.filled.kwh();
        /// Where it stands.
        status: OrderStatus = row.status.into();
    }
}

view! {
    /// What one period of an auction came to.
    AuctionPeriod(state: &State, session: SessionId, period: u8,
        row: &duet_ledger::PeriodClearing) {
        /// The delivery period within the day.
        period: u8 = period;
        /// The lowest competitive price; if nothing trades, the best bid.
        lowest_milli_yuan_per_mwh: Option<i64> = ends(state, (session, period)).map(|ends| ends.0);
        /// The highest competitive price; if nothing trades, the best ask.
        highest_milli_yuan_per_mwh: Option<i64> = ends(state, (session, period)).map(|ends| ends.1);
        /// The price; none if nothing trades.
        price_milli_yuan_per_mwh: Option<i64> = row.price.map(Price::milli_yuan_per_mwh);
        /// The energy traded.
        volume_kwh: i64 = row.volume.kwh();
        /// The filled purchase with the lowest limit, parts of linked orders left out.
        marginal_buy: Option<u64> = state.marginal_orders(session, period)[0].map(|id| id.0);
        /// The filled sale with the highest limit, parts of linked orders left out.
        marginal_sell: Option<u64> = state.marginal_orders(session, period)[1].map(|id| id.0);
    }
}

fn ends(state: &State, key: (SessionId, u8)) -> Option<(i64, i64)> {
    let row = state.intervals().get(&key)?;
    Some((row.lowest.milli_yuan_per_mwh(), row.highest.milli_yuan_per_mwh()))
}

view! {
    /// What an auction came to: no periods before its gate has closed.
    Auction(state: &State, session: SessionId) {
        /// The session.
        session: u32 = session.0;
        /// Its periods.
        periods: Vec<AuctionPeriod> = state
            .clearings()
            .range((session, 0)..=(session, u8::MAX))
            .map(|((_, period), row)| AuctionPeriod::new(state, session, *period, row))
            .collect();
        /// Its orders over several periods, by number.
        linked: Vec<LinkedOrder> = state
            .linked_orders()
            .iter()
            .filter(|(_, row)| row.session == session)
            .map(|(id, row)| LinkedOrder::new(*id, row, state))
            .collect();
        /// Its orders with a minimum, by number.
        minimums: Vec<MinimumOrder> = minimums(state, session);
    }
}

fn minimums(state: &State, session: SessionId) -> Vec<MinimumOrder> {
    let rows = state.minimums().iter().filter_map(|(id, minimum)| {
        let row = state.orders().get(id).filter(|row| row.session == session)?;
        Some(MinimumOrder::new(*id, row, *minimum))
    });
    rows.collect()
}
