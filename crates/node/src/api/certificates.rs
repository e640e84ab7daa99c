//! Certificates for the public, offers, CCER projects, green contracts, claim reports.

use super::{
    Api,
    extract::{InPath, InQuery, Paging},
    problem::ApiProblem,
    proofs,
};
use axum::{Json, extract::State};
use duet_ledger::{CertificateLot, Encode as _, GreenContractId, OrganisationId, State as Ledger};
use duet_sdk::{
    proof::RowProof,
    wire::{CcerProject, Certificate, CertificateOffer, ClaimReport, GreenContract, Page, Problem},
};
use serde::Deserialize;

/// One certificate by its number: for anybody who was shown it.
#[utoipa::path(get, path = "/v1/certificates/{number}", tag = "accounts",
    operation_id = "certificate",
    params(("number" = u64, Path, description = "The number of the certificate.")),
    responses((status = 200, body = Certificate), (status = 404, body = Problem)))]
pub(super) async fn certificate(
    State(api): State<Api>,
    InPath(number): InPath<u64>,
) -> Result<Json<Certificate>, ApiProblem> {
    let shown = |state: &Ledger| {
        let (id, lot) = state.lot_of(number)?;
        let unit = state.units().get(&lot.unit)?;
        let owner = state.organisations().get(&lot.owner)?;
        Some(Certificate::new(number, id, lot, (&unit.name, &owner.name)))
    };
    api.node.read(shown).map(Json).ok_or_else(|| ApiProblem::not_found("certificate", number))
}

/// What convinces an outsider that the run of a certificate stands on the ledger as it does. The
/// answer takes a few blocks.
#[utoipa::path(get, path = "/v1/certificates/{number}/proof", tag = "accounts",
    operation_id = "certificate_proof",
    params(("number" = u64, Path, description = "The number of the certificate.")),
    responses(
        (status = 200, body = RowProof),
        (status = 404, body = Problem),
        (status = 503, body = Problem),
    ))]
pub(super) async fn proof(
    State(api): State<Api>,
    InPath(number): InPath<u64>,
) -> Result<Json<RowProof>, ApiProblem> {
    let row = |state: &Ledger| {
        let (id, lot) = state.lot_of(number)?;
        Some((CertificateLot::store_key(id), lot.to_bytes()))
    };
    proofs::proved(&api, ("certificate", number), row).await
}

/// The certificates that are offered for sale, by number of the offer.
#[utoipa::path(get, path = "/v1/certificate-offers", tag = "accounts",
    operation_id = "certificate_offers",
    params(Paging), responses((status = 200, body = Page<CertificateOffer>)))]
pub(super) async fn offers(
    State(api): State<Api>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<CertificateOffer>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.offers().iter().filter_map(|(id, row)| {
                let lot = state.lots().get(&row.lot)?;
                Some((id.0, (*id, row, lot)))
            });
            paging.page(rows, |(id, row, lot)| Some(CertificateOffer::new(id, row, lot)))
        })
        .map(Json)
}

/// The projects whose reductions become CCER, by number.
#[utoipa::path(get, path = "/v1/ccer-projects", tag = "accounts", operation_id = "ccer_projects",
    params(Paging), responses((status = 200, body = Page<CcerProject>)))]
pub(super) async fn projects(
    State(api): State<Api>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<CcerProject>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.projects().iter().map(|(id, row)| (id.0, (*id, row)));
            paging.page(rows, |(id, row)| Some(CcerProject::new(id, row)))
        })
        .map(Json)
}

/// Whose green contracts.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct GreenFilter {
    /// With this organisation on either side.
    party: Option<u32>,
}

/// The green contracts by number, with what their months came to.
#[utoipa::path(get, path = "/v1/green-contracts", tag = "accounts",
    operation_id = "green_contracts",
    params(GreenFilter, Paging), responses((status = 200, body = Page<GreenContract>)))]
pub(super) async fn green_contracts(
    State(api): State<Api>,
    InQuery(filter): InQuery<GreenFilter>,
    InQuery(paging): InQuery<Paging>,
) -> Result<Json<Page<GreenContract>>, ApiProblem> {
    api.node
        .read(|state| {
            let rows = state.green_contracts().iter().map(|(id, row)| (id.0, (*id, row)));
            paging.page(rows, |(id, row)| {
                let parties = [row.generator.0, row.consumer.0];
                let wanted = filter.party.is_none_or(|party| parties.contains(&party));
                wanted.then(|| GreenContract::new(id, row))
            })
        })
        .map(Json)
}

/// One green contract.
#[utoipa::path(get, path = "/v1/green-contracts/{id}", tag = "accounts",
    operation_id = "green_contract",
    params(("id" = u64, Path, description = "The number of the contract.")),
    responses((status = 200, body = GreenContract), (status = 404, body = Problem)))]
pub(super) async fn green_contract(
    State(api): State<Api>,
    InPath(id): InPath<u64>,
) -> Result<Json<GreenContract>, ApiProblem> {
    let id = GreenContractId(id);
    api.node
        .read(|state| state.green_contracts().get(&id).map(|row| GreenContract::new(id, row)))
        .map(Json)
        .ok_or_else(|| ApiProblem::not_found("green contract", id))
}

/// The year of a report.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OfYear {
    /// The calendar year.
    year: i32,
}

/// What an organisation can say of the emissions of the electricity that it used in a year:
/// location-based and market-based side by side.
#[utoipa::path(get, path = "/v1/organisations/{id}/claim-report", tag = "accounts",
    operation_id = "claim_report",
    params(("id" = u32, Path, description = "The number of the organisation."), OfYear),
    responses((status = 200, body = ClaimReport), (status = 404, body = Problem)))]
pub(super) async fn claim_report(
    State(api): State<Api>,
    InPath(id): InPath<u32>,
    InQuery(of): InQuery<OfYear>,
) -> Result<Json<ClaimReport>, ApiProblem> {
    let organisation = OrganisationId(id);
    let report = api.node.read(|state| {
        let known = state.organisations().contains_key(&organisation);
        known.then(|| ClaimReport::new(state, organisation, of.year))
    });
    let report = report.ok_or_else(|| ApiProblem::not_found("organisation", id))?;
    report.map(Json).map_err(|error| ApiProblem::bad_request(error.to_string()))
}
