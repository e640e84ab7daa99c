//! Refusals and faults as `application/problem+json`.

use crate::SubmitError;
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use duet_sdk::wire::Problem;

/// A problem as the answer to a request.
#[derive(Debug)]
pub(super) struct ApiProblem(Box<Problem>);

impl ApiProblem {
    pub(super) fn new(status: StatusCode, code: &str, title: &str, detail: String) -> Self {
        Self(Box::new(Problem::new(status.as_u16(), code, title, detail)))
    }

    /// There is no such thing, or not yet, or not any more.
    pub(super) fn not_found(what: &str, which: impl std::fmt::Display) -> Self {
        let detail = format!("there is no {what} {which}");
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing.", detail)
    }

    /// The request's path or query cannot be read.
    pub(super) fn bad_request(detail: String) -> Self {
        let title = "The path, query or body of the request cannot be read.";
        Self::new(StatusCode::BAD_REQUEST, "bad-request", title, detail)
    }
}

impl From<SubmitError> for ApiProblem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(refusal) => Self(Box::new(Problem::refused(&refusal))),
            SubmitError::Full(full) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "mempool-full",
                "The mempool has reached its limit.",
                full.to_string(),
            ),
        }
    }
}

impl IntoResponse for ApiProblem {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.0)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// The answer where no route fits.
pub(super) async fn not_found(uri: axum::http::Uri) -> ApiProblem {
    ApiProblem::not_found("resource", uri.path())
}

/// The answer to a method that the route does not take.
pub(super) async fn method_not_allowed(method: axum::http::Method) -> ApiProblem {
    let title = "The resource does not take this method.";
    let detail = format!("{method} is not one of the methods of the resource");
    ApiProblem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", title, detail)
}
