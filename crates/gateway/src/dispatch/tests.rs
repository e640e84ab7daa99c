//! What moves a unit, and what does not. The unit makes 50 kW, may make 20 to 100, in steps of 30.

use duet_ledger::{DispatchState, SessionId, UnitId};
use duet_units::Power;
use proptest::prelude::*;

use super::*;
use crate::field::{FieldEvent, Value};
use crate::reading::Flags;

const DAY: i32 = 20_640;

fn rule() -> SetpointRule {
    SetpointRule {
        name: "u.set".into(),
        unit: 4,
        w_per_count: 100,
        min_kw: 20,
        max_kw: 100,
        max_step_kw: 30,
        power: "u.power".into(),
        interlocks: vec!["u.breaker".into()],
        fresh_ms: 30_000,
    }
}

fn noon() -> ClockTime {
    DeliveryDay::from_days(DAY).start().plus_ms(12 * 3_600_000)
}

fn dispatch(kw: i64) -> Dispatch {
    Dispatch {
        session: SessionId(1),
        unit: UnitId(4),
        day: DeliveryDay::from_days(DAY),
        setpoints: vec![Power::from_kw(kw); 24],
        issued_at: noon(),
        state: DispatchState::Issued,
        cause: 0,
    }
}

fn event(name: &str, value: Value) -> FieldEvent {
    FieldEvent { name: name.into(), value, at: noon(), flags: Flags::GOOD }
}

fn image(watts: i64) -> Image {
    let mut image = Image::default();
    image.take(event("u.power", Value::Power(watts)));
    image.take(event("u.breaker", Value::State(true)));
    image
}

fn follower(kw: i64) -> Follower {
    let mut follower = Follower::new([rule()]);
    let answer = follower.consider(DispatchId(7), &dispatch(kw), noon());
    assert!(answer.accepted, "{answer:?}");
    follower
}

/// The command of this number.
fn due(counts: i64, number: u64) -> Vec<Due> {
    vec![Due { unit: 4, name: "u.set".into(), counts, number }]
}

#[test]
fn a_dispatch_within_the_limits_is_accepted_and_followed() {
    let mut follower = follower(70);
    assert_eq!(follower.due(&image(50_000), noon()), due(700, 1));
    assert_eq!(follower.due(&image(50_000), noon()), [], "it was just sent");
    follower.outcome(4, 1, Ok(()));
    assert_eq!(follower.due(&image(70_000), noon().plus_ms(60_000)), [], "it was reached");
    assert_eq!(follower.blocked().count(), 0);
}

#[test]
fn what_must_not_be_followed_is_refused_with_its_cause() {
    let answer = |change: fn(&mut Dispatch), now: ClockTime| {
        let mut dispatch = dispatch(50);
        change(&mut dispatch);
        let answer = Follower::new([rule()]).consider(DispatchId(7), &dispatch, now);
        (answer.accepted, answer.cause)
    };
    assert_eq!(answer(|_| {}, noon()), (true, 0));
    assert_eq!(answer(|d| d.unit = UnitId(5), noon()), (false, 1));
    assert_eq!(answer(|_| {}, noon().plus_ms(12 * 3_600_000)), (false, 2), "over");
    assert_eq!(answer(|d| d.day = DeliveryDay::from_days(DAY + 9), noon()), (false, 2));
    assert_eq!(answer(|d| d.issued_at = d.issued_at.plus_ms(61_000), noon()), (false, 3));
    assert_eq!(answer(|d| d.setpoints.truncate(23), noon()), (false, 4));
    assert_eq!(answer(|d| d.setpoints.clear(), noon()), (false, 4));
    assert_eq!(answer(|d| d.setpoints[3] = Power::from_kw(101), noon()), (false, 5));
    assert_eq!(answer(|d| d.setpoints[3] = Power::from_kw(19), noon()), (false, 5));
    assert_eq!(answer(|d| d.setpoints[3] = Power::from_kw(i64::MAX), noon()), (false, 5));
}

#[test]
fn an_older_dispatch_does_not_replace_a_later_one() {
    let mut follower = follower(70);
    let older = follower.consider(DispatchId(6), &dispatch(40), noon());
    assert_eq!((older.accepted, older.cause), (false, 6));
    assert!(follower.consider(DispatchId(8), &dispatch(60), noon()).accepted);
    assert_eq!(follower.due(&image(50_000), noon()), due(600, 1));
}

#[test]
fn a_unit_moves_in_steps_from_the_power_it_makes() {
    let mut follower = follower(100);
    assert_eq!(follower.due(&image(20_000), noon()), due(500, 1));
    follower.outcome(4, 1, Ok(()));
    let later = noon().plus_ms(10_000);
    assert_eq!(follower.due(&image(49_950), later), due(790, 2), "a whole kW");
    follower.outcome(4, 2, Ok(()));
    assert_eq!(follower.due(&image(80_000), later.plus_ms(10_000)), due(1_000, 3));
}

