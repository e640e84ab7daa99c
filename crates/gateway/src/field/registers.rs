//! Modbus registers: which are read together, and how their words make a number.

use crate::point_map::{Format, Register, Table, WordOrder};

use super::thousandths;

/// The most registers one request may read (Modbus Application Protocol V1.1b3, 6.3).
const READ_MAX: u16 = 125;

/// Registers that are read with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Their table.
    pub table: Table,
    /// The first one.
    pub first: u16,
    /// How many.
    pub count: u16,
}

impl Block {
    /// The words of `at` in what this block read; `None` if it lies elsewhere or too few came.
    #[must_use]
    pub fn words<'a>(&self, at: Register, read: &'a [u16]) -> Option<&'a [u16]> {
        let offset = at.register.checked_sub(self.first).filter(|_| at.table == self.table)?;
        let offset = usize::from(offset);
        read.get(offset..offset + usize::from(at.format.width()))
    }
}

/// The fewest requests that read all of `registers` without reading any register that is not
/// mapped: some devices answer those with an exception for the whole request.
#[must_use]
pub fn plan(registers: &[Register]) -> Vec<Block> {
    let mut sorted: Vec<(Table, u16, u16)> =
        registers.iter().map(|r| (r.table, r.register, r.format.width())).collect();
    sorted.sort_unstable();
    let mut blocks: Vec<Block> = Vec::new();
    for (table, first, width) in sorted {
        match blocks.last_mut() {
            Some(block)
                if block.table == table
                    && u32::from(block.first) + u32::from(block.count) == u32::from(first)
                    && block.count + width <= READ_MAX =>
            {
                block.count += width;
            }
            Some(_) | None => blocks.push(Block { table, first, count: width }),
        }
    }
    blocks
}

/// The number that words make; of a floating-point one, thousandths. `None` if there are too few
/// words, or they are not a number.
#[must_use]
pub fn decode_words(at: Register, words: &[u16]) -> Option<i128> {
    let mut words = words.get(..at.format.width().into())?.to_vec();
    if at.words == WordOrder::Low {
        words.reverse();
    }
    let bits = words.iter().fold(0_u64, |bits, word| bits << 16 | u64::from(*word));
    let low = u32::try_from(bits & 0xFFFF_FFFF).ok()?;
    Some(match at.format {
        Format::U16 | Format::U32 | Format::U64 => bits.into(),
        Format::I16 => words.first()?.cast_signed().into(),
        Format::I32 => low.cast_signed().into(),
        Format::F32 => thousandths(f32::from_bits(low))?.into(),
    })
}

/// The words of a number that is written; `None` if it does not fit the format.
#[must_use]
pub fn encode_words(at: Register, number: i64) -> Option<Vec<u16>> {
    let bits = match at.format {
        Format::U16 => u16::try_from(number).ok()?.into(),
        Format::I16 => i16::try_from(number).ok()?.cast_unsigned().into(),
        Format::U32 => u32::try_from(number).ok()?.into(),
        Format::I32 => i32::try_from(number).ok()?.cast_unsigned().into(),
        Format::U64 => u64::try_from(number).ok()?,
        Format::F32 => ((number as f64 / 1_000.0) as f32).to_bits().into(),
    };
    let width = u32::from(at.format.width());
    let word = |i: u32| (bits >> (16 * (width - 1 - i)) & 0xFFFF) as u16;
    let mut words: Vec<u16> = (0..width).map(word).collect();
    if at.words == WordOrder::Low {
        words.reverse();
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(register: u16, format: Format, words: WordOrder) -> Register {
        Register { register, table: Table::Holding, format, words }
    }

    #[test]
    fn words_make_numbers_in_both_orders() {
        let high = |format| at(0, format, WordOrder::High);
        let low = |format| at(0, format, WordOrder::Low);
        assert_eq!(decode_words(high(Format::U32), &[1, 2]), Some(65_538));
        assert_eq!(decode_words(low(Format::U32), &[2, 1]), Some(65_538));
        assert_eq!(decode_words(high(Format::I16), &[0xFFFF]), Some(-1));
        assert_eq!(decode_words(high(Format::I32), &[0xFFFF, 0xFFFE]), Some(-2));
        assert_eq!(decode_words(high(Format::U64), &[0, 1, 0, 0]), Some(1 << 32));
        assert_eq!(decode_words(high(Format::F32), &[0x3FC0, 0]), Some(1_500));
        assert_eq!(decode_words(high(Format::F32), &[0x7FC0, 0]), None, "not a number");
        assert_eq!(decode_words(high(Format::U32), &[1]), None, "a short answer");
    }

    #[test]
    fn only_mapped_registers_are_read_and_at_most_125_at_once() {
        let mut registers: Vec<Register> =
            (0..100).map(|i| at(i * 2, Format::U32, WordOrder::High)).collect();
        registers.push(at(300, Format::U16, WordOrder::High));
        let counts: Vec<(u16, u16)> = plan(&registers).iter().map(|b| (b.first, b.count)).collect();
        assert_eq!(counts, [(0, 124), (124, 76), (300, 1)]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(number in any::<i64>(), format in 0..5_usize, low in any::<bool>()) {
            let format = [Format::U16, Format::I16, Format::U32, Format::I32, Format::U64][format];
            let at = at(7, format, if low { WordOrder::Low } else { WordOrder::High });
            if let Some(words) = encode_words(at, number) {
                prop_assert_eq!(decode_words(at, &words), Some(number.into()));
            }
        }

        #[test]
        fn a_floating_point_set_point_is_right_to_a_thousandth(number in -10_000_000..10_000_000_i64) {
            let at = at(7, Format::F32, WordOrder::High);
            let words = encode_words(at, number).unwrap();
            let back = decode_words(at, &words).unwrap();
            prop_assert!((back - i128::from(number)).abs() <= 1);
        }
    }
}
