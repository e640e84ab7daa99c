//! Every certificate on its own, in a naive model, against the runs of the ledger.

use crate::common::certificate::{
    claim, freeze, move_lot, offer, retire, settled_day, take, withdraw,
};
use crate::common::chain::Chain;
use crate::common::market::{DAY, Who, deposit, yuan};
use crate::common::random::Random;
use duet_ledger::{
    Action, CertificateAction, CertificateLotId, CertificateOfferId, CertificateState,
    OrganisationId, RetirementPurpose,
};
use duet_units::DeliveryDay;
use std::collections::BTreeMap;

/// What the model knows of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
struct One {
    owner: OrganisationId,
    moved: bool,
    ended: bool,
}

const MEMBERS: [Who; 4] = [Who::Wind, Who::Coal, Who::Retail, Who::Factory];

fn assert_agrees(chain: &Chain, model: &BTreeMap<u64, One>) {
    let mut seen = BTreeMap::new();
    for lot in chain.state.lots().values() {
        for number in lot.first..lot.first + lot.count {
            let one = One {
                owner: lot.owner,
                moved: lot.transferred.is_some(),
                ended: !lot.state.is_live(),
            };
            assert_eq!(seen.insert(number, one), None, "{number} is in two runs");
            assert_eq!(chain.state.lot_of(number).unwrap().1, lot);
        }
        assert_eq!(lot.transferred.is_some(), lot.owner != Who::Wind.organisation());
        assert_eq!(lot.ended.is_some(), lot.state == CertificateState::Retired);
    }
    assert_eq!(&seen, model);
}

#[test]
#[expect(clippy::cognitive_complexity, reason = "one arm for each operation")]
fn runs_are_what_a_model_of_single_certificates_says() {
    let (mut chain, mut random) = (Chain::new(), Random(5));
    chain.done(Who::Bank, deposit(Who::Retail, yuan(1_000_000), 1));
    chain.done(Who::Bank, deposit(Who::Factory, yuan(1_000_000), 2));
    let mut model = BTreeMap::new();
    for place in 0..4 {
        settled_day(&mut chain, DeliveryDay::from_days(DAY.days() + 2 * place), 40, 30);
    }
    let one = One { owner: Who::Wind.organisation(), moved: false, ended: false };
    model.extend((1..=160).map(|number| (number, one.clone())));
    assert_agrees(&chain, &model);
    let (mut moves, mut ends) = (0, 0);
    for _ in 0..900 {
        let lots: Vec<u64> = chain.state.lots().keys().map(|id| id.0).collect();
        let offers: Vec<u64> = chain.state.offers().keys().map(|id| id.0).collect();
        let (id, count) = (random.pick(&lots), random.between(0, 5).unsigned_abs());
        let some = if offers.is_empty() { 1 } else { random.pick(&offers) };
        let row = chain.state.lots()[&CertificateLotId(id)].clone();
        let who = MEMBERS.into_iter().find(|who| who.organisation() == row.owner).unwrap();
        let other = random.pick(&MEMBERS);
        let action = match random.below(8) {
            0 => move_lot(id, count, other),
            1 | 2 => offer(id, count, random.between(0, 900).into(), None),
            3 => {
                let row = chain.state.offers().get(&CertificateOfferId(some));
                let first = row.map(|row| chain.state.lots()[&row.lot].first);
                if chain.send(other, take(some, count)).is_ok() {
                    let first = first.unwrap();
                    for number in first..first + count {
                        let one = model.get_mut(&number).unwrap();
                        assert!(!one.moved && !one.ended, "{number}");
                        (one.owner, one.moved) = (other.organisation(), true);
                        moves += 1;
                    }
                }
                assert_agrees(&chain, &model);
                continue;
            }
            4 => withdraw(some),
            5 => claim(id, count, other.organisation(), 2026),
            6 => retire(id, count, RetirementPurpose::Claim, "a bakery"),
            _ => freeze(id, random.one_in(3)),
        };
        use Action::{Certificate, RetireCertificates, TransferCertificates};
        let freezes = matches!(&action, Certificate(CertificateAction::Freeze(_)));
        let signer = if freezes { Who::Registry } else { who };
        let moving = matches!(action, TransferCertificates { .. });
        let claims = matches!(&action, Certificate(CertificateAction::Claim(_)));
        let ending = claims || matches!(action, RetireCertificates { .. });
        if chain.send(signer, action).is_ok() {
            for number in row.first..row.first + count {
                let one = model.get_mut(&number).unwrap();
                if moving {
                    assert!(!one.moved && !one.ended, "{number}");
                    (one.owner, one.moved) = (other.organisation(), true);
                    moves += 1;
                }
                if ending {
                    assert!(!one.ended, "{number}");
                    one.ended = true;
                    ends += 1;
                }
            }
        }
        assert_agrees(&chain, &model);
    }
    assert!(moves > 20 && ends > 20, "{moves} moved, {ends} ended");
}
