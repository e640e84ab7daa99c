//! The event stream: in order, without loss from a place on, bounded in readers.

use crate::support::{BANK, RETAILER, Site, with_site};
use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use duet_ledger::{Action, OrganisationId};
use duet_node::api::ApiConfig;
use duet_sdk::wire::{Event, FinalEvent};
use duet_units::Money;
use futures::StreamExt as _;

async fn open(site: &Site, last_event_id: Option<&str>) -> axum::http::Response<Body> {
    let mut request = Request::get("/v1/events");
    if let Some(id) = last_event_id {
        request = request.header("last-event-id", id);
    }
    site.send(request.body(Body::empty()).unwrap()).await
}

/// The next `count` events of a stream.
async fn events(body: Body, count: usize) -> Vec<FinalEvent> {
    let mut chunks = body.into_data_stream();
    let (mut text, mut events) = (String::new(), Vec::new());
    while events.len() < count {
        let chunk = chunks.next().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        events = text
            .lines()
            .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
            .collect();
    }
    events
}

async fn deposit(site: &Site, reference: u64) {
    let organisation = OrganisationId(RETAILER.into());
    let amount = Money::from_fen(i128::from(reference));
    site.done(BANK, Action::Deposit { organisation, amount, reference }).await;
}

fn amounts(events: &[FinalEvent]) -> Vec<i128> {
    events
        .iter()
        .map(|event| match &event.event {
            Some(Event::Deposited { amount_fen, .. }) => amount_fen.0,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_reader_goes_on_where_it_stopped() {
    with_site("stream", &ApiConfig::default(), async |site| {
        let live = open(&site, None).await;
        for reference in 1..=3 {
            deposit(&site, reference).await;
        }
        let seen = events(live.into_body(), 3).await;
        assert_eq!(amounts(&seen), [1, 2, 3]);
        assert!(seen.is_sorted_by_key(|event| (event.height, event.index)));

        let place = format!("{}.{}", seen[0].height, seen[0].index);
        let rest = open(&site, Some(&place)).await;
        assert_eq!(amounts(&events(rest.into_body(), 2).await), [2, 3]);
    });
}

#[test]
fn readers_are_counted_and_leave_their_place() {
    let config = ApiConfig { event_readers_max: 1, ..ApiConfig::default() };
    with_site("readers", &config, async |site| {
        let first = open(&site, None).await;
        assert_eq!(first.status(), StatusCode::OK);
        let second = open(&site, None).await;
        assert_eq!(second.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(second.headers().contains_key("retry-after"));
        drop(first);
        assert_eq!(open(&site, None).await.status(), StatusCode::OK);
    });
}
