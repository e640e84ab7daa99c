//! One simulated machine: a power that ramps to its set-point, and the energy it makes.

use super::Behaviour;

/// A watt-hour is 1 W for 3 600 000 ms.
const W_MS_PER_WH: i128 = 3_600_000;

/// The range of a machine, in W.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineRule {
    /// The least it can make.
    pub min_w: i64,
    /// The most it can make.
    pub max_w: i64,
}

impl Default for MachineRule {
    fn default() -> Self {
        Self { min_w: 0, max_w: 1_000_000 }
    }
}

/// What goes wrong with a machine's measurements and commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Its values are marked invalid (over Modbus: answered with an exception).
    Invalid,
    /// Its energy register jumps by this many counts while the fault lasts.
    Jump(u64),
    /// Commands are refused.
    Refuse,
    /// Writes are answered and ignored.
    Ignore,
    /// Commands are not answered.
    Silent,
}

/// A simulated machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    rule: MachineRule,
    ramp_permille: u32,
    noise_permille: u32,
    noise: Noise,
    power_w: i64,
    target_w: i64,
    measured_w: i64,
    energy_w_ms: i128,
    /// Whether its states (breaker, remote control) are on.
    pub on: bool,
    /// What goes wrong.
    pub fault: Fault,
}

impl Machine {
    /// A machine that runs at 60 % of its range.
    #[must_use]
    pub fn new(rule: MachineRule, behaviour: Behaviour) -> Self {
        let power_w = rule.min_w + (rule.max_w - rule.min_w) / 10 * 6;
        Self {
            rule,
            ramp_permille: behaviour.ramp_permille,
            noise_permille: behaviour.noise_permille,
            noise: Noise(behaviour.seed),
            power_w,
            target_w: power_w,
            measured_w: power_w,
            energy_w_ms: 0,
            on: true,
            fault: Fault::None,
        }
    }

    /// Lets `ms` pass: the power moves towards the target, no faster than the ramp, and makes
    /// energy.
    pub fn step(&mut self, ms: u32) {
        let ms = i64::from(ms);
        let range = self.rule.max_w - self.rule.min_w;
        let most = (range * i64::from(self.ramp_permille) / 1_000 * ms / 1_000).max(1);
        let before = self.power_w;
        let target = if self.on { self.target_w } else { 0 };
        self.power_w += (target - self.power_w).clamp(-most, most);
        self.energy_w_ms += i128::from(before + self.power_w) * i128::from(ms) / 2;
        let spread = self.power_w.abs() * i64::from(self.noise_permille) / 1_000;
        self.measured_w = self.power_w + self.noise.within(spread);
    }

    /// From now on it makes exactly this power, in W, whatever it was told: for a plant whose time
    /// is moved on by periods and not by ramps.
    pub const fn run_at(&mut self, watts: i64) {
        self.power_w = watts;
        self.measured_w = watts;
    }

    /// Lets `ms` pass at the power that it makes.
    pub fn flow(&mut self, ms: i64) {
        self.energy_w_ms += i128::from(self.power_w) * i128::from(ms);
    }

    /// The power that it makes, in W.
    #[must_use]
    pub const fn power_w(&self) -> i64 {
        self.power_w
    }

    /// The power as its instrument shows it, in W.
    #[must_use]
    pub const fn measured_w(&self) -> i64 {
        self.measured_w
    }

    /// The power that it was told to make, in W.
    #[must_use]
    pub const fn target_w(&self) -> i64 {
        self.target_w
    }

    /// The energy it has made, in Wh.
    #[must_use]
    pub fn energy_wh(&self) -> u64 {
        u64::try_from(self.energy_w_ms / W_MS_PER_WH).unwrap_or(0)
    }

    /// Its energy register.
    #[must_use]
    pub fn counts(&self, wh_per_count: u32, rollover: u64) -> u64 {
        let jump = if let Fault::Jump(counts) = self.fault { counts } else { 0 };
        (self.energy_wh() / u64::from(wh_per_count.max(1))).wrapping_add(jump) % rollover.max(1)
    }

    /// Tells it to make `watts`; `false` if it is off or cannot.
    pub fn tell(&mut self, watts: i64) -> bool {
        let can = self.on && (self.rule.min_w..=self.rule.max_w).contains(&watts);
        if can && self.fault != Fault::Ignore {
            self.target_w = watts;
        }
        can
    }
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise(pub u64);

impl Noise {
    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    /// A number from `-spread` to `spread`; 0 if `spread` is not positive.
    pub fn within(&mut self, spread: i64) -> i64 {
        let width = u64::try_from(spread).unwrap_or(0).saturating_mul(2).saturating_add(1);
        i64::try_from(self.next() % width).unwrap_or(0) - spread.max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        let behaviour = Behaviour { seed: 3, noise_permille: 0, ramp_permille: 100 };
        Machine::new(MachineRule { min_w: 0, max_w: 10_000 }, behaviour)
    }

    #[test]
    fn power_moves_no_faster_than_the_ramp() {
        let mut machine = machine();
        assert!(machine.tell(9_000));
        let powers: Vec<i64> = (0..5)
            .map(|_| {
                machine.step(1_000);
                machine.power_w()
            })
            .collect();
        assert_eq!(powers, [7_000, 8_000, 9_000, 9_000, 9_000]);
        assert!(!machine.tell(10_001));
        machine.on = false;
        assert!(!machine.tell(5_000), "it is off");
    }

    #[test]
    fn energy_is_the_sum_of_power_over_time() {
        let mut machine = machine();
        (0..3_600).for_each(|_| machine.step(1_000));
        assert_eq!(machine.energy_wh(), 6_000);
        assert_eq!(machine.counts(100, 50), 10, "60 counts, the register holds 50");
    }

    #[test]
    fn noise_stays_within_its_spread_and_repeats() {
        let mut a = Noise(9);
        let first: Vec<i64> = (0..100).map(|_| a.within(5)).collect();
        let mut b = Noise(9);
        assert_eq!(first, (0..100).map(|_| b.within(5)).collect::<Vec<_>>());
        assert!(first.iter().all(|n| (-5..=5).contains(n)) && first.contains(&5));
        assert_eq!(a.within(-3), 0);
    }
}
