//! Money: balances, payment instructions, statement lines.

use crate::codec::{Decode, DecodeError, Encode};
use crate::codec::{coded, record};
use crate::ids::{OrganisationId, SessionId, TradeId, UnitId};
use duet_units::{ClockTime, Energy, Money, Price};

coded! {
    /// The parts of an organisation's money.
    pub enum AccountKind ("account kind") {
        /// Free to use.
        Available = 0,
        /// Held for open orders and unpaid trades.
        Escrow = 1,
        /// Held in trust by the exchange between payment and settlement.
        Clearing = 2,
        /// The mirror of money outside: what the bank has brought in, negative.
        External = 3,
        /// Set aside as a guarantee for what the organisation orders and trades.
        Guarantee = 4,
    }
}

/// An account: whose, and which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountKey {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Which part.
    pub kind: AccountKind,
}

impl Encode for AccountKey {
    fn encode(&self, out: &mut Vec<u8>) {
        self.organisation.encode(out);
        self.kind.encode(out);
    }
}

impl Decode for AccountKey {
    fn decode(input: &mut &[u8]) -> Result<Self, DecodeError> {
        Ok(Self { organisation: Decode::decode(input)?, kind: Decode::decode(input)? })
    }
}

record! {
    /// The money on an account. All balances of a channel sum to zero.
    pub struct Balance {
        /// The amount; only `External` and, after a settlement, `Available` can be negative.
        pub amount: Money,
    }
}

coded! {
    /// Where a payment instruction stands.
    pub enum PaymentState ("payment state") {
        /// Proposed to the bank.
        Proposed = 0,
        /// Confirmed: the money is in the exchange's trust.
        Confirmed = 1,
        /// Failed: trades that the guarantee does not cover are in default.
        Failed = 2,
        /// Failed at the bank, and drawn in full from the payer's guarantee: the trades stand.
        Drawn = 3,
    }
}

record! {
    /// What a buyer owes for a session.
    pub struct Payment {
        /// The session.
        pub session: SessionId,
        /// The buyer.
        pub payer: OrganisationId,
        /// The sum over its trades.
        pub amount: Money,
        /// Where it stands.
        pub state: PaymentState,
        /// What of it came out of the payer's guarantee.
        pub drawn: Money,
    }
}

record! {
    /// What an organisation is asked for whose payment failed.
    pub struct Dunning {
        /// The guarantee that it must hold before it orders again: at least what it held when the
        /// payment failed, and at least the payment.
        pub level: Money,
        /// What was drawn from its guarantee.
        pub drawn: Money,
        /// What its trades that were unwound would have cost.
        pub unwound: Money,
        /// How many payments failed.
        pub payments: u32,
        /// When the last one did.
        pub since: ClockTime,
    }
}

coded! {
    /// What a statement line is for.
    pub enum LineItem ("line item") {
        /// Contracted energy, at the price that the buyer pays.
        Contract = 0,
        /// What a seller of the second stage is compensated with, out of the levy.
        Compensation = 1,
        /// The share of a seller of the first stage in the compensation of the second.
        Levy = 2,
        /// Metered minus contracted energy, at the price of deviations.
        Deviation = 3,
        /// What a side of a trade pays to the exchange for it, once, on the first delivery day.
        Fee = 4,
        /// Energy of the day-ahead market, or what it has above the contracts.
        DayAhead = 10,
        /// Energy of the real-time market: what the meter has above the market before it.
        RealTime = 11,
        /// Contracted energy at the difference of contract and reference price.
        Difference = 12,
        /// Contracted energy in full, under method 2.
        SpotContract = 13,
        /// What a deviation costs beyond its price.
        DeviationCharge = 14,
        /// A share of the other side's deviation charges.
        Recovery = 15,
        /// A prepayment given back: its trade is settled at spot prices.
        Prepayment = 16,
        /// What a month's meter reading has above the sum of its days.
        TrueUp = 17,
        /// A correction of an earlier line.
        Correction = 18,
        /// The environmental value of a month of a green contract.
        GreenValue = 19,
        /// What the cause of a month's shortfall of a green contract pays.
        GreenShortfall = 20,
    }
}

record! {
    /// One line of a settlement: one posting between two organisations, rounded once.
    pub struct StatementLine {
        /// The session.
        pub session: SessionId,
        /// The delivery period within the day.
        pub period: u8,
        /// What it is for.
        pub item: LineItem,
        /// The unit whose energy it is about; of a trade, the seller's; of a fee, the payer's.
        pub unit: UnitId,
        /// The trade that it follows from; none for a levy or a deviation.
        pub trade: Option<TradeId>,
        /// Who pays.
        pub payer: OrganisationId,
        /// Who is paid.
        pub payee: OrganisationId,
        /// The energy that the amount is for.
        pub energy: Energy,
        /// The price per unit; none for compensation, levy and fee, which are amounts.
        pub price: Option<Price>,
        /// The amount, never negative.
        pub amount: Money,
    }
}
