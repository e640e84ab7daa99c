//! The API's client.

mod carbon;
mod transport;
mod trust;

pub use rustls::{pki_types::UnixTime, time_provider::TimeProvider};
pub use trust::{Trust, TrustError};

use crate::wire::{Auction, Certificate, CertificateOffer, ClaimReport, GreenContract};
use crate::{
    proof::{HeadProof, ReceiptProof, RowProof},
    wire::{
        Block, Bytes, CalendarMonth, Channel, Day, Depth, Device, Dispatch, DispatchCurve,
        FinalEvent, Hex32, Identity, InterventionRecord, LaterLine, LaterTrace, Limits, LineTrace,
        MonthStatement, Order, OrganisationDetail, Page, PeriodClearing, Problem, Proposal,
        PublishedRule, Receipt, Seal, SealedBook, Session, StatementLine, Status, SubmitRequest,
        Submitted, Trade,
    },
};
use duet_ledger::Transaction;
use futures::{Stream, StreamExt as _, stream};
use http_body_util::BodyExt as _;
use hyper::{Method, Response, StatusCode, body::Incoming, header};
use serde::{Serialize, de::DeserializeOwned};
use std::{error::Error, time::Duration};
use transport::{Transport, collect};

/// The longest event that the stream may carry, in bytes.
const EVENT_BYTES_MAX: usize = 64 * 1024;
/// A stream that says nothing for this long is dead: a node sends something every 15 seconds.
const STREAM_SILENCE_MAX: Duration = Duration::from_secs(45);

