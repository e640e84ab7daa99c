//! A month's settlement of a whole market: every participant, every quarter of an hour.
//!
//! `cargo bench -p duet-market --bench month`; `-- PARTICIPANTS DAYS` for another size. Readings
//! are made as they are needed and lines are added up as they come, so that memory is what a
//! statement needs and not what a month of readings takes. The digest goes over every line in
//! order: equal digests mean equal statements.

use std::time::{Duration, Instant};

use duet_market::deviation::{Charged, Delivery, FreeBand, free_band, redistribute};
use duet_market::fee::FeeRule;
use duet_market::settlement::Line;
use duet_market::settlement::spot::{Method, SpotEnergy, SpotPrices, settle_spot, true_up};
use duet_units::{BasisPoints, Energy, MicroYuan, Money, OverflowError, Price};

const PERIODS: usize = 96;

/// The size of the market.
#[derive(Clone, Copy)]
struct Size {
    participants: usize,
    days: usize,
}

#[expect(clippy::print_stdout, reason = "a bench prints what it measured")]
fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|text| text.parse().ok()).collect();
    let is_test = std::env::args().any(|text| text == "--test");
    let size = match numbers[..] {
        [participants, days] => Size { participants, days },
        _ if is_test => Size { participants: 20, days: 2 },
        _ => Size { participants: 10_000, days: 30 },
    };
    let started = now();
    let (lines, total, digest) = settle_month(size).expect("the month's numbers fit");
    let took = started.elapsed();
    let Size { participants, days } = size;
    println!("settlement::month/participants={participants} periods={PERIODS} days={days}");
    println!("  {:.3} s, {} lines, {:.1} M lines/s", took.as_secs_f64(), lines, rate(lines, took));
    println!("  sum {} fen, digest {digest:016x}, peak memory {}", total.fen(), peak_memory());
}

#[expect(clippy::disallowed_methods, reason = "the one place where this bench reads the clock")]
fn now() -> Instant {
    Instant::now()
}

fn rate(lines: u64, took: Duration) -> f64 {
    lines as f64 / took.as_secs_f64() / 1e6
}

/// The highest memory the process ever held, as the kernel counts it.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |kb| kb.trim().to_owned())
}

/// The splitmix64 sequence.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: i64) -> i64 {
        (self.next() % bound.unsigned_abs()).cast_signed()
    }
}

/// What has been added up over all lines.
#[derive(Default)]
struct Statements {
    lines: u64,
    total: i128,
    digest: u64,
}

impl Statements {
    fn add(&mut self, line: &Line) {
        self.post(line.amount);
        self.mix(line.quantity.kwh().cast_unsigned());
        self.mix(line.price.milli_yuan_per_mwh().cast_unsigned());
    }

    fn post(&mut self, amount: Money) {
        self.lines += 1;
        self.total += amount.fen();
        self.mix(u64::try_from(amount.fen().rem_euclid(1 << 64)).expect("below 2^64"));
    }

    fn mix(&mut self, word: u64) {
        self.digest = (self.digest ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
    }
}

/// What a participant's month has come to so far.
#[derive(Clone, Default)]
struct Account {
    contracted: Energy,
    days: Vec<Energy>,
}

/// Spot lines of every quarter of an hour; then for each participant the true-up to the month's
/// meter reading, the fee, and the charge of a free band, which goes back in proportion to energy.
fn settle_month(size: Size) -> Result<(u64, Money, u64), OverflowError> {
    let mut random = Random(42);
    let mut statements = Statements::default();
    let mut accounts = vec![Account::default(); size.participants];
    for _ in 0..size.days {
        let prices: Vec<SpotPrices> = (0..PERIODS).map(|_| prices(&mut random)).collect();
        for account in &mut accounts {
            settle_day(account, &prices, &mut random, &mut statements)?;
        }
    }
    let month_price = Price::from_milli_yuan_per_mwh(372_340);
    let fee = FeeRule { of_value_ppm: 300, ..FeeRule::FREE };
    let terms = FreeBand {
        free: BasisPoints::from_bp(300),
        share: BasisPoints::from_bp(500),
        charged: Charged::Both,
    };
    let mut charged = Money::ZERO;
    let mut metered = Vec::with_capacity(accounts.len());
    for account in &accounts {
        let days = Energy::sum(account.days.iter().copied())?;
        let month = days.plus(Energy::from_kwh(random.below(2_001) - 1_000))?;
        statements.add(&true_up(month, &account.days, month_price)?);
        let value = month_price.cost_of(account.contracted)?;
        statements.post(fee.fee(account.contracted, value)?);
        let delivery = Delivery { contracted: account.contracted, metered: month };
        let charge = free_band(&delivery, month_price, &terms)?;
        statements.post(charge.amount.negated()?);
        charged = charged.plus(charge.amount)?;
        metered.push(month);
    }
    for back in redistribute(charged, &metered)? {
        statements.post(back);
    }
    Ok((statements.lines, Money::from_fen(statements.total), statements.digest))
}

fn settle_day(
    account: &mut Account,
    prices: &[SpotPrices],
    random: &mut Random,
    statements: &mut Statements,
) -> Result<(), OverflowError> {
    let (mut contracted, mut metered) = (account.contracted, Energy::ZERO);
    for prices in prices {
        let energy = energy(random);
        for line in settle_spot(&energy, prices, Method::Two)? {
            statements.add(&line);
        }
        contracted = contracted.plus(energy.contracted)?;
        metered = metered.plus(energy.metered)?;
    }
    account.contracted = contracted;
    account.days.push(metered);
    Ok(())
}

/// Up to 65 MWh contracted in a quarter of an hour; day-ahead and metered energy near it.
fn energy(random: &mut Random) -> SpotEnergy {
    let bits = random.next();
    let part = |shift: u32, mask: u64| ((bits >> shift) & mask).cast_signed();
    let contracted = part(0, 0xFFFF);
    let near = |deviation: i64| Energy::from_kwh((contracted + deviation - 0x0800).max(0));
    // Contracts near 380 yuan/MWh.
    let milli = 320_000 + part(48, 0xFFFF) * 120_000 / 0xFFFF;
    SpotEnergy {
        contracted: Energy::from_kwh(contracted),
        contract_value: MicroYuan::from_micro_yuan(i128::from(milli) * i128::from(contracted)),
        day_ahead: Some(near(part(16, 0x0FFF))),
        metered: near(part(32, 0x0FFF)),
    }
}

fn prices(random: &mut Random) -> SpotPrices {
    let mut near =
        |milli: i64| Price::from_milli_yuan_per_mwh(milli - 60_000 + random.below(120_001));
    SpotPrices { day_ahead: near(410_000), real_time: near(455_000), reference: near(400_000) }
}
