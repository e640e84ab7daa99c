//! Safeguard A takes the sellers' gain from raising asks; buyers keep one.

use std::path::Path;

use duet_study::incentives::{Design, DesignResult, Incentives};
use duet_study::table1::TableScenario;

#[test]
fn the_registered_ask_removes_what_sellers_gain_from_the_second_stage() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/table1");
    let scenario = TableScenario::load(&folder).unwrap();
    let study = Incentives::run(&scenario, 2, &mut |_| {}).unwrap();
    let of = |design: Design| -> DesignResult {
        *study.designs.iter().find(|result| result.design == design).unwrap()
    };
    let (first, uniform) = (of(Design::FirstStageOnly), of(Design::Uniform));
    let (guarded, half) = (of(Design::RegisteredAsk), of(Design::LotteryHalf));

    assert!(first.second_stage_mwh.abs() < 1e-9 && guarded.second_stage_mwh > 0.0);
    assert!(uniform.sellers.gain > 0.5, "{uniform:?}");
    assert!(guarded.sellers.gain <= first.sellers.gain + 0.05, "{guarded:?}");
    assert!(guarded.buyers.gain > 0.5, "buyers keep a gain: {guarded:?}");
    assert!(half.buyers.gain < guarded.buyers.gain, "{half:?}");
    assert!((half.second_stage_mwh * 2.0 - guarded.second_stage_mwh).abs() < 1e-3);
}
