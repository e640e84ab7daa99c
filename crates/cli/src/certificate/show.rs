//! What `duet certificate` shows.

use crate::remote::{Failure, Remote, table, yuan};
use duet_ledger::{CertificateLot, CertificateLotId, decode_all};
use duet_sdk::wire::{Certificate, CertificateOffer, ClaimReport, Hex32, Page};

pub(super) async fn check(
    number: u64,
    channel: Option<Hex32>,
    remote: &Remote,
) -> Result<(), Failure> {
    let client = remote.client()?;
    let certificate = client.certificate(number).await?;
    let height = match channel {
        None => None,
        Some(channel) => {
            let proof = client.certificate_proof(number).await?;
            let verified = proof.verify(&channel.0);
            let verified = verified.map_err(|error| Failure::Usage(error.to_string()))?;
            let id = CertificateLotId(certificate.lot.id);
            let row = decode_all::<CertificateLot>(&proof.row.0);
            let shown = row
                .is_ok_and(|row| duet_sdk::wire::CertificateLot::new(id, &row) == certificate.lot);
            if proof.key.0 != CertificateLot::store_key(id) || !shown {
                let told = "the proof is of another row than the one shown; ask again";
                return Err(Failure::Usage(told.to_owned()));
            }
            Some(verified.height)
        }
    };
    remote.show(&certificate, |certificate| {
        let text = certificate_text(certificate);
        height.map_or_else(|| text.clone(), |height| format!("{text}\nproved at height {height}"))
    })
}

fn certificate_text(certificate: &Certificate) -> String {
    let lot = &certificate.lot;
    let mut lines = vec![
        format!("certificate {}: 1 MWh of {} on {}", certificate.number, certificate.unit, lot.day),
        format!("owner {}, {:?}, run {}", certificate.owner, lot.state, lot.id),
        format!("issued in block {}, valid to the end of {}", lot.issued_height, lot.valid_to),
    ];
    if let Some(height) = lot.transferred_height {
        lines.push(format!("transferred in block {height}"));
    }
    if lot.frozen {
        lines.push("frozen by a CCER project or a dispute".to_owned());
    }
    if let Some(offer) = lot.offer {
        lines.push(format!("for sale in offer {offer}"));
    }
    if let (Some(end), Some(height)) = (&lot.retirement, lot.ended_height) {
        let whom = if end.beneficiary.is_empty() { "nobody" } else { &end.beneficiary };
        let purpose = end.purpose;
        lines.push(format!("ended in block {height}: {purpose:?} for {whom}, use of {}", end.year));
    }
    lines.join("\n")
}

pub(super) async fn offers(remote: &Remote) -> Result<(), Failure> {
    let page = remote.client()?.certificate_offers().await?;
    remote.show(&page, |page: &Page<CertificateOffer>| {
        let row = |offer: &CertificateOffer| {
            let buyer = offer.buyer.map_or_else(|| "anybody".to_owned(), |id| id.to_string());
            vec![
                offer.id.to_string(),
                offer.unit.to_string(),
                offer.day.to_string(),
                offer.count.to_string(),
                yuan(offer.price_fen.0),
                offer.seller.to_string(),
                buyer,
            ]
        };
        let head = ["offer", "unit", "day", "count", "yuan each", "seller", "for"];
        table(&head, &page.items.iter().map(row).collect::<Vec<_>>())
    })
}

pub(super) async fn report(organisation: u32, year: i32, remote: &Remote) -> Result<(), Failure> {
    let report = remote.client()?.claim_report(organisation, year).await?;
    remote.show(&report, |report: &ClaimReport| {
        let tonnes =
            |grams: i128| format!("{}.{:03}", grams / 1_000_000, grams % 1_000_000 / 1_000);
        [
            format!("organisation {organisation}, {year}"),
            format!("drawn from the grid   {} kWh", report.drawn_kwh),
            format!("own energy used       {} kWh", report.self_used_kwh),
            format!("certificates claimed  {}", report.claimed),
            format!("location-based        {} t CO2", tonnes(report.location_based_g.0)),
            format!("market-based          {} t CO2", tonnes(report.market_based_g.0)),
            format!("factor of {}: {}", report.factor_year, report.factor_source),
        ]
        .join("\n")
    })
}
