//! The store on a simulated disk: roots, restarts, crashes, contents, receipts.

use commonware_runtime::{
    Runner as _, Supervisor as _,
    deterministic::{
        Config, Context, FaultConfig, PartialWriteMode, ResizeConfig, Runner, WriteConfig,
    },
};
use commonware_utils::probability;
use duet_node::store::{Change, MAX_KEY, Receipts, Store, StoreError};
use proptest::prelude::*;
use std::collections::BTreeMap;

type State = BTreeMap<Vec<u8>, Vec<u8>>;
type Root = [u8; 32];

/// A small generator, so that a test's deltas depend on its seed alone.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn key(number: u64) -> Vec<u8> {
    [b"o".as_slice(), &number.to_be_bytes()].concat()
}

/// Blocks of changes over so many keys; one change in four deletes.
fn blocks(seed: u64, count: usize, keys: u64, changes: u64) -> Vec<Vec<Change>> {
    let mut dice = Dice(seed);
    let change = |dice: &mut Dice| {
        let length = 1 + dice.roll(200);
        let value = (dice.roll(4) > 0).then(|| vec![dice.roll(256) as u8; length as usize]);
        (key(dice.roll(keys)), value)
    };
    (0..count).map(|_| (0..dice.roll(changes + 1)).map(|_| change(&mut dice)).collect()).collect()
}

fn apply(state: &mut State, delta: &[Change]) {
    for (key, value) in delta {
        match value {
            Some(value) => state.insert(key.clone(), value.clone()),
            None => state.remove(key),
        };
    }
}

fn state_after(blocks: &[Vec<Change>]) -> State {
    let mut state = State::new();
    blocks.iter().for_each(|delta| apply(&mut state, delta));
    state
}

fn metadata(height: u64) -> [u8; 9] {
    let [a, b, c, d, e, f, g, h] = height.to_le_bytes();
    [7, a, b, c, d, e, f, g, h]
}

async fn open(context: &Context) -> Store<Context> {
    Store::open(context.child("store"), "state").await.unwrap()
}

/// Commits the blocks above the store's height and returns the root of each.
async fn commit_rest(store: &mut Store<Context>, blocks: &[Vec<Change>]) -> Vec<Root> {
    let mut roots = Vec::new();
    for height in store.height().map_or(1, |height| height + 1)..=blocks.len() as u64 {
        let delta = blocks[height as usize - 1].clone();
        roots.push(store.commit(height, &metadata(height), delta).await.unwrap());
    }
    roots
}

/// The roots of a store that never syncs, prunes or restarts.
fn plain_roots(blocks: &[Vec<Change>]) -> Vec<Root> {
    Runner::default()
        .start(|context| async move { commit_rest(&mut open(&context).await, blocks).await })
}

#[test]
fn a_fresh_store_has_no_height_and_takes_any_first_one() {
    Runner::default().start(|context| async move {
        let mut store = open(&context).await;
        assert_eq!((store.height(), store.metadata()), (None, None));
        assert_eq!(store.entries().await.unwrap(), vec![]);
        let empty = store.root().unwrap();

        let root = store.commit(41, b"m", vec![(key(1), Some(vec![1]))]).await.unwrap();
        assert_ne!(root, empty);
        assert_eq!(store.root().unwrap(), root);
        assert_eq!((store.height(), store.metadata()), (Some(41), Some(b"m".as_slice())));
    });
}

#[test]
fn refusals_leave_the_store_as_it_was() {
    Runner::default().start(|context| async move {
        let mut store = open(&context).await;
        let root = store.commit(1, b"", vec![(key(1), Some(vec![1]))]).await.unwrap();

        let gap = store.commit(3, b"", vec![]).await;
        assert!(matches!(gap, Err(StoreError::OutOfOrder { expected: 2, got: 3 })));
        let again = store.commit(1, b"", vec![]).await;
        assert!(matches!(again, Err(StoreError::OutOfOrder { expected: 2, got: 1 })));
        let long = store.commit(2, b"", vec![(vec![0; MAX_KEY + 1], None)]).await;
        assert!(matches!(long, Err(StoreError::TooLong { what: "key", .. })));

        assert_eq!((store.height(), store.root().unwrap()), (Some(1), root));
        store.commit(2, b"", vec![(vec![0; MAX_KEY], Some(vec![]))]).await.unwrap();
    });
}

