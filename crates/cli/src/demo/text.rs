//! What the demo says.
#![expect(clippy::print_stdout, reason = "this is what the program is asked to show")]

use crate::remote::yuan;
use duet_ledger::Role;
use duet_node::Handle;
use duet_world::DayReport;
use std::fmt::Write as _;

pub(super) fn line(text: &str) {
    println!("{text}");
}

pub(super) fn step(what: &str) {
    println!("  {what} ...");
}

pub(super) fn welcome(page: &crate::page::Page, nodes: &[Handle]) {
    println!("Duet: a joint electricity-carbon market of four validators on this machine.");
    println!();
    println!("  page           http://{}/", page.address);
    println!("  API            http://{}/docs", page.address);
    println!("  stop           Ctrl-C");
    println!();
    for node in nodes {
        println!("  validator      {:<10} height {}", node.status().name, node.status().height);
    }
    println!();
    if let Some(node) = nodes.first() {
        println!("  members        {}", members(node).join(", "));
        println!();
    }
    println!(
        "Members, bank, plants and meters are simulated. Open the page to trade as one of them."
    );
    println!();
}

/// Whom a visitor can trade as.
fn members(node: &Handle) -> Vec<String> {
    let trades = [Role::Generator, Role::Retailer, Role::LargeUser];
    node.read(|state| {
        let identities = state.identities().values();
        let members = identities.filter(|one| trades.iter().any(|role| one.roles.has(*role)));
        let mut labels: Vec<_> = members.map(|one| (one.organisation, one.label.clone())).collect();
        labels.sort_unstable();
        labels.into_iter().map(|(_, label)| label).collect()
    })
}

pub(super) fn goodbye(nodes: &[Handle], kept: bool) {
    let height = nodes.first().map_or(0, |node| node.status().height);
    println!();
    println!("Stopped at height {height}.");
    if kept {
        println!("The next start with the same --data goes on from here.");
    }
}

pub(super) fn day(report: &DayReport) {
    println!(
        "{}  {} orders, {} MWh in stage 1, {} MWh in stage 2, {} statement lines, {} of {} receipts proved",
        report.day,
        report.orders.accepted,
        report.stage1.volume_kwh / 1_000,
        report.stage2.volume_kwh / 1_000,
        report.settlement.lines,
        report.receipts_verified,
        report.receipts,
    );
}

/// The sessions ahead of the joint ones, in a table.
pub(super) fn ahead(rows: &[Vec<String>]) {
    let head = [
        "session",
        "mode",
        "first day",
        "days",
        "trades",
        "MWh a day",
        "yuan/MWh",
        "t CO2",
        "result",
    ];
    println!();
    println!("Ahead of the joint sessions");
    println!("{}", crate::remote::table(&head, rows));
}

/// The deals in allowances, in a table.
pub(super) fn allowances(rows: &[Vec<String>]) {
    println!();
    println!("Allowances dealt");
    println!("{}", crate::remote::table(&["deal", "mode", "t", "yuan/t", "yuan"], rows));
}

pub(super) fn summary(report: &DayReport) {
    println!();
    println!("Delivery day {} on channel {}", report.day, report.channel);
    println!();
    for validator in &report.validators {
        println!(
            "  {:<10} height {:<6} root {}",
            validator.name, validator.height, validator.state_root
        );
    }
    let orders = &report.orders;
    println!();
    println!(
        "  orders      {} submitted, {} accepted ({} filled, {} cancelled, {} expired), {} rejected",
        orders.submitted,
        orders.accepted,
        orders.filled,
        orders.cancelled,
        orders.expired,
        orders.rejected,
    );
    println!("  stage 1     {} MWh", report.stage1.volume_kwh / 1_000);
    println!(
        "  stage 2     {} MWh, compensation {} of {} yuan{}{}",
        report.stage2.volume_kwh / 1_000,
        yuan(report.stage2.compensation_fen.into()),
        yuan(report.stage2.fund_fen.into()),
        if report.stage2.uplift { ", by uplift" } else { "" },
        report.stage2.held_periods.map(|n| format!(", by lot in {n} periods")).unwrap_or_default(),
    );
    println!("  payments    {} yuan", yuan(report.payments_fen.into()));
    println!(
        "  dispatch    {} instructions, {} acknowledged; {} MWh metered (simulated)",
        report.dispatch.instructions,
        report.dispatch.acknowledged,
        report.metered_kwh / 1_000,
    );
    println!(
        "  settlement  {} lines, postings sum to {} fen",
        report.settlement.lines, report.settlement.postings_sum_fen,
    );
    println!(
        "  carbon      {} t emitted, {} allowances surrendered, {} certificates issued",
        report.carbon.emissions_kg / 1_000,
        report.carbon.allowances_surrendered_t,
        report.carbon.certificates_issued,
    );
    println!("  receipts    {} of {} proved", report.receipts_verified, report.receipts);
    println!("  result      {}", report.result_hash);
    println!();
    println!("{}", prices(report));
}

/// The price of each hour as a row of bars.
fn prices(report: &DayReport) -> String {
    let prices = &report.stage1.price_milli_yuan_per_mwh;
    let known = || prices.iter().flatten().copied();
    let (Some(lo), Some(hi)) = (known().min(), known().max()) else {
        return "  nothing traded".to_owned();
    };
    let mut text = String::from("  price of each hour, yuan/MWh\n");
    for (hour, price) in prices.iter().enumerate() {
        let Some(price) = price else { continue };
        let width = usize::try_from((price - lo) * 40 / (hi - lo).max(1)).unwrap_or(0);
        // Writing to a string cannot fail.
        writeln!(
            text,
            "  {hour:02}:00 {:>8}.{:03} {}",
            price / 1_000,
            price % 1_000,
            "#".repeat(width + 1)
        )
        .ok();
    }
    text
}
