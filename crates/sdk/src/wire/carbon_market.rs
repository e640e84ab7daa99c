//! The allowance market: its terms and day, book, orders, biddings, deals.

use super::{Big, CarbonAccount, Day, Hex32, Side, mirror, request, view};
use duet_ledger::{Band, Level};
use duet_units::{BasisPoints, CarbonPrice};

request! {
    /// A span of the day: from a minute to before another, counted from 00:00 in UTC+8.
    Hours {
        /// The first minute.
        from_minute: u16 = from: |minute| minute, |minute| minute;
        /// The minute behind the last.
        until_minute: u16 = until: |minute| minute, |minute| minute;
    }
}

request! {
    /// The terms of the allowance market.
    CarbonTerms {
        /// The first part of the hours of listed agreements.
        morning: Hours = morning: Hours::into, Hours::from;
        /// Their second part.
        afternoon: Hours = afternoon: Hours::into, Hours::from;
        /// The hours of block agreements.
        block: Hours = block: Hours::into, Hours::from;
        /// How far a listing may be from the previous close.
        listed_band_bp: i64 = listed_band: BasisPoints::from_bp, BasisPoints::bp;
        /// How far a block agreement may be from the previous close.
        block_band_bp: i64 = block_band: BasisPoints::from_bp, BasisPoints::bp;
        /// Whether block agreements count for the close.
        blocks_count: bool = blocks_count: |count| count, |count| count;
    }
}

mirror! {
    /// At which price the winners of a bidding deal.
    Pricing {
        /// Each at its own bid.
        PayAsBid,
        /// All at the worst bid that won something.
        Uniform,
    }
}

mirror! {
    /// Where a bidding stands.
    CarbonBiddingState {
        /// Taking bids, or about to.
        Open,
        /// Awarded: final.
        Awarded,
    }
}

mirror! {
    /// How a deal came about.
    CarbonMode {
        /// A listed agreement.
        Listed,
        /// A block agreement.
        Block,
        /// A one-way bidding.
        Bidding,
    }
}

view! {
    /// The allowance market: its terms, its current day, and its book without names.
    CarbonMarket(row: &duet_ledger::CarbonMarket, book: CarbonBook) {
        /// The day.
        day: Day = Day(row.day);
        /// The close of the day before: the reference price of allowances.
        previous_close_fen_per_t: i64 = row.previous_close.fen_per_t();
        /// The price of the first listed deal of the day.
        first_fen_per_t: Option<i64> = row.first.map(CarbonPrice::fen_per_t);
        /// The close if the day ended now.
        close_fen_per_t: i64 = row.close().unwrap_or(row.previous_close).fen_per_t();
        /// What was dealt on the day and counts for the close.
        dealt_t: i64 = row.dealt.t();
        /// The lowest price of a listing.
        listed_lowest_fen_per_t: Option<i64> =
            band(row, row.terms.listed_band).map(|band| band.lowest.fen_per_t());
        /// The highest price of a listing.
        listed_highest_fen_per_t: Option<i64> =
            band(row, row.terms.listed_band).map(|band| band.highest.fen_per_t());
        /// The lowest price of a block.
        block_lowest_fen_per_t: Option<i64> =
            band(row, row.terms.block_band).map(|band| band.lowest.fen_per_t());
        /// The highest price of a block.
        block_highest_fen_per_t: Option<i64> =
            band(row, row.terms.block_band).map(|band| band.highest.fen_per_t());
        /// The terms of the day.
        terms: CarbonTerms = row.terms.clone().into();
        /// The terms from the next day on, if they are others.
        next_terms: Option<CarbonTerms> = row.next_terms.clone().map(Into::into);
        /// The five best prices of each side.
        book: CarbonBook = book;
    }
}

fn band(row: &duet_ledger::CarbonMarket, width: BasisPoints) -> Option<Band> {
    Band::around(row.previous_close, width).ok()
}

view! {
    /// A price of the book, and how much is listed at it by all together.
    CarbonLevel(level: Level) {
        /// The price.
        price_fen_per_t: i64 = level.price.fen_per_t();
        /// The quantity of all listings at this price.
        allowances_t: i64 = level.quantity.t();
    }
}

