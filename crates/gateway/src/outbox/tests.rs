//! The outbox under power cuts: whatever was committed is there, whatever is there is whole.

use std::fs;
use std::path::PathBuf;

use duet_ledger::DispatchId;
use proptest::prelude::*;

use super::*;
use crate::batch::tests::{device, reading};

/// A folder of its own, removed afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("duet-outbox-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("outbox")
    }

    fn open(&self) -> Outbox {
        Outbox::open(&self.0, 1_000).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn answer(dispatch: u64) -> Acknowledgement {
    Acknowledgement {
        dispatch: DispatchId(dispatch),
        accepted: dispatch.is_multiple_of(2),
        cause: 3,
    }
}

/// One of everything that an outbox does.
fn act(outbox: &mut Outbox, step: u32) {
    let now = ClockTime::from_unix_ms(step.into());
    match step % 7 {
        0 | 1 | 4 => {
            let readings = [reading(step), reading(step + 1)];
            outbox.put(step % 3 + 1, vec![step as u8; 40], &readings).unwrap();
        }
        2 => drop(outbox.seal(&device(), now, 3).unwrap()),
        3 => outbox.answer(answer(step.into())).unwrap(),
        5 => {
            let first = outbox.sealed().next().map(|batch| batch.header().sequence);
            if let Some(sequence) = first {
                outbox.forget(sequence).unwrap();
            }
        }
        _ => outbox.forget_answer(u64::from(step) - 3).unwrap(),
    }
}

#[test]
fn what_was_committed_is_there_after_a_restart() {
    let folder = Folder::new("restart");
    let mut outbox = folder.open();
    assert!(outbox.put(1, vec![1, 2, 3], &[reading(0), reading(1)]).unwrap());
    assert!(outbox.seal(&device(), ClockTime::from_unix_ms(1), 10).unwrap());
    assert!(!outbox.seal(&device(), ClockTime::from_unix_ms(1), 10).unwrap(), "nothing is open");
    outbox.answer(answer(8)).unwrap();
    outbox.commit().unwrap();
    drop(outbox);

    let mut outbox = folder.open();
    assert_eq!(outbox.checkpoint(1), Some([1, 2, 3].as_slice()));
    assert_eq!(outbox.checkpoint(2), None);
    assert_eq!(outbox.backlog().readings, 2);
    assert_eq!(outbox.answers().collect::<Vec<_>>(), [&answer(8)]);
    let batch = outbox.sealed().next().unwrap().clone();
    assert_eq!((batch.header().sequence, batch.readings().len()), (1, 2));
    outbox.forget(1).unwrap();
    outbox.forget_answer(8).unwrap();
    outbox.commit().unwrap();
    assert_eq!((outbox.backlog().readings, outbox.answers().count()), (0, 0));
    outbox.put(1, Vec::new(), &[reading(2)]).unwrap();
    outbox.seal(&device(), ClockTime::from_unix_ms(2), 10).unwrap();
    assert_eq!(outbox.sealed().next().unwrap().header().sequence, 2, "it counts on");
}

#[test]
fn a_power_cut_at_any_byte_leaves_a_whole_prefix_that_holds_all_that_was_committed() {
    let folder = Folder::new("cut");
    let mut outbox = folder.open();
    // The file's length and content after every step; the last commit was at step 20.
    let mut states = vec![(fs::metadata(folder.file()).unwrap().len(), Live::default())];
    let mut committed = 0;
    for step in 0..28 {
        act(&mut outbox, step);
        if step == 20 {
            outbox.commit().unwrap();
            committed = fs::metadata(folder.file()).unwrap().len();
        }
        let length = fs::metadata(folder.file()).unwrap().len();
        states.push((length, folder_state(&folder)));
    }
    let bytes = fs::read(folder.file()).unwrap();
    let cut = Folder::new("cut-copy");
    fs::create_dir_all(&cut.0).unwrap();
    for length in committed as usize..=bytes.len() {
        // A torn write: the tail is missing, or holds what was on the disk before.
        let garbage = [&b""[..], &[0; 16], b"\xFFtorn"][length % 3];
        fs::write(cut.file(), [&bytes[..length], garbage].concat()).unwrap();
        let whole = states.iter().rev().find(|(l, _)| *l <= length as u64).unwrap();
        assert_eq!(cut.open().live, whole.1, "cut at {length}");
        let left = fs::metadata(cut.file()).unwrap().len();
        assert_eq!(left, whole.0, "what is torn is cut off");
    }
}

fn folder_state(folder: &Folder) -> Live {
    let copy = Folder::new("state");
    fs::create_dir_all(&copy.0).unwrap();
    fs::copy(folder.file(), copy.file()).unwrap();
    copy.open().live
}

#[test]
fn a_power_cut_while_the_file_is_made_or_rewritten_is_survived() {
    let folder = Folder::new("made");
    fs::create_dir_all(&folder.0).unwrap();
    for length in 0..8 {
        fs::write(folder.file(), &b"DUETOUT1"[..length]).unwrap();
        assert_eq!(folder.open().live, Live::default());
    }
    let mut outbox = folder.open();
    outbox.put(1, vec![9], &[reading(1)]).unwrap();
    outbox.commit().unwrap();
    drop(outbox);
    fs::write(folder.0.join("outbox.new"), b"DUETOUT1 half of").unwrap();
    assert_eq!(folder.open().backlog().readings, 1);
    assert!(!folder.0.join("outbox.new").exists());
}

#[test]
fn another_file_is_not_taken_for_an_outbox() {
    let folder = Folder::new("other");
    fs::create_dir_all(&folder.0).unwrap();
    fs::write(folder.file(), b"something else").unwrap();
    assert!(matches!(Outbox::open(&folder.0, 10), Err(OutboxError::NotAnOutbox(_))));
    assert_eq!(fs::read(folder.file()).unwrap(), b"something else", "it is left alone");
}

#[test]
fn a_full_outbox_keeps_the_oldest_and_raises_an_alarm() {
    let folder = Folder::new("full");
    let mut outbox = Outbox::open(&folder.0, 10).unwrap();
    for n in 0..7 {
        assert!(outbox.put(1, vec![n as u8], &[reading(n)]).unwrap());
    }
    assert!(!outbox.backlog().is_alarming());
    assert!(outbox.put(1, vec![7], &[reading(7), reading(8)]).unwrap());
    assert!(outbox.backlog().is_alarming(), "9 of 10");
    assert!(!outbox.put(1, vec![8], &[reading(9), reading(10)]).unwrap());
    assert_eq!(outbox.backlog(), Backlog { readings: 9, limit: 10, turned_away: 2 });
    assert_eq!(outbox.checkpoint(1), Some([7].as_slice()), "the meter stays where it stood");
    outbox.seal(&device(), ClockTime::from_unix_ms(0), 1).unwrap();
    let first = outbox.sealed().next().unwrap().clone();
    assert_eq!(first.readings(), [reading(0)]);
    outbox.forget(first.header().sequence).unwrap();
    assert!(outbox.put(1, vec![8], &[reading(9), reading(10)]).unwrap());
}

#[test]
fn the_file_stays_short_however_much_goes_through_it() {
    let folder = Folder::new("worn");
    let mut outbox = folder.open();
    let mut longest = 0;
    for round in 0..400 {
        for unit in 1..=20 {
            outbox.put(unit, vec![0; 200], &[reading(round)]).unwrap();
        }
        outbox.seal(&device(), ClockTime::from_unix_ms(0), 256).unwrap();
        let sequence = outbox.sealed().next().unwrap().header().sequence;
        outbox.forget(sequence).unwrap();
        outbox.commit().unwrap();
        longest = longest.max(fs::metadata(folder.file()).unwrap().len());
    }
    assert!(longest < 1_100_000, "{longest} bytes");
    let before = std::mem::take(&mut outbox.live);
    assert_eq!(folder.open().live, before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn a_rewritten_file_says_the_same(steps in prop::collection::vec(0..50_u32, 1..40)) {
        let folder = Folder::new("rewrite");
        let mut outbox = folder.open();
        for step in steps {
            act(&mut outbox, step.max(3));
        }
        let records = outbox.live.records();
        outbox.log.rewrite(&records).unwrap();
        prop_assert_eq!(&folder.open().live, &outbox.live);
    }
}
