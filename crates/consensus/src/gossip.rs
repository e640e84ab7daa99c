//! Messages of the application to all other validators, in frames.
//!
//! For transactions that wait for a block: whoever leads next should know them. Nothing depends on
//! delivery; a message that is lost only waits for the leader that has it.

use crate::application::Application;
use bytes::{BufMut as _, Bytes, BytesMut};
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_runtime::{Buf as _, Clock};
use futures::{StreamExt as _, channel::mpsc};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Messages that wait to be sent; more are dropped.
const QUEUE: usize = 65_536;
/// Bytes of a frame at most.
const FRAME_BYTES: usize = 128 * 1024;
/// How long a frame waits for more messages.
const GATHER: Duration = Duration::from_millis(1);
/// Bytes of the length before each message of a frame.
const LENGTH: usize = 4;

/// The end at which messages go in. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Outbox(Arc<Mutex<mpsc::Sender<Bytes>>>);

/// The other end.
pub(crate) struct Queue(mpsc::Receiver<Bytes>);

pub(crate) fn outbox() -> (Outbox, Queue) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    (Outbox(Arc::new(Mutex::new(sender))), Queue(receiver))
}

impl Outbox {
    /// Queues a message; `false` if there is no room or it can never be sent.
    pub(crate) fn push(&self, message: Bytes) -> bool {
        message.len() + LENGTH <= FRAME_BYTES
            && self.0.lock().unwrap_or_else(PoisonError::into_inner).try_send(message).is_ok()
    }
}

/// Sends what is queued until the engine stops.
pub(crate) async fn send(
    clock: impl Clock,
    mut queue: Queue,
    mut network: impl Sender<PublicKey = PublicKey>,
) {
    let mut left_over = None;
    loop {
        let first = match left_over.take() {
            Some(message) => message,
            None => match queue.0.next().await {
                Some(message) => message,
                None => return,
            },
        };
        clock.sleep(GATHER).await;
        let mut frame = BytesMut::new();
        put(&mut frame, &first);
        while let Ok(message) = queue.0.try_recv() {
            if FRAME_BYTES < frame.len() + LENGTH + message.len() {
                left_over = Some(message);
                break;
            }
            put(&mut frame, &message);
        }
        network.send(Recipients::All, frame.freeze(), false);
    }
}

fn put(frame: &mut BytesMut, message: &[u8]) {
    // A message is shorter than a frame, so its length fits.
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.extend_from_slice(message);
}

/// Hands what comes in to the application until the engine stops.
pub(crate) async fn receive(
    application: impl Application,
    mut network: impl Receiver<PublicKey = PublicKey>,
) {
    while let Ok((_, frame)) = network.recv().await {
        let mut frame = frame;
        let bytes = frame.copy_to_bytes(frame.remaining());
        if FRAME_BYTES < bytes.len() {
            continue;
        }
        let messages = messages(bytes);
        if !messages.is_empty() {
            application.heard(messages);
        }
    }
}

/// The messages of a frame, up to the first that is not whole.
fn messages(mut frame: Bytes) -> Vec<Bytes> {
    let mut messages = Vec::new();
    while let Some(length) = frame.first_chunk().map(|bytes| u32::from_be_bytes(*bytes) as usize) {
        if frame.len() < LENGTH + length {
            break;
        }
        let mut message = frame.split_to(LENGTH + length);
        messages.push(message.split_off(LENGTH));
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_taken_apart_as_it_was_put_together() {
        let mut frame = BytesMut::new();
        for message in [&b"one"[..], b"", b"three"] {
            put(&mut frame, message);
        }
        let whole = frame.freeze();
        assert_eq!(messages(whole.clone()), [&b"one"[..], b"", b"three"]);
        assert_eq!(messages(whole.slice(..whole.len() - 1)), [&b"one"[..], b""]);
        assert!(messages(Bytes::from_static(&[0xff; 7])).is_empty());
        assert!(messages(Bytes::new()).is_empty());
    }
}
