//! The tables of the state: the one list of them, and what follows from it.

use super::{Delta, Progress};
use crate::book::Book;
use crate::codec::DecodeError;
use crate::hash::Digest;
use crate::ids::{
    CarbonBiddingId, CarbonDealId, CarbonOrderId, CcerProjectId, CertificateLotId,
    CertificateOfferId, ChannelId, CreditLotId, DispatchId, GreenContractId, LinkedOrderId,
    OrderId, OrganisationId, PaymentId, ProposalId, PublicKey, RuleId, SessionId, TradeId, UnitId,
};
use crate::lots::LotIndex;
use crate::members::MemberIndex;
use crate::records::{
    AccountKey, Balance, CarbonAccount, CarbonBidding, CarbonDeal, CarbonMarket, CarbonOrder,
    CarbonShare, CcerProject, CertificateKind, CertificateLot, CertificateOffer, CertifiedUnit,
    ClaimedUse, CompliancePeriod, Counter, CreditLot, CurtailmentRecord, Cut, DeviationMonth,
    Device, Dispatch, Dunning, Enrolment, GreenContract, Identity, InterventionRecord, LaterLine,
    LinkedOrder, ListingRole, MarketRule, MemberLimits, MeterMonth, MeterRecord, MonthStatement,
    MonthTraded, Objection, Obligation, Order, Organisation, PassThrough, Payment, PeriodClearing,
    PriceInterval, Proposal, PublishedPrices, Seal, Session, SessionLimits, StatementLine, Trade,
    Unit, UnitDeviation, UnitMonth,
};
use crate::table::Table;
use duet_units::{DeliveryDay, Energy, Month, Price};
use std::collections::BTreeMap;