/// What the stream of events brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamItem {
    /// The next final event.
    Event(Box<FinalEvent>),
    /// Events may be missing here: read the state again.
    Gap,
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is not one that is trusted.
    #[error("{url}: {rule}")]
    Address {
        /// The address.
        url: String,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// The node cannot be reached, or the connection broke.
    #[error("cannot reach {url}")]
    Unreachable {
        /// Where the request went.
        url: String,
        /// What went wrong.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The node refused.
    #[error("{}: {}", .0.code, .0.detail)]
    Refused(Box<Problem>),
    /// The answer is not what the API promises.
    #[error("{url} answered something else than the API's JSON ({status})")]
    NotTheApi {
        /// Where the request went.
        url: String,
        /// The HTTP status.
        status: u16,
    },
}

/// Which orders to list.
#[derive(Clone, Debug, Default, Serialize)]
pub struct OrderFilter {
    /// Of this session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<u32>,
    /// Of this organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<u32>,
    /// In this status, as in [`OrderStatus`](crate::wire::OrderStatus).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// On this side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<String>,
    /// With a higher number than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// At most so many, 1 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A client of one node.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Transport,
}

impl Client {
    /// A client of a node of this machine, for example `http://127.0.0.1:8700`.
    ///
    /// # Errors
    ///
    /// Returns [`ClientError::Address`] if the address is not one of this machine's own.
    pub fn new(base: &str) -> Result<Self, ClientError> {
        Self::trusting(base, &Trust::default())
    }

    /// A client of the node at `base`, for example `https://exchange.example:8700`.
    ///
    /// # Errors
    ///
    /// Returns [`ClientError::Address`] if `trust` does not take the address.
    pub fn trusting(base: &str, trust: &Trust) -> Result<Self, ClientError> {
        Ok(Self { transport: Transport::new(base, trust)? })
    }

    /// Whether the node must show a certificate.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.transport.is_encrypted()
    }

    /// Where the node stands.
    ///
    /// # Errors
    ///
    /// Returns [`ClientError`] if there is no answer, as do all requests.
    pub async fn status(&self) -> Result<Status, ClientError> {
        self.get("/v1/status", &()).await
    }

    /// What the channel was founded on.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn channel(&self) -> Result<Channel, ClientError> {
        self.get("/v1/channel", &()).await
    }

    /// The last final header with its certificate.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn head_proof(&self) -> Result<HeadProof, ClientError> {
        self.get("/v1/head/proof", &()).await
    }

    /// Who the ledger knows under a key, with its last nonce.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn identity(&self, key: Hex32) -> Result<Identity, ClientError> {
        self.get(&format!("/v1/identities/{key}"), &()).await
    }

    /// An organisation with its accounts.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn organisation(&self, id: u32) -> Result<OrganisationDetail, ClientError> {
        self.get(&format!("/v1/organisations/{id}"), &()).await
    }

    /// One certificate by its number.
    ///
    /// # Errors
    ///
    /// Returns [`ClientError`] if the node refuses or is not reached.
    pub async fn certificate(&self, number: u64) -> Result<Certificate, ClientError> {
        self.get(&format!("/v1/certificates/{number}"), &()).await
    }

    /// The proof of the run of a certificate; takes the node a few blocks.
    ///
    /// # Errors
    ///
    /// Returns [`ClientError`] if the node refuses or is not reached.
    pub async fn certificate_proof(&self, number: u64) -> Result<RowProof, ClientError> {
        self.get(&format!("/v1/certificates/{number}/proof"), &()).await
    }

    /// The certificates that are offered for sale.
    ///
    /// # Errors
    ///
    /// Returns [`ClientError`] if the node refuses or is not reached.
    pub async fn certificate_offers(&self) -> Result<Page<CertificateOffer>, ClientError> {
        self.get("/v1/certificate-offers", &[("limit", 1000)]).await
    }

    /// The green contracts with an organisation, or all.
    ///
    /// # Errors
    ///
    /// Returns [`ClientError`] if the node refuses or is not reached.
    pub async fn green_contracts(
        &self,
        party: Option<u32>,
    ) -> Result<Page<GreenContract>, ClientError> {
        self.get("/v1/green-contracts", &[("party", party), ("limit", Some(1000))]).await
    }

    /// One green contract.
    ///
    /// # Errors
    ///
    /// Returns [`ClientError`] if the node refuses or is not reached.
    pub async fn green_contract(&self, id: u64) -> Result<GreenContract, ClientError> {
        self.get(&format!("/v1/green-contracts/{id}"), &()).await
    }

    /// What an organisation can say of its emissions from electricity in a year.
    ///
    /// # Errors
    ///
    /// Returns [`ClientError`] if the node refuses or is not reached.
    pub async fn claim_report(
        &self,
        organisation: u32,
        year: i32,
    ) -> Result<ClaimReport, ClientError> {
        self.get(&format!("/v1/organisations/{organisation}/claim-report"), &[("year", year)]).await
    }

    /// The sessions.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn sessions(&self) -> Result<Page<Session>, ClientError> {
        self.get("/v1/sessions", &[("limit", 1000)]).await
    }

    /// One session.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn session(&self, id: u32) -> Result<Session, ClientError> {
        self.get(&format!("/v1/sessions/{id}"), &()).await
    }

    /// The best five levels of the book of one period.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn depth(&self, session: u32, period: u8) -> Result<Depth, ClientError> {
        self.get(&format!("/v1/sessions/{session}/depth"), &[("period", period)]).await
    }

    /// The rules of the market by number: of one province, in effect on one delivery day.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn rules(
        &self,
        province: Option<&str>,
        day: Option<Day>,
    ) -> Result<Page<PublishedRule>, ClientError> {
        let query = [
            ("province", province.map(str::to_owned)),
            ("day", day.map(|day| day.to_string())),
            ("limit", Some("1000".to_owned())),
        ];
        self.get("/v1/rules", &query).await
    }

    /// What an organisation may still trade.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn limits(&self, organisation: u32) -> Result<Limits, ClientError> {
        self.get(&format!("/v1/limits/{organisation}"), &()).await
    }

    /// One rule of the market.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn rule(&self, id: u32) -> Result<PublishedRule, ClientError> {
        self.get(&format!("/v1/rules/{id}"), &()).await
    }

    /// The proposed contracts by number: of one session, with one party.
    ///
    /// # Errors
    ///
    /// Returns [`ClientError`] if the node does not answer or refuses.
    pub async fn contracts(
        &self,
        session: Option<u32>,
        party: Option<u32>,
    ) -> Result<Page<Proposal>, ClientError> {
        let mut query: Vec<(&str, u32)> = Vec::new();
        query.extend(session.map(|session| ("session", session)));
        query.extend(party.map(|party| ("party", party)));
        self.get("/v1/contracts", &query).await
    }

    /// One proposed contract.
    ///
    /// # Errors
    ///
    /// Returns [`ClientError`] if the node does not answer or knows no such contract.
    pub async fn contract(&self, id: u64) -> Result<Proposal, ClientError> {
        self.get(&format!("/v1/contracts/{id}"), &()).await
    }

    /// What an auction came to, with its linked orders.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn auction(&self, session: u32) -> Result<Auction, ClientError> {
        self.get(&format!("/v1/sessions/{session}/auction"), &()).await
    }

    /// What each period of a session cleared at.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn clearings(&self, session: u32) -> Result<Vec<PeriodClearing>, ClientError> {
        self.get(&format!("/v1/sessions/{session}/clearings"), &()).await
    }

    /// The sealed book of a cleared or settled session.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn sealed_book(&self, session: u32) -> Result<SealedBook, ClientError> {
        self.get(&format!("/v1/sessions/{session}/sealed"), &()).await
    }

    /// The seal of the day of a joint session; none if it is not settled, or long ago.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn seal(&self, session: u32) -> Result<Option<Seal>, ClientError> {
        let page: Page<Seal> = self.get("/v1/seals", &[("session", session)]).await?;
        Ok(page.items.into_iter().next())
    }

    /// What operators did to sessions, or to one.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn interventions(
        &self,
        session: Option<u32>,
    ) -> Result<Page<InterventionRecord>, ClientError> {
        self.get("/v1/interventions", &[("session", session), ("limit", Some(1000))]).await
    }

    /// The lines of a session's statement behind a place: all, or those of one organisation.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn statement_lines(
        &self,
        session: u32,
        organisation: Option<u32>,
        after: Option<u64>,
    ) -> Result<Page<StatementLine>, ClientError> {
        let query = [
            ("session", Some(u64::from(session))),
            ("organisation", organisation.map(u64::from)),
            ("after", after),
            ("limit", Some(1000)),
        ];
        self.get("/v1/statements", &query).await
    }

    /// The statements of a month: all, or that of one organisation.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn months(
        &self,
        month: CalendarMonth,
        organisation: Option<u32>,
    ) -> Result<Page<MonthStatement>, ClientError> {
        let query = [
            ("month", Some(month.to_string())),
            ("organisation", organisation.map(|id| id.to_string())),
            ("limit", Some("1000".to_owned())),
        ];
        self.get("/v1/months", &query).await
    }

    /// Everything that a statement line comes from.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn trace(&self, session: u32, place: u32) -> Result<LineTrace, ClientError> {
        self.get(&format!("/v1/statement-lines/{session}/{place}/trace"), &()).await
    }

    /// The lines of a month that were made after their days, behind a number: all, or those of one
    /// organisation.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn later_lines(
        &self,
        month: CalendarMonth,
        organisation: Option<u32>,
        after: Option<u64>,
    ) -> Result<Page<LaterLine>, ClientError> {
        let query = [
            ("month", Some(month.to_string())),
            ("organisation", organisation.map(|id| id.to_string())),
            ("after", after.map(|number| number.to_string())),
            ("limit", Some("1000".to_owned())),
        ];
        self.get("/v1/later-lines", &query).await
    }

    /// Everything that a line made after its day comes from.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn later_trace(&self, number: u64) -> Result<LaterTrace, ClientError> {
        self.get(&format!("/v1/later-lines/{number}/trace"), &()).await
    }

    /// Orders by number.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn orders(&self, filter: &OrderFilter) -> Result<Page<Order>, ClientError> {
        self.get("/v1/orders", filter).await
    }

    /// Trades of a session by number.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn trades(&self, session: u32, after: u64) -> Result<Page<Trade>, ClientError> {
        let query = [("session", u64::from(session)), ("after", after), ("limit", 1000)];
        self.get("/v1/trades", &query).await
    }

    /// A final block.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn block(&self, height: u64) -> Result<Block, ClientError> {
        self.get(&format!("/v1/blocks/{height}"), &()).await
    }

    /// What came of a transaction; a problem `not-found` until it is final.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn receipt(&self, transaction: Hex32) -> Result<Receipt, ClientError> {
        self.get(&format!("/v1/transactions/{transaction}"), &()).await
    }

    /// The proof of a receipt; a problem `not-found` until a later checkpoint covers it.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn receipt_proof(&self, transaction: Hex32) -> Result<ReceiptProof, ClientError> {
        self.get(&format!("/v1/transactions/{transaction}/proof"), &()).await
    }

    /// Dispatches by number, behind `after`.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn dispatches(&self, after: u64) -> Result<Page<Dispatch>, ClientError> {
        self.get("/v1/dispatches", &[("after", after), ("limit", 1000)]).await
    }

    /// The day of a dispatch as a power curve of 96 points.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn dispatch_curve(&self, dispatch: u64) -> Result<DispatchCurve, ClientError> {
        self.get(&format!("/v1/dispatches/{dispatch}/curve"), &()).await
    }

    /// The proof that a dispatch stands on the ledger as it does; takes the node a few blocks.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn dispatch_proof(&self, dispatch: u64) -> Result<RowProof, ClientError> {
        self.get(&format!("/v1/dispatches/{dispatch}/proof"), &()).await
    }

    /// The devices by key, at most 1,000.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn devices(&self) -> Result<Vec<Device>, ClientError> {
        self.get("/v1/devices", &()).await
    }

    /// Submits a transaction and waits up to `wait` for its receipt; zero does not wait.
    ///
    /// # Errors
    ///
    /// As [`Client::status`]; a refusal at admission is [`ClientError::Refused`].
    pub async fn submit(
        &self,
        transaction: &Transaction,
        wait: Duration,
    ) -> Result<Submitted, ClientError> {
        let body = SubmitRequest { transaction: Bytes(transaction.bytes().to_vec()) };
        let wait = (!wait.is_zero()).then(|| wait.as_secs().max(1));
        let url = self.transport.url("/v1/transactions", &[("wait", wait)])?;
        // Hex digits in one field: this cannot fail.
        let body = serde_json::to_vec(&body).unwrap_or_default();
        let json = [(header::CONTENT_TYPE, "application/json".to_owned())];
        self.read(Method::POST, url, (&json, body)).await
    }

    /// The final events after a place in the chain, or from now on. The stream ends with the
    /// connection, or with an error where the node is silent for too long; go on behind the last
    /// event that was read.
    ///
    /// # Errors
    ///
    /// As [`Client::status`].
    pub async fn events(
        &self,
        after: Option<(u64, u32)>,
    ) -> Result<impl Stream<Item = Result<StreamItem, ClientError>> + use<>, ClientError> {
        let url = self.transport.url("/v1/events", &())?;
        let mut headers = vec![(header::ACCEPT, "text/event-stream".to_owned())];
        if let Some((height, index)) = after {
            let name = header::HeaderName::from_static("last-event-id");
            headers.push((name, format!("{height}.{index}")));
        }
        let response = self.send(Method::GET, &url, (&headers, Vec::new())).await?;
        let status = response.status().as_u16();
        let mut lines = Lines::default();
        let read = move |chunk: Chunk| -> Result<Vec<StreamItem>, ClientError> {
            let unreachable = |source| ClientError::Unreachable { url: url.clone(), source };
            let chunk = chunk.map_err(unreachable)?;
            lines.push(&chunk).map_err(|()| ClientError::NotTheApi { url: url.clone(), status })
        };
        let items = chunks(response).map(read).flat_map(|items| match items {
            Ok(items) => stream::iter(items.into_iter().map(Ok).collect::<Vec<_>>()),
            Err(error) => stream::iter(vec![Err(error)]),
        });
        Ok(items)
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &(impl Serialize + ?Sized + Sync),
    ) -> Result<T, ClientError> {
        let url = self.transport.url(path, query)?;
        self.read(Method::GET, url, (&[], Vec::new())).await
    }

    async fn read<T: DeserializeOwned>(
        &self,
        method: Method,
        url: String,
        message: Message<'_>,
    ) -> Result<T, ClientError> {
        let response = self.send(method, &url, message).await?;
        let status = response.status().as_u16();
        let answer = collect(response).await.and_then(|body| serde_json::from_slice(&body).ok());
        answer.ok_or(ClientError::NotTheApi { url, status })
    }

    /// Sends, and turns problems into errors.
    async fn send(
        &self,
        method: Method,
        url: &str,
        (headers, body): Message<'_>,
    ) -> Result<Response<Incoming>, ClientError> {
        let response = self.transport.send(method, url, headers, body).await?;
        let status = response.status();
        if status.is_success() || status == StatusCode::ACCEPTED {
            return Ok(response);
        }
        let problem = collect(response).await.and_then(|body| serde_json::from_slice(&body).ok());
        Err(problem.map_or_else(
            || ClientError::NotTheApi { url: url.to_owned(), status: status.as_u16() },
            |problem: Box<Problem>| ClientError::Refused(problem),
        ))
    }
}

