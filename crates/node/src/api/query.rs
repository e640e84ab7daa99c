//! The parameters of queries: one that the API's description does not name is refused, because a
//! filter that is misspelt would else show everything.

use super::problem::ApiProblem;
use axum::{
    extract::{MatchedPath, Query, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use utoipa::openapi::{OpenApi, PathItem, RefOr, path::ParameterIn};

/// The parameters of each path.
pub(super) type Known = Arc<BTreeMap<String, BTreeSet<String>>>;

pub(super) fn known(description: &OpenApi) -> Known {
    let paths = description.paths.paths.iter();
    Arc::new(paths.map(|(path, item)| (path.clone(), of_path(item))).collect())
}

fn of_path(item: &PathItem) -> BTreeSet<String> {
    let operations = [&item.get, &item.post].into_iter().flatten();
    let parameters = operations.filter_map(|operation| operation.parameters.as_ref()).flatten();
    let names = parameters.filter_map(|parameter| match parameter {
        RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => {
            Some(parameter.name.clone())
        }
        _ => None,
    });
    names.collect()
}

/// Answers the request unless its query has a parameter that its path does not take.
pub(super) async fn check(State(known): State<Known>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    if let (Some(path), Ok(Query(pairs))) =
        (path, Query::<Vec<(String, String)>>::try_from_uri(request.uri()))
    {
        let taken = known.get(path);
        let is_taken = |name: &String| taken.is_some_and(|names| names.contains(name));
        if let Some((name, _)) = pairs.iter().find(|(name, _)| !is_taken(name)) {
            let names: Vec<&str> = taken.into_iter().flatten().map(String::as_str).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let detail = format!("{path} takes no parameter {name:?}; it takes {names}");
            return ApiProblem::bad_request(detail).into_response();
        }
    }
    next.run(request).await
}
