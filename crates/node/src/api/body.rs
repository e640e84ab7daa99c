//! The bodies of requests, in bounded time.

use axum::{
    Error,
    body::{Body, HttpBody as _},
    extract::Request,
    middleware::Next,
    response::Response,
};
use futures::{StreamExt as _, stream};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a client may take to send the body of a request.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// Breaks a body off that does not come in time.
pub(super) async fn in_time(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let until = Instant::now() + BODY_WITHIN;
    next.run(request.map(|body| until_then(body, until))).await
}

fn until_then(body: Body, until: Instant) -> Body {
    let parts = stream::unfold(Some(body.into_data_stream()), move |body| async move {
        let mut body = body?;
        match timeout_at(until, body.next()).await {
            Ok(part) => Some((part?, Some(body))),
            Err(late) => Some((Err(Error::new(late)), None)),
        }
    });
    Body::from_stream(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Bytes, to_bytes};

    #[tokio::test]
    async fn a_body_that_never_ends_is_broken_off() {
        let until = Instant::now() + Duration::from_millis(20);
        let part = |text: &'static str| Ok::<_, Error>(Bytes::from_static(text.as_bytes()));
        let whole = Body::from_stream(stream::iter([part("a"), part("b")]));
        let later = until + BODY_WITHIN;
        assert_eq!(to_bytes(until_then(whole, later), 9).await.unwrap(), "ab");
        let endless = stream::iter([part("a")]).chain(stream::pending());
        let read = to_bytes(until_then(Body::from_stream(endless), until), 9).await;
        assert!(read.unwrap_err().to_string().contains("deadline"));
    }
}
