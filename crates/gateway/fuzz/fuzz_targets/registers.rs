//! Modbus registers: plans read what is mapped and nothing else; numbers come back as written.
#![no_main]

use std::collections::BTreeSet;

use duet_gateway::field::{decode_words, encode_words, plan};
use duet_gateway::point_map::{Format, Register, Table, WordOrder};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    registers: Vec<(u16, bool, u8, bool)>,
    words: Vec<u16>,
    number: i64,
}

fn register((register, input, format, low): (u16, bool, u8, bool)) -> Register {
    use Format::{F32, I16, I32, U16, U32, U64};
    let format = [U16, I16, U32, I32, U64, F32][usize::from(format) % 6];
    Register {
        // The map refuses registers that run past the end.
        register: register.min(u16::MAX - format.width() + 1),
        table: if input { Table::Input } else { Table::Holding },
        format,
        words: if low { WordOrder::Low } else { WordOrder::High },
    }
}

fuzz_target!(|input: Input| {
    let mut taken = BTreeSet::new();
    let mut registers: Vec<Register> = input.registers.iter().copied().map(register).collect();
    // The map refuses registers that overlap.
    registers.retain(|r| {
        let cells = (0..r.format.width()).map(|i| (r.table, r.register + i));
        let cells: Vec<_> = cells.collect();
        let free = cells.iter().all(|cell| !taken.contains(cell));
        if free {
            taken.extend(cells);
        }
        free
    });
    let blocks = plan(&registers);
    let mut read = BTreeSet::new();
    for block in &blocks {
        assert!((1..=125).contains(&block.count), "{block:?}");
        for i in 0..block.count {
            assert!(read.insert((block.table, block.first + i)), "read twice: {block:?}");
        }
    }
    assert_eq!(read, taken, "what is mapped is read, and nothing else");
    for at in &registers {
        let homes =
            blocks.iter().filter(|block| block.words(*at, &vec![0; block.count.into()]).is_some());
        assert_eq!(homes.count(), 1, "{at:?} is whole in one answer");
        for block in &blocks {
            // An answer may have any length.
            if let Some(words) = block.words(*at, &input.words) {
                let _ = decode_words(*at, words);
            }
        }
        let _ = decode_words(*at, &input.words);
        if let Some(words) = encode_words(*at, input.number) {
            let back = decode_words(*at, &words);
            if at.format == Format::F32 {
                // Seven digits.
                let off = back.map(|b| (b - i128::from(input.number)).unsigned_abs());
                let most = u128::from(input.number.unsigned_abs() >> 22) + 1;
                assert!(off.is_none_or(|off| off <= most), "{at:?} {back:?}");
            } else {
                assert_eq!(back, Some(input.number.into()), "{at:?}");
            }
        }
    }
});
