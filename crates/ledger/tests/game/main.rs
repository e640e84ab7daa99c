//! The second stage of the joint session as a term of it: its designs, its lottery, and the price
//! of allowances that a session takes from the market.

#[path = "../common/mod.rs"]
mod common;

mod lottery;
mod reference;
mod uplift;

use common::chain::Chain;
use common::market::*;
use duet_ledger::*;
use duet_units::{BasisPoints, DeliveryDay};

/// A chain whose first rule lays down this second stage, and the notice of its first day.
fn chain_with(design: SecondStageDesign, chance: i64) -> (Chain, SessionNotice) {
    let mut genesis = genesis();
    let trading = &mut genesis.rules[0].trading;
    trading.second_stage = design;
    trading.second_stage_chance = BasisPoints::from_bp(chance);
    (Chain::founded_on(genesis), announced(DAY, design, chance))
}

fn announced(day: DeliveryDay, design: SecondStageDesign, chance: i64) -> SessionNotice {
    let mut notice = notice(day);
    notice.terms.second_stage = design;
    notice.terms.second_stage_chance = BasisPoints::from_bp(chance);
    notice
}

/// In every one of the first periods coal and wind sell 20 and 5 MWh, and the retailer at 500 and
/// the factory at 350 buy 10 MWh each.
///
/// The call: 10 MWh at 400. Wind sells its 5, and coal, which asks 300 and 100 of carbon, 5. What
/// is left: 15 MWh of coal at 400, the factory's 10 at 350.
fn trade(chain: &mut Chain, notice: SessionNotice, periods: u8) -> SessionId {
    let session = chain.done(Who::Exchange, Action::OpenSession(notice));
    let session = SessionId(u32::try_from(session).unwrap());
    let of = |action| match action {
        Action::SubmitOrder(request) => Action::SubmitOrder(OrderRequest { session, ..request }),
        _ => panic!("not an order"),
    };
    for period in 0..periods {
        chain.done(Who::Coal, of(sell(COAL, period, 300, 20)));
        chain.done(Who::Wind, of(sell(WIND, period, 0, 5)));
        chain.done(Who::Retail, of(buy(RETAIL, period, 500, 10)));
        chain.done(Who::Factory, of(buy(FACTORY, period, 350, 10)));
    }
    session
}

fn funded(chain: &mut Chain) {
    chain.done(Who::Bank, deposit(Who::Retail, yuan(1_000_000), 1));
    chain.done(Who::Bank, deposit(Who::Factory, yuan(1_000_000), 2));
}

fn clearing(chain: &Chain, session: SessionId, period: u8) -> PeriodClearing {
    chain.state.clearings()[&(session, period)].clone()
}
