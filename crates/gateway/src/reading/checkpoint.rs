//! What of a meter must survive a power cut.

use duet_units::ClockTime;

use super::Flags;
use super::meter::{Boundary, Meter, MeterRule, Reported, Seen, WINDOW};
use super::register::{Position, Register};

/// A checkpoint could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a checkpoint is damaged or of another version")]
pub struct CheckpointError;

const VERSION: u8 = 1;

impl Meter {
    /// The bytes from which [`Meter::restore`] goes on as if nothing had happened: where the
    /// register stood, and what was reported of periods that a later sample can still correct.
    #[must_use]
    pub fn checkpoint(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend_from_slice(&self.total_wh.to_be_bytes());
        out.extend_from_slice(&self.rate_wh.to_be_bytes());
        let last = self.register.last();
        out.push(u8::from(last.is_some()));
        let position = last.unwrap_or(Position { raw: 0, at: ClockTime::from_unix_ms(0) });
        out.extend_from_slice(&position.raw.to_be_bytes());
        out.extend_from_slice(&position.at.unix_ms().to_be_bytes());
        // A period before the one that the last sample lies in cannot change any more.
        let from = position.at.unix_ms() - 2 * self.rule.resolution.period_ms();
        list(&mut out, self.boundaries.range(from..), |out, at, b| {
            out.extend_from_slice(&at.to_be_bytes());
            out.extend_from_slice(&b.wh.to_be_bytes());
            out.extend_from_slice(&b.flags.bits().to_be_bytes());
            out.push(u8::from(b.provisional));
        });
        list(&mut out, self.reported.range(from..), |out, at, r| {
            out.extend_from_slice(&at.to_be_bytes());
            out.extend_from_slice(&r.kwh.to_be_bytes());
            out.extend_from_slice(&r.flags.bits().to_be_bytes());
            out.extend_from_slice(&r.version.to_be_bytes());
        });
        list(&mut out, self.seen.range(from..), |out, at, s| {
            out.extend_from_slice(&at.to_be_bytes());
            out.extend_from_slice(&s.flags.bits().to_be_bytes());
            out.extend_from_slice(&s.last.unix_ms().to_be_bytes());
        });
        out
    }

    /// The meter that wrote `checkpoint`, under a rule that may have changed since.
    ///
    /// # Errors
    ///
    /// Returns [`CheckpointError`] if the bytes are not such a checkpoint.
    pub fn restore(rule: MeterRule, checkpoint: &[u8]) -> Result<Self, CheckpointError> {
        let mut input = Input(checkpoint);
        if input.array::<1>()? != [VERSION] {
            return Err(CheckpointError);
        }
        let mut meter = Self::new(rule);
        meter.changed = true;
        meter.total_wh = input.i64()?;
        meter.rate_wh = input.i64()?;
        let known = input.array::<1>()? == [1];
        let raw = u64::from_be_bytes(input.array()?);
        let position = Position { raw, at: ClockTime::from_unix_ms(input.i64()?) };
        meter.register = Register::new(rule.register, known.then_some(position));
        for _ in 0..input.count()? {
            let (at, wh, flags) = (input.i64()?, input.i64()?, input.flags()?);
            let provisional = input.array::<1>()? == [1];
            meter.boundaries.insert(at, Boundary { wh, flags, provisional });
        }
        for _ in 0..input.count()? {
            let (at, kwh, flags) = (input.i64()?, input.i64()?, input.flags()?);
            let version = u16::from_be_bytes(input.array()?);
            meter.reported.insert(at, Reported { kwh, flags, version });
        }
        for _ in 0..input.count()? {
            let (at, flags) = (input.i64()?, input.flags()?);
            let last = ClockTime::from_unix_ms(input.i64()?);
            meter.seen.insert(at, Seen { flags, last });
        }
        if input.0.is_empty() { Ok(meter) } else { Err(CheckpointError) }
    }
}

fn list<'a, T: 'a>(
    out: &mut Vec<u8>,
    items: impl Iterator<Item = (&'a i64, &'a T)>,
    write: impl Fn(&mut Vec<u8>, i64, &T),
) {
    let items: Vec<_> = items.take(WINDOW).collect();
    out.push(u8::try_from(items.len()).unwrap_or(u8::MAX));
    for (at, item) in items {
        write(out, *at, item);
    }
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], CheckpointError> {
        let (head, tail) = self.0.split_at_checked(N).ok_or(CheckpointError)?;
        self.0 = tail;
        head.try_into().map_err(|_| CheckpointError)
    }

    fn i64(&mut self) -> Result<i64, CheckpointError> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    fn flags(&mut self) -> Result<Flags, CheckpointError> {
        Flags::from_bits(u16::from_be_bytes(self.array()?)).ok_or(CheckpointError)
    }

    fn count(&mut self) -> Result<usize, CheckpointError> {
        let [count] = self.array()?;
        Ok(count.into())
    }
}
