//! Listing against the rule followed taker by taker.

use duet_market::listing::{Sharing, Source, Take, share};
use duet_units::Energy;

use crate::random::Random;
use crate::shares::shares;
use crate::{done, operations};

/// Serves the takers who pass a test in proportion to what they want, from what is left.
fn serve(takes: &[Take], left: &mut i64, got: &mut [i64], passes: impl Fn(usize, &Take) -> bool) {
    let members: Vec<usize> = (0..takes.len()).filter(|at| passes(*at, &takes[*at])).collect();
    let wanted: Vec<i64> = members.iter().map(|at| takes[*at].quantity.kwh()).collect();
    let total = wanted.iter().sum::<i64>().min(*left);
    for (at, part) in members.into_iter().zip(shares(total, &wanted)) {
        got[at] = part;
    }
    *left -= total;
}

fn model(listed: i64, takes: &[Take], sharing: Sharing) -> Vec<i64> {
    let (mut left, mut got) = (listed, vec![0; takes.len()]);
    match sharing {
        Sharing::Time => {
            for turn in 0..takes.len() {
                serve(takes, &mut left, &mut got, |at, _| at == turn);
            }
        }
        Sharing::ProRata => serve(takes, &mut left, &mut got, |_, _| true),
        Sharing::Windows => {
            let last = takes.iter().map(|take| take.window).max().unwrap_or(0);
            for window in 0..=last {
                for source in [Source::Clean, Source::Other] {
                    serve(takes, &mut left, &mut got, |_, take| {
                        take.window == window && take.source == source
                    });
                }
            }
        }
    }
    got
}

#[test]
fn listing_equals_serving_taker_by_taker() {
    let mut random = Random::new(3);
    let (mut done_so_far, mut deals) = (0, 0);
    while done_so_far < operations() {
        let listed = random.below(20_000);
        let mut take = |_| Take {
            quantity: Energy::from_kwh(random.below(2_000)),
            window: u32::try_from(random.below(4)).unwrap(),
            source: if random.below(2) == 0 { Source::Clean } else { Source::Other },
        };
        let takes: Vec<Take> = (0..1 + done_so_far % 30).map(&mut take).collect();
        for sharing in [Sharing::Time, Sharing::ProRata, Sharing::Windows] {
            let got = share(Energy::from_kwh(listed), &takes, sharing).unwrap();
            let got: Vec<i64> = got.into_iter().map(Energy::kwh).collect();
            assert_eq!(got, model(listed, &takes, sharing), "{sharing:?} {listed} {takes:?}");
            deals += u64::try_from(got.iter().filter(|kwh| 0 < **kwh).count()).unwrap();
        }
        done_so_far += u64::try_from(3 * takes.len()).unwrap();
    }
    done("listing", done_so_far, deals);
}
