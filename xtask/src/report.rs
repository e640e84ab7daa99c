//! What the demo's report must say before the run counts as good.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// How many validators the demo runs: the fewest that bear one fault.
const VALIDATORS_MIN: usize = 4;

/// Checks the report of one delivery day and returns its result hash.
///
/// # Errors
///
/// Names the first promise that the report breaks, or the field that it lacks.
pub(crate) fn check(report: &Value) -> Result<&str> {
    validators_agree(report)?;
    orders_add_up(report)?;
    let sum = integer(report, "/settlement/postings_sum_fen")?;
    ensure!(sum == 0, "postings sum to {sum} fen, not to zero");
    ensure!(integer(report, "/settlement/lines")? > 0, "the day has no settlement line");
    let verified = report.pointer("/receipts_verified").context("no receipts_verified")?;
    let some = verified == &Value::Bool(true) || integer(report, "/receipts_verified")? > 0;
    ensure!(some, "no receipt was verified: {verified}");
    let hash = report.pointer("/result_hash").and_then(Value::as_str).unwrap_or_default();
    ensure!(!hash.is_empty(), "no result_hash");
    Ok(hash)
}

fn validators_agree(report: &Value) -> Result<()> {
    let validators = report.pointer("/validators").and_then(Value::as_array);
    let validators = validators.context("no list `validators`")?;
    ensure!(VALIDATORS_MIN <= validators.len(), "only {} validators", validators.len());
    let first = validators.first().context("no validator")?;
    for validator in validators {
        for field in ["height", "state_root"] {
            let (ours, theirs) = (first.get(field), validator.get(field));
            ensure!(ours.is_some() && ours == theirs, "{field} differs: {first} and {validator}");
        }
    }
    ensure!(integer(first, "/height")? > 0, "the chain has no block");
    Ok(())
}

fn orders_add_up(report: &Value) -> Result<()> {
    let orders = |field: &str| integer(report, &format!("/orders/{field}"));
    let (submitted, accepted, rejected) =
        (orders("submitted")?, orders("accepted")?, orders("rejected")?);
    ensure!(submitted > 0, "no order was submitted");
    ensure!(
        accepted + rejected == submitted,
        "{accepted} accepted + {rejected} rejected are not {submitted} submitted"
    );
    let ended = orders("filled")? + orders("cancelled")? + orders("expired")?;
    let open = orders("open").unwrap_or(0);
    ensure!(
        ended + open == accepted,
        "{ended} ended + {open} open orders are not {accepted} accepted"
    );
    Ok(())
}

/// Money may be written as text, because it can pass what JavaScript counts exactly.
fn integer(report: &Value, pointer: &str) -> Result<i128> {
    let value = report.pointer(pointer).with_context(|| format!("no {pointer}"))?;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.parse().with_context(|| format!("{pointer} is no integer: {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn good() -> Value {
        let validator = |name: &str| json!({"name": name, "height": 9, "state_root": "ab"});
        json!({
            "validators": [validator("a"), validator("b"), validator("c"), validator("d")],
            "orders": {"submitted": 5, "accepted": 4, "rejected": 1,
                       "filled": 2, "cancelled": 1, "expired": 1},
            "settlement": {"lines": 3, "postings_sum_fen": "0"},
            "receipts_verified": 12,
            "result_hash": "c0ffee",
        })
    }

    #[test]
    fn a_report_that_keeps_every_promise_passes() {
        assert_eq!(check(&good()).unwrap(), "c0ffee");
    }

    #[test]
    fn each_broken_promise_is_refused() {
        let broken = [
            ("/validators/2/state_root", json!("cd"), "state_root differs"),
            ("/validators/3/height", json!(8), "height differs"),
            ("/validators", json!([]), "only 0 validators"),
            ("/orders/rejected", json!(2), "are not 5 submitted"),
            ("/orders/expired", json!(0), "are not 4 accepted"),
            ("/settlement/postings_sum_fen", json!("-1"), "not to zero"),
            ("/receipts_verified", json!(0), "no receipt was verified"),
            ("/receipts_verified", json!(false), "no integer"),
            ("/result_hash", json!(""), "no result_hash"),
        ];
        for (pointer, value, told) in broken {
            let mut report = good();
            *report.pointer_mut(pointer).unwrap() = value;
            let error = check(&report).unwrap_err().to_string();
            assert!(error.contains(told), "{pointer}: {error}");
        }
    }
}