#[test]
fn an_open_interlock_or_an_unknown_value_blocks_the_unit() {
    let blocked = |change: &dyn Fn(&mut Image)| {
        let mut image = image(50_000);
        change(&mut image);
        let mut follower = follower(70);
        assert_eq!(follower.due(&image, noon()), []);
        follower.blocked().next().map(|(_, cause)| cause)
    };
    let open = event("u.breaker", Value::State(false));
    assert_eq!(blocked(&|i| i.take(open.clone())), Some(Cause::Interlock));
    let old = FieldEvent { at: noon().plus_ms(-30_001), ..event("u.power", Value::Power(50_000)) };
    assert_eq!(blocked(&|i| i.take(old.clone())), Some(Cause::NotKnown));
    for flags in [Flags::INVALID, Flags::STALE, Flags::SUBSTITUTED, Flags::CLOCK] {
        let bad = FieldEvent { flags, ..event("u.breaker", Value::State(true)) };
        assert_eq!(blocked(&|i| i.take(bad.clone())), Some(Cause::NotKnown), "{flags}");
    }
    assert_eq!(blocked(&|i| *i = Image::default()), Some(Cause::NotKnown));
}

#[test]
fn a_station_that_fails_is_told_again_after_a_pause() {
    let mut follower = follower(70);
    assert_eq!(follower.due(&image(50_000), noon()), due(700, 1));
    follower.outcome(4, 1, Err(CommandFailure::Timeout));
    assert_eq!(follower.blocked().next().map(|(_, c)| c.code()), Some(34));
    assert_eq!(follower.due(&image(50_000), noon().plus_ms(9_999)), []);
    assert_eq!(follower.due(&image(50_000), noon().plus_ms(10_000)), due(700, 2));
}

#[test]
fn what_came_of_an_earlier_command_is_not_booked_on_the_present_one() {
    let mut dispatch = dispatch(70);
    dispatch.setpoints[13] = Power::from_kw(40);
    let mut follower = Follower::new([rule()]);
    follower.consider(DispatchId(7), &dispatch, noon());
    let end = noon().plus_ms(3_600_000);
    let at = |now: ClockTime| {
        let mut image = image(50_000);
        for name in ["u.power", "u.breaker"] {
            let event = FieldEvent { at: now, ..image.values_for_test(name) };
            image.take(event);
        }
        image
    };
    let before = end.plus_ms(-2_000);
    assert_eq!(follower.due(&at(before), before), due(700, 1));
    assert_eq!(follower.due(&at(end), end), [], "one thing at a time");
    follower.outcome(4, 1, Ok(()));
    assert_eq!(follower.due(&at(end), end), due(400, 2));
    follower.outcome(4, 1, Ok(()));
    follower.outcome(4, 2, Err(CommandFailure::Timeout));
    let later = end.plus_ms(10_000);
    assert_eq!(follower.due(&at(later), later), due(400, 3), "it was not reached");
}

#[test]
fn a_target_that_the_scale_does_not_hold_is_reached_where_it_was_written() {
    let mut follower = Follower::new([SetpointRule { w_per_count: 300, ..rule() }]);
    follower.consider(DispatchId(7), &dispatch(70), noon());
    assert_eq!(follower.due(&image(50_000), noon()), due(233, 1));
    follower.outcome(4, 1, Ok(()));
    assert_eq!(follower.due(&image(69_900), noon().plus_ms(20_000)), []);
}

#[test]
fn each_period_has_its_own_set_point_and_the_day_after_has_none() {
    let mut dispatch = dispatch(70);
    dispatch.setpoints[13] = Power::from_kw(40);
    dispatch.setpoints[14] = Power::ZERO;
    let mut follower = Follower::new([rule()]);
    follower.consider(DispatchId(7), &dispatch, noon());
    let at = |hour: i64| DeliveryDay::from_days(DAY).start().plus_ms(hour * 3_600_000);
    let image_at = |hour: i64| {
        let mut image = image(50_000);
        for name in ["u.power", "u.breaker"] {
            let mut event = image.values_for_test(name);
            event.at = at(hour);
            image.take(event);
        }
        image
    };
    assert_eq!(follower.due(&image_at(12), at(12)), due(700, 1));
    assert_eq!(follower.due(&image_at(13), at(13)), due(400, 2));
    assert_eq!(follower.due(&image_at(14), at(14)), [], "zero below the least is no instruction");
    assert_eq!(follower.due(&image_at(24), at(24)), []);
}

proptest! {
    #[test]
    fn no_command_leaves_the_limits_or_the_largest_step(
        target in -200_000..400_000_i64,
        power in -50_000..300_000_i64,
        w_per_count in 1..90_000_i64,
    ) {
        let rule = SetpointRule { w_per_count, ..rule() };
        if let Ok(watts) = rule.decide(target, &image(power), noon()) {
            prop_assert!((20_000..=100_000).contains(&watts));
            // From a power outside the limits the unit is brought back to them at once.
            if (20_000..=100_000).contains(&power) {
                prop_assert!((watts - power).abs() <= 30_000 + w_per_count);
            }
            prop_assert_eq!(watts % w_per_count, 0);
        }
    }
}