#[test]
fn deltas_metadata_and_heights_all_enter_the_root() {
    let root = |height, metadata: &'static [u8], value| {
        Runner::default().start(|context| async move {
            let delta = vec![(key(1), Some(vec![value]))];
            open(&context).await.commit(height, metadata, delta).await.unwrap()
        })
    };
    assert_eq!(root(1, b"m", 1), root(1, b"m", 1));
    assert_ne!(root(1, b"m", 1), root(2, b"m", 1));
    assert_ne!(root(1, b"m", 1), root(1, b"n", 1));
    assert_ne!(root(1, b"m", 1), root(1, b"m", 2));
}

#[test]
fn the_order_of_changes_in_a_delta_is_irrelevant_to_the_root() {
    let mut blocks = blocks(3, 12, 40, 0);
    for (height, delta) in blocks.iter_mut().enumerate() {
        delta.extend((0..20).map(|n| (key(n * (height as u64 + 1)), Some(vec![height as u8]))));
    }
    let roots = plain_roots(&blocks);
    blocks.iter_mut().for_each(|delta| delta.reverse());
    assert_eq!(plain_roots(&blocks), roots);
}

#[test]
fn restarts_syncs_and_prunes_leave_no_trace_in_the_roots() {
    let blocks = blocks(1, 60, 80, 60);
    let roots = plain_roots(&blocks);
    for (restart, sync, prune) in [(1, 1, 7), (3, 2, 5), (7, 100, 100), (100, 1, 1), (10, 4, 30)] {
        Runner::default().start(|context| {
            let (blocks, roots) = (&blocks, &roots);
            async move {
                let mut store = open(&context).await;
                for height in 1..=blocks.len() {
                    let committed = commit_rest(&mut store, &blocks[..height]).await;
                    assert_eq!(committed, roots[height - 1..height], "block {height}");
                    if height % sync == 0 {
                        store.sync().await.unwrap();
                    }
                    if height % prune == 0 {
                        store.prune().await.unwrap();
                    }
                    if height % restart == 0 {
                        store.sync().await.unwrap();
                        drop(store);
                        store = open(&context).await;
                        assert_eq!(store.root().unwrap(), roots[height - 1]);
                        assert_eq!(store.metadata().unwrap(), metadata(height as u64));
                    }
                }
                assert_eq!(store.entries().await.unwrap(), Vec::from_iter(state_after(blocks)));
            }
        });
    }
}

/// What of the unsynced writes a crash leaves on the disk.
fn crash_policies() -> [FaultConfig; 4] {
    let resize = ResizeConfig { failure_rate: probability!(0.0), partial_rate: probability!(0.0) };
    let write = |retention_rate, mode| WriteConfig {
        failure_rate: probability!(0.0),
        retention_rate,
        mode,
    };
    [
        FaultConfig::default(),
        FaultConfig::default().write(write(probability!(1.0), PartialWriteMode::Prefix)),
        FaultConfig::default()
            .write(write(probability!(0.5), PartialWriteMode::Subset))
            .resize(resize),
        FaultConfig::default().write(write(probability!(0.9375), PartialWriteMode::Prefix)),
    ]
}

/// Commits in the background of a crash: up to `until`, with a sync after `synced`.
async fn run_to_crash(context: Context, blocks: &[Vec<Change>], synced: u64, prune: bool) {
    let mut store = open(&context).await;
    let synced = usize::try_from(synced).unwrap().min(blocks.len());
    commit_rest(&mut store, &blocks[..synced]).await;
    if prune {
        store.prune().await.unwrap();
    } else {
        store.sync().await.unwrap();
    }
    commit_rest(&mut store, blocks).await;
}

#[test]
fn a_crash_loses_whole_unsynced_blocks_and_replay_gives_the_same_roots() {
    let blocks = blocks(2, 90, 300, 400);
    let roots = plain_roots(&blocks);
    for (case, policy) in crash_policies().into_iter().enumerate() {
        let config = Config::default().with_seed(9).with_storage_fault_config(policy);
        let mut runner = Runner::new(config);
        let (mut synced, mut survivors) = (0, 0);
        for crash_at in [10_u64, 11, 40, 60, 90] {
            let (blocks, roots) = (&blocks, &roots);
            let sync_at = crash_at - crash_at / 4;
            let upto = &blocks[..crash_at as usize];
            let (recovered, checkpoint) = runner.start_and_recover(|context| async move {
                let store = open(&context).await;
                let height = store.height().unwrap_or(0);
                assert!(height >= synced, "case {case}: {synced} synced, {height} there");
                if height > 0 {
                    assert_eq!(store.root().unwrap(), roots[height as usize - 1], "case {case}");
                }
                let state = state_after(&blocks[..height as usize]);
                assert_eq!(store.entries().await.unwrap(), Vec::from_iter(state), "case {case}");
                drop(store);
                run_to_crash(context, upto, sync_at, crash_at == 40).await;
                height
            });
            assert!(recovered <= crash_at);
            survivors += recovered - synced;
            synced = sync_at;
            runner = Runner::from(checkpoint);
        }
        // The second disk keeps what was written: blocks that no sync covered are found there.
        assert_eq!(survivors > 0, case == 1, "case {case}: {survivors}");
        let (blocks, roots) = (&blocks, &roots);
        runner.start(|context| async move {
            let mut store = open(&context).await;
            commit_rest(&mut store, blocks).await;
            assert_eq!(store.root().unwrap(), roots[blocks.len() - 1]);
        });
    }
}

