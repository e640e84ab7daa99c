//! Money: balances, payment instructions, statement lines.

use super::{Big, mirror, view};
use duet_units::Price;

mirror! {
    /// The parts of an organisation's money.
    AccountKind {
        /// Free to use.
        Available,
        /// Held for open orders and unpaid trades.
        Escrow,
        /// Held in trust by the exchange between payment and settlement.
        Clearing,
        /// The mirror of money outside, negative.
        External,
        /// Set aside as a guarantee.
        Guarantee,
    }
}

view! {
    /// The money on an account.
    Balance(key: duet_ledger::AccountKey, row: &duet_ledger::Balance) {
        /// Which part of the organisation's money.
        account: AccountKind = key.kind.into();
        /// The amount.
        amount_fen: Big = Big(row.amount.fen());
    }
}

mirror! {
    /// Where a payment instruction stands.
    PaymentState {
        /// Proposed to the bank.
        Proposed,
        /// Confirmed: the money is in the exchange's trust.
        Confirmed,
        /// Failed: trades that the guarantee does not cover are in default.
        Failed,
        /// Failed at the bank, and drawn in full from the payer's guarantee: the trades stand.
        Drawn,
    }
}

view! {
    /// What a buyer owes for a session.
    Payment(id: duet_ledger::PaymentId, row: &duet_ledger::Payment) {
        /// Its number.
        id: u64 = id.0;
        /// The session.
        session: u32 = row.session.0;
        /// The buyer.
        payer: u32 = row.payer.0;
        /// The sum over its trades.
        amount_fen: Big = Big(row.amount.fen());
        /// Where it stands.
        state: PaymentState = row.state.into();
        /// What of it came out of the buyer's guarantee.
        drawn_fen: Big = Big(row.drawn.fen());
    }
}

mirror! {
    /// What a statement line is for.
    LineItem {
        /// Contracted energy, at the price that the buyer pays.
        Contract,
        /// What a seller of the second stage is compensated with, out of the levy.
        Compensation,
        /// The share of a seller of the first stage in the compensation of the second.
        Levy,
        /// Metered minus contracted energy, at the price of deviations.
        Deviation,
        /// What a side of a trade pays to the exchange for it.
        Fee,
        /// Energy of the day-ahead market, or what it has above the contracts.
        DayAhead,
        /// Energy of the real-time market.
        RealTime,
        /// Contracted energy at the difference of contract and reference price.
        Difference,
        /// Contracted energy in full, under method 2.
        SpotContract,
        /// What a deviation costs beyond its price.
        DeviationCharge,
        /// A share of the other side's deviation charges.
        Recovery,
        /// A prepayment given back: its trade is settled at spot prices.
        Prepayment,
        /// What a month's meter reading has above the sum of its days.
        TrueUp,
        /// A correction of an earlier line.
        Correction,
        /// The environmental value of a month of a green contract.
        GreenValue,
        /// What the cause of a month's shortfall of a green contract pays.
        GreenShortfall,
    }
}

view! {
    /// One line of a settlement: one posting between two organisations.
    StatementLine(place: u32, row: &duet_ledger::StatementLine) {
        /// Its place in the statement of the session.
        place: u32 = place;
        /// The session.
        session: u32 = row.session.0;
        /// The delivery period within the day.
        period: u8 = row.period;
        /// What it is for.
        item: LineItem = row.item.into();
        /// The unit whose energy it is about.
        unit: u32 = row.unit.0;
        /// The trade that it follows from; none for a levy or a deviation.
        trade: Option<u64> = row.trade.map(|trade| trade.0);
        /// Who pays.
        payer: u32 = row.payer.0;
        /// Who is paid.
        payee: u32 = row.payee.0;
        /// The energy that the amount is for.
        energy_kwh: i64 = row.energy.kwh();
        /// The price per unit; of a sum over trades, none.
        price_milli_yuan_per_mwh: Option<i64> = row.price.map(Price::milli_yuan_per_mwh);
        /// The amount, never negative.
        amount_fen: Big = Big(row.amount.fen());
    }
}
