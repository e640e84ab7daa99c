//! `duet certificate green`: contracts for the environmental value of energy.

use crate::remote::{Ends, Failure, Remote, parse_price, table, yuan, yuan_per_mwh};
use clap::Subcommand;
use duet_ledger::GreenContractId;
use duet_sdk::wire::{
    self, CalendarMonth, CertificateAction, GreenContract, GreenTerms, Hex32, Page,
};

#[derive(Debug, Subcommand)]
pub(super) enum Green {
    /// List green contracts with what their months came to.
    List {
        /// The number of an organisation on either side.
        #[arg(long)]
        party: Option<u32>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Propose a green contract to the owner of the other unit.
    Propose {
        /// The number of the unit that generates.
        #[arg(long)]
        unit: u32,
        /// The number of the point of consumption.
        #[arg(long)]
        user: u32,
        /// The first month.
        #[arg(long, value_name = "YYYY-MM")]
        from: CalendarMonth,
        /// The last month.
        #[arg(long, value_name = "YYYY-MM")]
        to: CalendarMonth,
        /// The energy of each month in kWh.
        #[arg(long, value_name = "KWH")]
        energy: i64,
        /// The environmental value in yuan/MWh, on top of the price of energy.
        #[arg(long, value_name = "YUAN", value_parser = parse_price)]
        value: i64,
        /// The share of the value due for a shortfall, in 1/10,000.
        #[arg(long, value_name = "BP", default_value_t = 2_500)]
        shortfall: i64,
        #[command(flatten)]
        ends: Ends,
    },
    /// Read a proposed contract, check its hash and sign it.
    Confirm {
        /// The number of the contract.
        contract: u64,
        #[command(flatten)]
        ends: Ends,
    },
    /// Withdraw a proposal, or decline one of the other side.
    Withdraw {
        /// The number of the contract.
        contract: u64,
        #[command(flatten)]
        ends: Ends,
    },
    /// Settle a month of all green contracts (exchange).
    Settle {
        /// The month.
        #[arg(value_name = "YYYY-MM")]
        month: CalendarMonth,
        #[command(flatten)]
        ends: Ends,
    },
}

pub(super) async fn act(command: &Green) -> Result<(), Failure> {
    match command {
        Green::List { party, remote } => list(*party, remote).await,
        Green::Propose { unit, user, from, to, energy, value, shortfall, ends } => {
            let terms = GreenTerms {
                unit: *unit,
                user: *user,
                from: *from,
                to: *to,
                energy_kwh: *energy,
                value_milli_yuan_per_mwh: *value,
                shortfall_bp: *shortfall,
            };
            send(ends, "green contract", CertificateAction::ProposeGreen(terms)).await
        }
        Green::Confirm { contract, ends } => confirm(*contract, ends).await,
        Green::Withdraw { contract, ends } => {
            let action = CertificateAction::WithdrawGreen { contract: *contract };
            send(ends, "withdrawn green contract", action).await
        }
        Green::Settle { month, ends } => {
            let action = CertificateAction::SettleGreen { month: *month };
            send(ends, "green contracts settled:", action).await
        }
    }
}

/// The hash is made here from the terms that are shown, not taken from the node.
async fn confirm(contract: u64, ends: &Ends) -> Result<(), Failure> {
    let shown = ends.remote.client()?.green_contract(contract).await?;
    let terms = duet_ledger::GreenTerms::from(shown.terms.clone());
    let hash = Hex32(terms.hash(GreenContractId(contract)));
    if hash != shown.hash {
        return Err(Failure::Usage("the node shows other terms than it hashed".to_owned()));
    }
    if !ends.remote.json {
        let page = Page { items: vec![shown], next: None };
        ends.remote.show(&page, contracts_text)?;
    }
    send(ends, "green contract", CertificateAction::ConfirmGreen { contract, hash }).await
}

async fn list(party: Option<u32>, remote: &Remote) -> Result<(), Failure> {
    let page = remote.client()?.green_contracts(party).await?;
    remote.show(&page, contracts_text)
}

fn contracts_text(page: &Page<GreenContract>) -> String {
    let row = |contract: &GreenContract| {
        let (terms, months) = (&contract.terms, &contract.months);
        let certificates: u64 = months.iter().map(|month| month.certificates).sum();
        let paid: i128 = months.iter().map(|month| month.amount_fen.0).sum();
        vec![
            contract.id.to_string(),
            format!("{:?}", contract.state).to_lowercase(),
            terms.unit.to_string(),
            terms.user.to_string(),
            format!("{} to {}", terms.from, terms.to),
            terms.energy_kwh.to_string(),
            yuan_per_mwh(terms.value_milli_yuan_per_mwh),
            certificates.to_string(),
            yuan(paid),
        ]
    };
    let head = ["no", "state", "unit", "user", "months", "kWh", "yuan/MWh", "certificates", "yuan"];
    table(&head, &page.items.iter().map(row).collect::<Vec<_>>())
}

async fn send(ends: &Ends, what: &str, action: CertificateAction) -> Result<(), Failure> {
    ends.submit(what, wire::Action::Certificate(action)).await
}
