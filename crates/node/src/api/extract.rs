//! Reading paths, queries and pages, with problems for what cannot be read.

use super::problem::ApiProblem;
use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use duet_sdk::wire::Page;
use serde::{Deserialize, de::DeserializeOwned};

/// The most rows that one request looks at, so that a filter that nothing fits holds execution up
/// only shortly; the page then ends early and `next` says where to go on.
const ROWS_SCANNED_MAX: usize = 50_000;
/// The rows of a page if the reader does not say.
const PAGE_ROWS: u32 = 100;
/// The most rows of a page.
const PAGE_ROWS_MAX: u32 = 1_000;

/// A parameter of the path.
pub(super) struct InPath<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for InPath<T> {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        let path = Path::from_request_parts(parts, state).await;
        path.map(|Path(value)| Self(value))
            .map_err(|error| ApiProblem::bad_request(error.body_text()))
    }
}

/// The parameters of the query.
pub(super) struct InQuery<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for InQuery<T> {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        let query = Query::from_request_parts(parts, state).await;
        query
            .map(|Query(value)| Self(value))
            .map_err(|error| ApiProblem::bad_request(error.body_text()))
    }
}

/// Which part of a list.
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// Rows with a higher number than this; `next` of the page before.
    after: Option<u64>,
    /// At most so many rows.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

impl Paging {
    /// The number behind which the page begins.
    pub(super) const fn after(self) -> Option<u64> {
        self.after
    }

    /// The most rows of the page.
    pub(super) fn limit(self) -> Result<usize, ApiProblem> {
        let limit = self.limit.unwrap_or(PAGE_ROWS);
        if (1..=PAGE_ROWS_MAX).contains(&limit) {
            Ok(usize::try_from(limit).unwrap_or(usize::MAX))
        } else {
            let detail = format!("limit = {limit}: a page has 1 to {PAGE_ROWS_MAX} rows");
            Err(ApiProblem::bad_request(detail))
        }
    }

    /// The page of `rows`, which come by ascending number; `view` leaves out those that the reader
    /// does not want.
    pub(super) fn page<R, T>(
        self,
        rows: impl IntoIterator<Item = (u64, R)>,
        view: impl Fn(R) -> Option<T>,
    ) -> Result<Page<T>, ApiProblem> {
        let limit = self.limit()?;
        let mut page = Page { items: Vec::new(), next: None };
        let behind = rows.into_iter().filter(|(number, _)| self.after.is_none_or(|a| a < *number));
        let mut last = None;
        for (scanned, (number, row)) in behind.enumerate() {
            if page.items.len() == limit || scanned == ROWS_SCANNED_MAX {
                page.next = last;
                break;
            }
            page.items.extend(view(row));
            last = Some(number);
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(after: Option<u64>, limit: u32) -> Page<u64> {
        let rows = (1..=10_u64).map(|number| (number, number));
        let even = |number| (number % 2 == 0).then_some(number);
        Paging { after, limit: Some(limit) }.page(rows, even).unwrap()
    }

    #[test]
    fn pages_join_without_gap_or_overlap() {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = page(after, 2);
            seen.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, [2, 4, 6, 8, 10]);
    }

    #[test]
    fn a_full_last_page_has_no_next() {
        let all = Paging { after: None, limit: Some(10) };
        assert_eq!(all.page((1..=10_u64).map(|n| (n, n)), Some).unwrap().next, None);
        assert_eq!(page(Some(10), 5).items, [0_u64; 0]);
    }

    #[test]
    fn page_sizes_outside_the_limit_are_refused() {
        for limit in [0, 1_001, u32::MAX] {
            assert!(Paging { after: None, limit: Some(limit) }.limit().is_err(), "{limit}");
        }
    }
}
