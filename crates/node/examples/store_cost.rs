//! What the state store costs a block, on this machine's disk: `store_cost [DIRECTORY [KEYS
//! [CHANGES]]]`.
//!
//! Each mix runs 200 blocks of so many changes (1,000 unless told) over a store of so many keys
//! (100,000 unless told) and prints microseconds a changed key for `commit`, milliseconds for
//! `sync`, and the time to open the store again and read it whole.

use commonware_runtime::{Clock as _, Runner as _, Supervisor as _, tokio};
use duet_node::store::{Change, Store};
use std::{path::PathBuf, time::Duration};

const BLOCKS: u64 = 200;
const VALUE: usize = 120;
/// Blocks between two syncs.
const SYNC_EVERY: u64 = 10;

/// What a mix is run with.
#[derive(Clone, Copy)]
struct Load {
    keys: u64,
    changes: u64,
}

type Mix = fn(u64, u64, Load) -> Change;

/// Mixes by name: from block, number of the change and load, the change.
const MIXES: [(&str, Mix); 4] = [
    ("update hot keys", |block, n, _| set(n, block)),
    ("update spread keys", |block, n, load| {
        set((block * load.changes + n) * 7_919 % load.keys, block)
    }),
    ("insert", |block, n, load| set(load.keys + block * load.changes + n, block)),
    ("orders come, change, go", |block, n, load| {
        let base = load.keys + block * load.changes;
        match n % 3 {
            0 => set(base + n, block),
            1 => set(base + n - 1 - 5 * load.changes, block),
            _ => (key(base + n - 2 - 10 * load.changes), None),
        }
    }),
];

fn key(number: u64) -> Vec<u8> {
    [b"o".as_slice(), &number.to_be_bytes(), &[0; 12]].concat()
}

fn set(number: u64, block: u64) -> Change {
    (key(number), Some([block.to_be_bytes().as_slice(), &[1; VALUE - 8]].concat()))
}

async fn run(context: &tokio::Context, partition: &str, mix: Mix, load: Load) -> [Duration; 3] {
    let mut store = Store::open(context.child("store"), partition).await.expect("disk");
    let mut height = 0;
    for start in (0..load.keys).step_by(10_000) {
        let delta = (start..(start + 10_000).min(load.keys)).map(|n| set(n, 0)).collect();
        store.commit(height, b"", delta).await.expect("commit");
        height += 1;
    }
    store.sync().await.expect("sync");
    let (mut committing, mut syncing) = (Duration::ZERO, Duration::ZERO);
    for block in 1..=BLOCKS {
        let delta = (0..load.changes).map(|n| mix(block, n, load)).collect();
        let start = context.current();
        store.commit(height, b"", delta).await.expect("commit");
        let committed = context.current();
        if block % SYNC_EVERY == 0 {
            store.sync().await.expect("sync");
        }
        syncing += context.current().duration_since(committed).unwrap_or_default();
        committing += committed.duration_since(start).unwrap_or_default();
        height += 1;
    }
    drop(store);
    let start = context.current();
    let store = Store::open(context.child("store"), partition).await.expect("disk");
    let entries = store.entries().await.expect("read");
    assert!(!entries.is_empty(), "the keys came back");
    [committing, syncing, context.current().duration_since(start).unwrap_or_default()]
}

#[expect(clippy::print_stdout, reason = "a program for the terminal")]
fn main() {
    let mut args = std::env::args().skip(1);
    let directory = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let mut number = |default| args.next().map_or(default, |n| n.parse().expect("a number"));
    let load = Load { keys: number(100_000), changes: number(1_000) };
    let config = tokio::Config::new().with_storage_directory(directory.join("store-cost"));
    tokio::Runner::new(config).start(|context| async move {
        for (name, mix) in MIXES {
            let partition = name.replace([' ', ','], "-");
            let [commit, sync, reopen] = run(&context, &partition, mix, load).await;
            println!(
                "{name}: {:.1} us/key commit, {:.1} ms/sync, {:.0} ms open and read",
                commit.as_secs_f64() * 1e6 / (BLOCKS * load.changes) as f64,
                sync.as_secs_f64() * 1e3 / (BLOCKS / SYNC_EVERY) as f64,
                reopen.as_secs_f64() * 1e3,
            );
        }
    });
}