/// Headers and body of a request.
type Message<'a> = (&'a [(header::HeaderName, String)], Vec<u8>);

/// A part of a stream's bytes, or why none comes any more.
type Chunk = Result<hyper::body::Bytes, Box<dyn Error + Send + Sync>>;

/// What a stream brings, until it breaks off or is silent for too long.
fn chunks(response: Response<Incoming>) -> impl Stream<Item = Chunk> + use<> {
    stream::unfold(Some(response.into_data_stream()), async |body| {
        let mut body = body?;
        match tokio::time::timeout(STREAM_SILENCE_MAX, body.next()).await {
            Ok(chunk) => Some((chunk?.map_err(Into::into), Some(body))),
            Err(late) => Some((Err(late.into()), None)),
        }
    })
}

/// Collects the lines of an event stream; the JSON of an event is one `data:` line.
#[derive(Debug, Default)]
struct Lines {
    rest: Vec<u8>,
    /// Whether the message that is being read is the notice of a gap.
    is_gap: bool,
}

impl Lines {
    /// What `chunk` completes. An `Err` means that the stream is not the API's, or that of a newer
    /// one.
    fn push(&mut self, chunk: &[u8]) -> Result<Vec<StreamItem>, ()> {
        self.rest.extend_from_slice(chunk);
        let mut items = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            // Ids, other names and comments carry nothing that is read here.
            if let Some(name) = line.strip_prefix(b"event: ") {
                self.is_gap = name.trim_ascii_end() == b"gap";
            } else if let Some(data) = line.strip_prefix(b"data: ") {
                items.push(if std::mem::take(&mut self.is_gap) {
                    StreamItem::Gap
                } else {
                    StreamItem::Event(serde_json::from_slice(data).map_err(drop)?)
                });
            }
        }
        if self.rest.len() > EVENT_BYTES_MAX { Err(()) } else { Ok(items) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_cut_anywhere_are_put_together() {
        let text = b"id: 7.0\nevent: gate_opened\n\
            data: {\"height\":7,\"index\":0,\"time_ms\":1,\"event\":{\"kind\":\"gate_opened\",\"session\":2}}\n\n\
            event: gap\ndata: {}\n\n:\n\n";
        for cut in 0..text.len() {
            let mut lines = Lines::default();
            let mut items = lines.push(&text[..cut]).unwrap();
            items.extend(lines.push(&text[cut..]).unwrap());
            let [StreamItem::Event(event), StreamItem::Gap] = &items[..] else {
                panic!("cut at {cut}: {items:?}")
            };
            assert_eq!((event.height, event.index), (7, 0));
        }
    }

    #[test]
    fn a_stream_without_line_ends_is_cut_off() {
        let mut lines = Lines::default();
        assert!(lines.push(&vec![b'x'; EVENT_BYTES_MAX]).is_ok());
        assert!(lines.push(b"x").is_err());
    }

    #[test]
    fn an_event_of_an_unknown_kind_is_an_error() {
        assert!(Lines::default().push(b"data: {\"kind\":\"newer\"}\n").is_err());
    }
}
