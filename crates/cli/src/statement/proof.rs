//! A line whose rows are gone, proved under the seal of its day.

use anyhow::{Context as _, ensure};
use duet_ledger::{Encode as _, merkle_path, merkle_root};
use duet_sdk::wire::{Hex32, ProvedLine, Seal, StatementLine};
use std::path::Path;

/// Reads all lines of a day, as `duet statement show --format json` wrote them.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<StatementLine>> {
    let text = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} holds no lines", path.display()))
}

/// The line at `place` with its path to the root that the seal keeps.
pub(super) fn prove(
    lines: &[StatementLine],
    place: u32,
    seal: &Seal,
) -> anyhow::Result<ProvedLine> {
    let in_order = (0..).zip(lines).all(|(n, line)| line.place == n);
    let complete = u32::try_from(lines.len()).is_ok_and(|count| count == seal.lines);
    ensure!(in_order && complete, "the file must hold all {} lines of the day", seal.lines);
    let leaf = |line: &StatementLine| duet_ledger::StatementLine::from(line.clone()).to_bytes();
    let leaves: Vec<Vec<u8>> = lines.iter().map(leaf).collect();
    ensure!(
        Hex32(merkle_root(&leaves)) == seal.lines_root,
        "the lines are not those that the day was sealed with"
    );
    let place = usize::try_from(place)?;
    let (line, path) = lines
        .get(place)
        .zip(merkle_path(&leaves, place))
        .with_context(|| format!("the day has no line {place}"))?;
    let path = path.into_iter().map(|node| node.map(Hex32)).collect();
    Ok(ProvedLine { line: line.clone(), path })
}

#[cfg(test)]
mod tests {
    use super::super::sheet::tests::line;
    use super::*;
    use duet_ledger::merkle_root_from_path;

    fn lines(count: u32) -> Vec<StatementLine> {
        (0..count).map(|place| StatementLine { place, unit: place + 1, ..line() }).collect()
    }

    fn seal(lines: &[StatementLine]) -> Seal {
        let leaf = |line: &StatementLine| duet_ledger::StatementLine::from(line.clone()).to_bytes();
        let leaves: Vec<Vec<u8>> = lines.iter().map(leaf).collect();
        let row = duet_ledger::Seal {
            day: duet_units::DeliveryDay::default(),
            settled_at: duet_units::ClockTime::default(),
            height: 9,
            book: [1; 32],
            result: [2; 32],
            lines_root: merkle_root(&leaves),
            lines: u32::try_from(leaves.len()).unwrap(),
        };
        Seal::new(duet_ledger::SessionId(2), &row)
    }

    #[test]
    fn a_line_is_proved_as_the_ledger_asks() {
        let lines = lines(5);
        let seal = seal(&lines);
        for place in 0..5 {
            let proved = prove(&lines, place, &seal).unwrap();
            let path: Vec<_> = proved.path.iter().map(|node| node.map(|Hex32(x)| x)).collect();
            let bytes = duet_ledger::StatementLine::from(proved.line).to_bytes();
            let place = usize::try_from(place).unwrap();
            assert_eq!(merkle_root_from_path(&bytes, place, 5, &path), Some(seal.lines_root.0));
        }
    }

    #[test]
    fn other_lines_are_refused_before_they_are_sent() {
        let all = lines(5);
        let seal = seal(&all);
        assert!(prove(&all[..4], 0, &seal).is_err(), "one is missing");
        assert!(prove(&all, 5, &seal).is_err(), "there is no such line");
        let mut changed = all.clone();
        changed[3].amount_fen = duet_sdk::wire::Big(1);
        assert!(prove(&changed, 0, &seal).is_err());
        let mut turned = all;
        turned.swap(0, 1);
        assert!(prove(&turned, 0, &seal).is_err());
    }
}