/// Defines the state: its tables, each with its tag, key and row, and what is derived from them.
macro_rules! state {
    (
        public { $($(#[$meta:meta])* $open:ident[$open_tag:expr]: $open_key:ty => $open_row:ty,)* }
        own { $($(#[$own_meta:meta])* $own:ident[$own_tag:expr]: $own_key:ty => $own_row:ty,)* }
    ) => {
        /// The state of a channel after a block.
        #[derive(Clone, Debug)]
        pub struct State {
            pub(crate) channel: ChannelId,
            pub(crate) exchange: OrganisationId,
            pub(crate) grid: OrganisationId,
            pub(crate) bank: OrganisationId,
            $($(#[$meta])* pub(crate) $open: Table<$open_key, $open_row>,)*
            $($(#[$own_meta])* pub(crate) $own: Table<$own_key, $own_row>,)*
            /// Derived: pending and filled orders by session and period, in order of acceptance.
            pub(crate) books: BTreeMap<(SessionId, u8), Vec<OrderId>>,
            /// Derived: the books of sessions that match on arrival, by session and period.
            pub(crate) live: BTreeMap<(SessionId, u8), Book>,
            /// Derived: energy of pending orders by session, unit and period; of orders that would take
            /// from the unit's position, negative.
            pub(crate) commitments: BTreeMap<(SessionId, UnitId, u8), Energy>,
            /// Derived: how much of each listing is taken.
            pub(crate) taken: BTreeMap<OrderId, Energy>,
            /// Derived: what each unit sold less what it bought by session and period, of a point of
            /// consumption the reverse; trades in default left out.
            pub(crate) positions: BTreeMap<(SessionId, UnitId, u8), Energy>,
            /// Derived: where the runs of certificates are.
            pub(crate) lot_index: LotIndex,
            /// Derived: what each member has.
            pub(crate) members: MemberIndex,
        }

        impl State {
            /// No rows at all; the operators are exchange, grid company and bank.
            pub(crate) const fn bare(
                channel: ChannelId,
                [exchange, grid, bank]: [OrganisationId; 3],
            ) -> Self {
                Self {
                    channel,
                    exchange,
                    grid,
                    bank,
                    $($open: Table::new($open_tag),)*
                    $($own: Table::new($own_tag),)*
                    books: BTreeMap::new(),
                    live: BTreeMap::new(),
                    commitments: BTreeMap::new(),
                    positions: BTreeMap::new(),
                    taken: BTreeMap::new(),
                    lot_index: LotIndex::new(),
                    members: MemberIndex::new(),
                }
            }

            /// Takes the rows that changed since the last call.
            pub fn take_delta(&mut self) -> Delta {
                let mut delta = Vec::new();
                $(self.$open.drain_into(&mut delta);)*
                $(self.$own.drain_into(&mut delta);)*
                delta
            }

            pub(super) fn restore_row(
                &mut self,
                tag: u8,
                key: &[u8],
                row: &[u8],
            ) -> Result<(), DecodeError> {
                match tag {
                    $(_ if tag == $open_tag => self.$open.restore(key, row),)*
                    $(_ if tag == $own_tag => self.$own.restore(key, row),)*
                    _ => Err(DecodeError::UnknownTag { field: "table", value: tag.into() }),
                }
            }

            $(
                $(#[$meta])*
                #[must_use]
                pub const fn $open(&self) -> &BTreeMap<$open_key, $open_row> {
                    self.$open.rows()
                }
            )*
        }
    };
}

state! {
    // What everybody may read, in the order of the tags; a tag is never used again.
    public {
        /// The organisations by number.
        organisations[2]: OrganisationId => Organisation,
        /// The identities by key.
        identities[3]: PublicKey => Identity,
        /// The units by number.
        units[5]: UnitId => Unit,
        /// All balances by account.
        balances[6]: AccountKey => Balance,
        /// The sessions by number: live ones and the last few that ended.
        sessions[7]: SessionId => Session,
        /// The orders of the sessions that are kept, by number.
        orders[8]: OrderId => Order,
        /// The trades of the sessions that are kept, by number.
        trades[9]: TradeId => Trade,
        /// What each period of a session cleared at.
        clearings[10]: (SessionId, u8) => PeriodClearing,
        /// The payment instructions by number.
        payments[11]: PaymentId => Payment,
        /// The dispatches by number.
        dispatches[Dispatch::TABLE]: DispatchId => Dispatch,
        /// The meter readings by unit, day and period.
        readings[13]: (UnitId, DeliveryDay, u8) => MeterRecord,
        /// The statement lines by session and place.
        lines[14]: (SessionId, u32) => StatementLine,
        /// The carbon accounts by organisation.
        carbon[15]: OrganisationId => CarbonAccount,
        /// How the certificates of units come about: those that were metered or registered.
        certified[16]: UnitId => CertifiedUnit,
        /// The runs of certificates by number.
        lots[CertificateLot::TABLE]: CertificateLotId => CertificateLot,
        /// What devices have sent, by their keys.
        devices[20]: PublicKey => Device,
        /// Since when units have their devices, where that was changed.
        enrolments[21]: UnitId => Enrolment,
        /// The rules of the market by number; they are kept for ever.
        rules[24]: RuleId => MarketRule,
        /// What carbon did to the price of each period of the joint sessions that are kept.
        pass_through[25]: (SessionId, u8) => PassThrough,
        /// Who answers for the emissions of the settled joint sessions that are kept.
        carbon_shares[26]: (SessionId, OrganisationId) => CarbonShare,
        /// The proposed contracts of the sessions that are kept, by number.
        proposals[27]: ProposalId => Proposal,
        /// What of the listings is taken: the taker's order, and the listing.
        takes[28]: OrderId => OrderId,
        /// The open listings, block proposals and bids by number.
        carbon_orders[32]: CarbonOrderId => CarbonOrder,
        /// The biddings by number: open ones, and those awarded in the last days.
        carbon_biddings[33]: CarbonBiddingId => CarbonBidding,
        /// The deals in allowances of the last days, by number.
        carbon_deals[34]: CarbonDealId => CarbonDeal,
        /// The runs of carbon credits by number.
        credits[35]: CreditLotId => CreditLot,
        /// The obligations by year and organisation.
        obligations[37]: (u16, OrganisationId) => Obligation,
        /// Settled energy by unit and month, of the last four years.
        unit_months[38]: (UnitId, Month) => UnitMonth,
        /// Green use claimed, by organisation and year.
        claims[39]: (OrganisationId, i32) => ClaimedUse,
        /// The projects whose reductions become CCER, by number.
        projects[40]: CcerProjectId => CcerProject,
        /// The offers of certificates by number.
        offers[41]: CertificateOfferId => CertificateOffer,
        /// The green contracts by number: proposed, active, and those ended within two years.
        green_contracts[42]: GreenContractId => GreenContract,
        /// What operators did to sessions, by number: the latest ones.
        interventions[43]: u64 => InterventionRecord,
        /// The seals of settled days, by joint session: the latest ones.
        seals[44]: SessionId => Seal,
        /// Monthly statements by month and organisation: those of the last 14 months.
        months[46]: (Month, OrganisationId) => MonthStatement,
        /// Objections to lines of these months, by number.
        objections[47]: u64 => Objection,
        /// Published real-time prices by day.
        prices[53]: DeliveryDay => PublishedPrices,
        /// What was cut of trades: by day, trade, and period of the day's settlement.
        cuts[54]: (DeliveryDay, TradeId, u8) => Cut,
        /// Corrections and month-end lines of these months, by number.
        later_lines[55]: u64 => LaterLine,
        /// The compliance periods by year.
        compliance_periods[56]: u16 => CompliancePeriod,
        /// What the meters of units say about these months.
        meter_months[57]: (Month, UnitId) => MeterMonth,
        /// The curtailments by number.
        curtailments[58]: u64 => CurtailmentRecord,
        /// The orders over several periods of the sessions that are kept, by number.
        linked_orders[61]: LinkedOrderId => LinkedOrder,
        /// Of orders that are filled to a minimum or not at all: the minimum.
        minimums[62]: OrderId => Energy,
        /// The order over several periods that an order is a part of.
        links[63]: OrderId => LinkedOrderId,
        /// The competitive prices of the periods of sessions with one price a period.
        intervals[64]: (SessionId, u8) => PriceInterval,
    }
    // What only the rules read.
    own {
        /// What organisations are asked for whose payments failed: no more rows than organisations.
        dunnings[70]: OrganisationId => Dunning,
        /// What the deviation schemes of these months need.
        deviation_months[71]: Month => DeviationMonth,
        /// Contracts and meters of units over these months, where their rule compares months.
        unit_deviations[72]: (Month, UnitId) => UnitDeviation,
        /// How far the ledger has come.
        progress[1]: () => Progress,
        /// The last nonce of each signer.
        nonces[4]: PublicKey => u64,
        /// References of deposits and allocations that have counted, by the organisation that gave
        /// them.
        references[18]: (OrganisationId, u64) => (),
        /// The last number given out of each kind that `progress` does not count.
        counters[19]: Counter => u64,
        /// What members do in listing sessions.
        listing_roles[29]: (SessionId, OrganisationId) => ListingRole,
        /// The terms of the allowance market, and its day.
        carbon_market[31]: () => CarbonMarket,
        /// Hashes of the outside ids of credits that have counted.
        outside_ids[36]: Digest => (),
        /// Of a settled session: what each unit's energy got, and what it had metered and not
        /// certified before it.
        openings[45]: (SessionId, UnitId) => (CertificateKind, Energy),
        /// The limits of organisations by month: of months that are not long past.
        member_limits[48]: (OrganisationId, Month) => MemberLimits,
        /// What organisations have traded by month: of months that are not long past.
        traded[49]: (OrganisationId, Month) => MonthTraded,
        /// The limits of the sessions that are kept.
        session_limits[50]: SessionId => SessionLimits,
        /// The last price of each period in a continuous phase after a call.
        last_prices[60]: (SessionId, u8) => Price,
    }
}