view! {
    /// The five best prices of each side, best first.
    CarbonBook(state: &duet_ledger::State) {
        /// What is wanted.
        buy: Vec<CarbonLevel> = levels(state, duet_ledger::Side::Buy);
        /// What is for sale.
        sell: Vec<CarbonLevel> = levels(state, duet_ledger::Side::Sell);
    }
}

fn levels(state: &duet_ledger::State, side: duet_ledger::Side) -> Vec<CarbonLevel> {
    state.carbon_levels(side).into_iter().map(CarbonLevel::new).collect()
}

view! {
    /// An open listing, proposal of a block, or bid.
    CarbonOrder(
        channel: &duet_ledger::ChannelId,
        id: duet_ledger::CarbonOrderId,
        row: &duet_ledger::CarbonOrder
    ) {
        /// Its number.
        id: u64 = id.0;
        /// Its owner.
        owner: u32 = row.owner.0;
        /// What the owner does.
        side: Side = row.side.into();
        /// What is left of it.
        allowances_t: i64 = row.allowances.t();
        /// The price of a tonne.
        price_fen_per_t: i64 = row.price.fen_per_t();
        /// Of the proposal of a block: the other party.
        counterparty: Option<u32> = row.counterparty.map(|id| id.0);
        /// Of the proposal of a block: what the other party signs.
        proposal: Option<Hex32> =
            row.counterparty.map(|_| Hex32(row.proposal_hash(channel, id)));
        /// Of a bid: the bidding.
        bidding: Option<u64> = row.bidding.map(|id| id.0);
    }
}

view! {
    /// The carbon side of an organisation, with its open orders and the blocks proposed to it.
    CarbonAccountDetail(
        state: &duet_ledger::State,
        organisation: duet_ledger::OrganisationId,
        account: &duet_ledger::CarbonAccount
    ) {
        /// The organisation.
        organisation: u32 = organisation.0;
        /// Its account.
        account: CarbonAccount = CarbonAccount::new(account);
        /// What it may sell today.
        sellable_t: i64 = account.sellable(state.time().day()).unwrap_or_default().t();
        /// Its listings and blocks, and blocks proposed to it; bids are sealed.
        orders: Vec<CarbonOrder> = orders_of(state, organisation);
    }
}

fn orders_of(
    state: &duet_ledger::State,
    organisation: duet_ledger::OrganisationId,
) -> Vec<CarbonOrder> {
    let orders = state.carbon_orders().iter().filter(|(_, order)| order.bidding.is_none());
    orders
        .filter(|(_, order)| {
            order.owner == organisation || order.counterparty == Some(organisation)
        })
        .map(|(id, order)| CarbonOrder::new(state.channel(), *id, order))
        .collect()
}

view! {
    /// A one-way bidding.
    CarbonBidding(id: duet_ledger::CarbonBiddingId, row: &duet_ledger::CarbonBidding) {
        /// Its number.
        id: u64 = id.0;
        /// Who announced it.
        owner: u32 = row.owner.0;
        /// What the owner does; the bidders do the opposite.
        side: Side = row.side.into();
        /// How much is offered or wanted.
        allowances_t: i64 = row.allowances.t();
        /// The worst price the owner takes.
        reserve_fen_per_t: i64 = row.reserve.fen_per_t();
        /// What winners pay or get.
        pricing: Pricing = row.pricing.into();
        /// When bids are taken from.
        opens_ms: i64 = row.opens.unix_ms();
        /// When it is awarded.
        closes_ms: i64 = row.closes.unix_ms();
        /// Where it stands.
        state: CarbonBiddingState = row.state.into();
        /// How much was awarded.
        awarded_t: i64 = row.awarded.t();
    }
}

view! {
    /// A deal in allowances, without names.
    CarbonDeal(id: duet_ledger::CarbonDealId, row: &duet_ledger::CarbonDeal) {
        /// Its number.
        id: u64 = id.0;
        /// When: the time of its block.
        time_ms: i64 = row.time.unix_ms();
        /// How.
        mode: CarbonMode = row.mode.into();
        /// The listing, proposal or bid.
        order: u64 = row.order.0;
        /// How much.
        allowances_t: i64 = row.allowances.t();
        /// The price of a tonne.
        price_fen_per_t: i64 = row.price.fen_per_t();
        /// What was paid.
        amount_fen: Big = Big(row.amount.fen());
    }
}
