//! What goes wrong in a run.

use crate::liar::Misdeed;
use duet_consensus::simulation::{Fault, Link};
use std::{fmt, time::Duration};

/// Every link when nothing is wrong: validators in cities a few hundred kilometres apart.
const CALM: Link =
    Link { latency: Duration::from_millis(10), jitter: Duration::from_millis(3), loss_percent: 0 };
/// The validator that the institutions talk to: it never crashes, so that they need not log in
/// elsewhere.
const SERVING: usize = 0;
/// How many validators there are.
pub(crate) const VALIDATORS: usize = 4;

/// Everything that decides a run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) seed: u64,
    pub(crate) link: Link,
    pub(crate) faults: Vec<(Duration, Fault)>,
    pub(crate) misdeed: Option<Misdeed>,
    story: Vec<String>,
}

/// A part of a run, since its start on the simulated clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// When it begins.
    pub from: Duration,
    /// When it ends.
    pub to: Duration,
}

impl Window {
    /// Whether `at` is within.
    #[must_use]
    pub fn holds(self, at: Duration) -> bool {
        self.from <= at && at < self.to
    }
}

impl Plan {
    /// Nothing goes wrong.
    #[must_use]
    pub const fn calm(seed: u64) -> Self {
        Self { seed, link: CALM, faults: Vec::new(), misdeed: None, story: Vec::new() }
    }

    /// A validator loses its memory and its connections at a time, and starts again on its disk
    /// after `down`.
    ///
    /// # Panics
    ///
    /// Panics for the first validator, which the institutions talk to, and for one that there is
    /// not.
    #[must_use]
    pub fn with_crash(mut self, validator: usize, at: Duration, down: Duration) -> Self {
        assert!(SERVING < validator && validator < VALIDATORS, "validators 1, 2 and 3 may crash");
        self.faults.push((at, Fault::Crash(validator)));
        self.faults.push((at + down, Fault::Restart(validator)));
        self.tell(format!("validator {validator} crashes at {at:.1?} for {down:.1?}"))
    }

    /// Two validators and the other two do not hear each other for a time.
    #[must_use]
    pub fn with_partition(mut self, at: Duration, lasting: Duration) -> Self {
        self.faults.push((at, Fault::Partition(vec![0, 1])));
        self.faults.push((at + lasting, Fault::Heal));
        self.tell(format!("2|2 partition at {at:.1?} for {lasting:.1?}"))
    }

    /// The network splits into halves and heals again so many times, each time for part of a view,
    /// so that votes and certificates of one block reach some validators and not others.
    #[must_use]
    pub fn with_storm(mut self, at: Duration, splits: u32) -> Self {
        const HALVES: [[usize; 2]; 3] = [[0, 1], [0, 2], [0, 3]];
        let mut draw = Draw(self.seed);
        let mut time = at;
        for _ in 0..splits {
            let half = HALVES[draw.below(3) as usize];
            self.faults.push((time, Fault::Partition(half.to_vec())));
            time += Duration::from_millis(40 + draw.below(160));
            self.faults.push((time, Fault::Heal));
            time += Duration::from_millis(40 + draw.below(160));
        }
        self.tell(format!("{splits} short splits from {at:.1?} to {time:.1?}"))
    }

    /// So many messages of a hundred are lost.
    #[must_use]
    pub fn with_loss(mut self, percent: u8) -> Self {
        self.link.loss_percent = percent;
        self.tell(format!("{percent} % of messages lost"))
    }

    /// The last validator cheats in every second block that it proposes.
    #[must_use]
    pub fn with_liar(mut self, misdeed: Misdeed) -> Self {
        self.misdeed = Some(misdeed);
        self.tell(format!("a validator proposes {misdeed}"))
    }

    /// The plan of a seed, for many runs one after another: each kind of fault in turn, at times
    /// within `trading`.
    #[must_use]
    pub fn drawn(seed: u64, trading: Window) -> Self {
        let mut draw = Draw(seed);
        let calm = Self::calm(seed);
        let misdeed = Misdeed::ALL[draw.below(Misdeed::ALL.len() as u64) as usize];
        match seed % 8 {
            0 => calm.with_storm(trading.from, 60),
            1 => calm.drawn_crash(&mut draw, trading),
            2 => calm.drawn_partition(&mut draw, trading),
            3 => calm.with_loss(20),
            4 => calm.drawn_crash(&mut draw, trading).with_loss(5),
            5 => calm.with_liar(misdeed),
            6 => calm.drawn_crash(&mut draw, trading).drawn_partition(&mut draw, trading),
            _ => calm.with_liar(misdeed).with_loss(10),
        }
    }

    fn drawn_crash(self, draw: &mut Draw, trading: Window) -> Self {
        let validator = 1 + draw.below(VALIDATORS as u64 - 1) as usize;
        let at = draw.within(trading);
        let down = Duration::from_millis(300 + draw.below(4_000));
        self.with_crash(validator, at, down)
    }

    fn drawn_partition(self, draw: &mut Draw, trading: Window) -> Self {
        let at = draw.within(trading);
        self.with_partition(at, Duration::from_millis(2_000 + draw.below(10_000)))
    }

    fn tell(mut self, what: String) -> Self {
        self.faults.sort_by_key(|(at, _)| *at);
        self.story.push(what);
        self
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.story.is_empty() {
            return f.write_str("nothing goes wrong");
        }
        f.write_str(&self.story.join(", "))
    }
}

/// Random numbers by splitmix64 (Steele, Lea, Flood, OOPSLA 2014): enough to scatter faults.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn within(&mut self, window: Window) -> Duration {
        let whole = window.to.saturating_sub(window.from).as_millis();
        let whole = u64::try_from(whole).unwrap_or(u64::MAX).max(1);
        window.from + Duration::from_millis(self.below(whole))
    }
}
