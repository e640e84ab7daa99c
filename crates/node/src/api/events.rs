//! The stream of final events, as server-sent events.

use super::{Api, extract::InQuery, problem::ApiProblem};
use crate::{EventStream, LoggedEvent, StreamItem};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::sse::{Event as Message, KeepAlive, Sse},
};
use duet_sdk::wire::{FinalEvent, Problem};
use futures::{Stream, stream};
use serde::Deserialize;
use std::{convert::Infallible, time::Duration};
use tokio::sync::OwnedSemaphorePermit;

/// A comment is sent after this long without an event, so that proxies keep the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What to stream.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Go on behind this place, `height.index`; as the header `Last-Event-ID`, which wins.
    after: Option<String>,
    /// Also tell of final blocks without events, as messages named `block`.
    #[serde(default)]
    blocks: bool,
}

/// Final events as they come: each message has the id `height.index` and a `FinalEvent` as data.
///
/// A message named `gap` says that events were lost to this reader: read the state again. A
/// message named `block` has a `FinalEvent` without event.
#[utoipa::path(get, path = "/v1/events", tag = "chain", operation_id = "events",
    params(Wanted, ("last-event-id" = Option<String>, Header, description = "`height.index`")),
    responses(
        (status = 200, content_type = "text/event-stream", body = FinalEvent),
        (status = 503, body = Problem, description = "Too many readers."),
    ))]
pub(super) async fn stream(
    State(api): State<Api>,
    InQuery(wanted): InQuery<Wanted>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Message, Infallible>>>, ApiProblem> {
    let header = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let after = header.or(wanted.after).map(|id| place(&id)).transpose()?;
    let permit = api.readers.clone().try_acquire_owned().map_err(|_| {
        let title = "The stream has reached its limit of readers.";
        let detail = "ask another validator, or try again later".to_owned();
        ApiProblem::new(StatusCode::SERVICE_UNAVAILABLE, "too-many-readers", title, detail)
    })?;
    let reader =
        Reader { events: api.node.subscribe(after), blocks: wanted.blocks, _permit: permit };
    let messages = stream::unfold(reader, |mut reader| async {
        let message = reader.next().await?;
        Some((Ok(message), reader))
    });
    Ok(Sse::new(messages).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

fn place(id: &str) -> Result<(u64, u32), ApiProblem> {
    id.split_once('.')
        .and_then(|(height, index)| Some((height.parse().ok()?, index.parse().ok()?)))
        .ok_or_else(|| ApiProblem::bad_request(format!("{id:?} is not a place: height.index")))
}

/// One reader of the stream; its place among the readers is free again when it goes.
struct Reader {
    events: EventStream,
    blocks: bool,
    _permit: OwnedSemaphorePermit,
}

impl Reader {
    async fn next(&mut self) -> Option<Message> {
        loop {
            match self.events.next().await? {
                StreamItem::Gap => return Some(Message::default().event("gap").data("{}")),
                StreamItem::Event(logged) => {
                    if self.blocks || logged.event.is_some() {
                        return Some(message(&logged));
                    }
                }
            }
        }
    }
}

fn message(logged: &LoggedEvent) -> Message {
    let event = FinalEvent {
        height: logged.height,
        index: logged.index,
        time_ms: logged.time.unix_ms(),
        event: logged.event.as_ref().map(Into::into),
    };
    let message = Message::default().id(format!("{}.{}", logged.height, logged.index));
    let message = if event.event.is_none() { message.event("block") } else { message };
    // Its JSON has no line break, so it is one line of data.
    message.data(serde_json::to_string(&event).unwrap_or_default())
}
