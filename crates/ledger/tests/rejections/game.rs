//! 350 and 351: the second stage by uplift, and the price of allowances from the last close.

use crate::common::chain::Chain;
use crate::common::market::{COAL, DAY, Who, genesis, notice, sell};
use duet_ledger::{Action, CarbonReference, SecondStageDesign};
use std::collections::BTreeSet;

pub(crate) fn provoke() -> BTreeSet<&'static str> {
    let mut genesis = genesis();
    genesis.rules[0].trading.second_stage = SecondStageDesign::Uplift;
    let mut chain = Chain::founded_on(genesis);
    let mut uplift = notice(DAY);
    uplift.terms.second_stage = SecondStageDesign::Uplift;
    let mut last_close = uplift.clone();
    last_close.terms.carbon_reference = CarbonReference::LastClose;
    chain.table(vec![
        (Who::Exchange, Action::OpenSession(last_close), "no-close"),
        (Who::Exchange, Action::OpenSession(uplift), "ok"),
        (Who::Coal, sell(COAL, 0, 301, 1), "above-registered-cost"),
    ]);
    chain.provoked
}