#[test]
fn a_key_deleted_and_set_again_has_its_new_value() {
    Runner::default().start(|context| async move {
        let mut store = open(&context).await;
        store.commit(1, b"", vec![(key(1), Some(vec![1])), (key(2), Some(vec![2]))]).await.unwrap();
        store.commit(2, b"", vec![(key(1), None), (key(9), None)]).await.unwrap();
        assert_eq!(store.entries().await.unwrap(), vec![(key(2), vec![2])]);
        store.commit(3, b"", vec![(key(1), Some(vec![3]))]).await.unwrap();
        assert_eq!(store.entries().await.unwrap(), vec![(key(1), vec![3]), (key(2), vec![2])]);
        store.commit(4, b"", vec![(key(1), None), (key(2), None)]).await.unwrap();
        assert_eq!(store.entries().await.unwrap(), vec![]);
    });
}

#[test]
fn ten_thousand_keys_come_back_after_a_restart() {
    let blocks = blocks(4, 40, 10_000, 2_000);
    Runner::default().start(|context| async move {
        let mut store = open(&context).await;
        let first = (0..10_000).map(|n| (key(n), Some(vec![1; 60]))).collect();
        store.commit(1, b"", first).await.unwrap();
        let mut state = State::from_iter((0..10_000).map(|n| (key(n), vec![1; 60])));
        for (height, delta) in (2..).zip(&blocks) {
            store.commit(height, b"", delta.clone()).await.unwrap();
            apply(&mut state, delta);
        }
        store.prune().await.unwrap();
        drop(store);
        let store = open(&context).await;
        assert_eq!(store.entries().await.unwrap(), Vec::from_iter(state));
    });
}

#[test]
fn receipts_survive_a_crash_once_synced_and_keep_their_first_value() {
    let open = |context: Context| Receipts::open(context, "receipts");
    let ((), checkpoint) = Runner::default().start_and_recover(|context| async move {
        let mut receipts = open(context).await.unwrap();
        assert_eq!(receipts.last(), None);
        receipts.put(5, vec![5; 3_000]).await.unwrap();
        receipts.put(6, vec![]).await.unwrap();
        receipts.put(5, vec![1]).await.unwrap();
        assert_eq!(receipts.get(5).await.unwrap(), Some(vec![5; 3_000]));
        receipts.sync().await.unwrap();
        receipts.put(7, vec![7]).await.unwrap();
        assert_eq!(receipts.last(), Some(7));
    });
    Runner::from(checkpoint).start(|context| async move {
        let mut receipts = open(context).await.unwrap();
        assert_eq!(receipts.last(), Some(6));
        assert_eq!(receipts.get(5).await.unwrap(), Some(vec![5; 3_000]));
        assert_eq!(receipts.get(6).await.unwrap(), Some(vec![]));
        assert_eq!(receipts.get(7).await.unwrap(), None);
        receipts.put(7, vec![8]).await.unwrap();
        assert_eq!(receipts.get(7).await.unwrap(), Some(vec![8]));
    });
}

fn delta() -> impl Strategy<Value = Vec<Change>> {
    let value = prop::option::weighted(0.7, prop::collection::vec(any::<u8>(), 0..6));
    prop::collection::vec((0_u64..24, value), 0..30)
        .prop_map(|changes| changes.into_iter().map(|(n, value)| (key(n), value)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_store_holds_what_a_map_holds(
        blocks in prop::collection::vec((delta(), any::<bool>(), any::<bool>()), 1..30),
    ) {
        Runner::default().start(|context| async move {
            let mut store = open(&context).await;
            let mut state = State::new();
            for (height, (delta, restart, prune)) in (1..).zip(blocks) {
                apply(&mut state, &delta);
                let root = store.commit(height, b"m", delta).await.unwrap();
                if prune {
                    store.prune().await.unwrap();
                }
                if restart {
                    store.sync().await.unwrap();
                    drop(store);
                    store = open(&context).await;
                }
                assert_eq!(store.root().unwrap(), root);
                assert_eq!(store.entries().await.unwrap(), Vec::from_iter(state.clone()));
            }
        });
    }
}
