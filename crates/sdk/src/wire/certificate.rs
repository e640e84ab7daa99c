//! Energy certificates: runs, offers, projects, one certificate for the public, and what can be
//! asked for about them.

use super::{
    ActionError, Big, CalendarMonth, Day, GreenTerms, Hex32, RetirementPurpose, mirror, view,
};
use duet_ledger::{
    CcerProjectId, CertificateLotId, CertificateOfferId, ClaimCertificates, ConfirmGreen,
    FreezeCertificates, GreenContractId, OfferCertificates, OrganisationId, RegisterProject,
    RegisterReductions, SetCertificateKind, SettleGreen, TakeOffer, UnitId, WithdrawGreen,
    WithdrawOffer, WithdrawProject,
};
use duet_units::{Allowances, Money};
use serde::{Deserialize, Serialize};

mirror! {
    /// Where a run of certificates stands. An offer or a freeze is shown beside it.
    CertificateState {
        /// Issued to the generator.
        Issued,
        /// Transferred to another organisation.
        Transferred,
        /// Retired with a purpose: final.
        Retired,
        /// Cancelled, because reductions of the same energy are registered: final.
        Cancelled,
    }
}

mirror! {
    /// What certificates a unit's energy gets.
    CertificateKind {
        /// Certificates that can be transferred once.
        Tradable,
        /// Not tradable: the owner uses the energy itself.
        SelfUse,
        /// Not tradable: hydropower that was there before 2023.
        EarlyHydro,
        /// None.
        Uncertified,
    }
}

view! {
    /// What was done with certificates that are retired.
    Retirement(row: &duet_ledger::Retirement) {
        /// Why.
        purpose: RetirementPurpose = row.purpose.into();
        /// For whom, in words.
        beneficiary: String = row.beneficiary.clone();
        /// The beneficiary, if it is a member.
        organisation: Option<u32> = row.organisation.map(|id| id.0);
        /// The year in which the energy was used.
        year: i32 = row.year;
    }
}

view! {
    /// A run of certificates, each for 1 MWh of one unit's energy of one day.
    CertificateLot(id: duet_ledger::CertificateLotId, row: &duet_ledger::CertificateLot) {
        /// Its number.
        id: u64 = id.0;
        /// The unit.
        unit: u32 = row.unit.0;
        /// The delivery day that completed the megawatt-hours.
        day: Day = Day(row.day);
        /// The number of the first certificate.
        first: u64 = row.first;
        /// How many.
        count: u64 = row.count;
        /// Whose they are.
        owner: u32 = row.owner.0;
        /// What they are.
        certificates: CertificateKind = row.kind.into();
        /// Where they stand.
        state: CertificateState = row.state.into();
        /// The offer that they are in.
        offer: Option<u64> = row.offer.map(|id| id.0);
        /// Whether a CCER project or a dispute freezes them.
        frozen: bool = row.is_frozen();
        /// The project that freezes them.
        project: Option<u64> = row.project.map(|id| id.0);
        /// For whom they were retired; empty until then.
        beneficiary: String =
            row.retirement.as_ref().map(|end| end.beneficiary.clone()).unwrap_or_default();
        /// What was done with them, once they are retired.
        retirement: Option<Retirement> = row.retirement.as_ref().map(Retirement::new);
        /// The last month in which they are valid.
        valid_to: CalendarMonth = CalendarMonth(row.expiry().plus(-1));
        /// Energy metered and not yet certified when the lot was issued.
        carry_kwh: i64 = row.carry.kwh();
        /// The height of the block that issued them.
        issued_height: u64 = row.issued;
        /// The height of the block that transferred them.
        transferred_height: Option<u64> = row.transferred;
        /// The height of the block that retired or cancelled them.
        ended_height: Option<u64> = row.ended;
    }
}

view! {
    /// One certificate, for anybody who was shown its number.
    Certificate(
        number: u64,
        id: duet_ledger::CertificateLotId,
        row: &duet_ledger::CertificateLot,
        names: (&str, &str)
    ) {
        /// Its number.
        number: u64 = number;
        /// The name of the unit whose energy it proves.
        unit: String = names.0.to_owned();
        /// The name of the organisation whose it is.
        owner: String = names.1.to_owned();
        /// The run that it is in.
        lot: CertificateLot = CertificateLot::new(id, row);
    }
}

view! {
    /// Certificates for sale.
    CertificateOffer(
        id: duet_ledger::CertificateOfferId,
        row: &duet_ledger::CertificateOffer,
        lot: &duet_ledger::CertificateLot
    ) {
        /// Its number.
        id: u64 = id.0;
        /// The run that holds what is left of it.
        lot: u64 = row.lot.0;
        /// The unit.
        unit: u32 = lot.unit.0;
        /// The delivery day.
        day: Day = Day(lot.day);
        /// How many are left.
        count: u64 = lot.count;
        /// The price of one.
        price_fen: Big = Big(row.price.fen());
        /// Who sells.
        seller: u32 = row.seller.0;
        /// Who alone may buy; nobody named is everybody.
        buyer: Option<u32> = row.buyer.map(|id| id.0);
        /// Whether they are frozen, so that nobody can buy now.
        frozen: bool = lot.is_frozen();
    }
}

view! {
    /// A project whose verified reductions become CCER.
    CcerProject(id: duet_ledger::CcerProjectId, row: &duet_ledger::CcerProject) {
        /// Its number.
        id: u64 = id.0;
        /// The unit.
        unit: u32 = row.unit.0;
        /// The first day of the crediting period.
        from: Day = Day(row.from);
        /// The last day.
        to: Day = Day(row.to);
        /// The last month whose reductions are registered.
        registered: Option<CalendarMonth> = row.registered.map(CalendarMonth);
        /// All reductions registered.
        reductions_t: i64 = row.reductions.t();
    }
}

/// What is asked for about certificates; `action` says which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum CertificateAction {
    /// Offers certificates for sale.
    Offer {
        /// The run.
        lot: u64,
        /// How many of it, from its start.
        count: u64,
        /// The price of one.
        price_fen: Big,
        /// Who alone may buy; nobody named is everybody.
        #[serde(default)]
        buyer: Option<u32>,
    },
    /// Buys from an offer: delivery against payment.
    Take {
        /// The offer.
        offer: u64,
        /// How many.
        count: u64,
    },
    /// Withdraws an offer.
    Withdraw {
        /// The offer.
        offer: u64,
    },
    /// Retires certificates for a member's use of a year.
    Claim {
        /// The run.
        lot: u64,
        /// How many of it, from its start.
        count: u64,
        /// The member whose use it is.
        beneficiary: u32,
        /// The year of the use.
        year: i32,
    },
    /// Freezes certificates in dispute, or frees them.
    Freeze {
        /// The run.
        lot: u64,
        /// Whether it is to be frozen.
        frozen: bool,
        /// Why, for the public log.
        reason: String,
    },
    /// Registers what certificates a unit's energy gets from now on.
    SetKind {
        /// The unit.
        unit: u32,
        /// What it gets.
        certificates: CertificateKind,
    },
    /// Registers a unit as a project whose reductions become CCER.
    RegisterProject {
        /// The unit.
        unit: u32,
        /// The first day of its crediting period.
        from: Day,
        /// The last day.
        to: Day,
        /// The registry's reference; one counts once.
        reference: u64,
    },
    /// Withdraws such a project.
    WithdrawProject {
        /// The project.
        project: u64,
    },
    /// Registers verified reductions of a project.
    RegisterReductions {
        /// The project.
        project: u64,
        /// The last month that they come from.
        to: CalendarMonth,
        /// How many.
        reductions_t: i64,
        /// The registry's reference; one counts once.
        reference: u64,
    },
    /// Proposes a green contract.
    ProposeGreen(GreenTerms),
    /// Confirms one.
    ConfirmGreen {
        /// The contract.
        contract: u64,
        /// The hash of its terms.
        hash: Hex32,
    },
    /// Withdraws the proposal of one.
    WithdrawGreen {
        /// The contract.
        contract: u64,
    },
    /// Settles a month of all green contracts.
    SettleGreen {
        /// The month.
        month: CalendarMonth,
    },
}

impl From<CertificateAction> for duet_ledger::CertificateAction {
    fn from(wire: CertificateAction) -> Self {
        use CertificateAction as W;
        match wire {
            W::Offer { lot, count, price_fen, buyer } => Self::Offer(OfferCertificates {
                lot: CertificateLotId(lot),
                count,
                price: Money::from_fen(price_fen.0),
                buyer: buyer.map(OrganisationId),
            }),
            W::Take { offer, count } => {
                Self::Take(TakeOffer { offer: CertificateOfferId(offer), count })
            }
            W::Withdraw { offer } => {
                Self::Withdraw(WithdrawOffer { offer: CertificateOfferId(offer) })
            }
            W::Claim { lot, count, beneficiary, year } => Self::Claim(ClaimCertificates {
                lot: CertificateLotId(lot),
                count,
                beneficiary: OrganisationId(beneficiary),
                year,
            }),
            W::Freeze { lot, frozen, reason } => {
                Self::Freeze(FreezeCertificates { lot: CertificateLotId(lot), frozen, reason })
            }
            W::SetKind { unit, certificates } => {
                Self::SetKind(SetCertificateKind { unit: UnitId(unit), kind: certificates.into() })
            }
            W::RegisterProject { unit, from, to, reference } => {
                let (unit, from, to) = (UnitId(unit), from.0, to.0);
                Self::RegisterProject(RegisterProject { unit, from, to, reference })
            }
            W::WithdrawProject { project } => {
                Self::WithdrawProject(WithdrawProject { project: CcerProjectId(project) })
            }
            W::RegisterReductions { project, to, reductions_t, reference } => {
                Self::RegisterReductions(RegisterReductions {
                    project: CcerProjectId(project),
                    to: to.0,
                    reductions: Allowances::from_t(reductions_t),
                    reference,
                })
            }
            W::ProposeGreen(terms) => Self::ProposeGreen(terms.into()),
            W::ConfirmGreen { contract, hash } => Self::ConfirmGreen(ConfirmGreen {
                contract: GreenContractId(contract),
                hash: hash.0,
            }),
            W::WithdrawGreen { contract } => {
                Self::WithdrawGreen(WithdrawGreen { contract: GreenContractId(contract) })
            }
            W::SettleGreen { month } => Self::SettleGreen(SettleGreen { month: month.0 }),
        }
    }
}

impl TryFrom<duet_ledger::CertificateAction> for CertificateAction {
    type Error = ActionError;

    fn try_from(action: duet_ledger::CertificateAction) -> Result<Self, ActionError> {
        use duet_ledger::CertificateAction as L;
        Ok(match action {
            L::Offer(row) => Self::Offer {
                lot: row.lot.0,
                count: row.count,
                price_fen: Big(row.price.fen()),
                buyer: row.buyer.map(|id| id.0),
            },
            L::Take(row) => Self::Take { offer: row.offer.0, count: row.count },
            L::Withdraw(row) => Self::Withdraw { offer: row.offer.0 },
            L::Claim(row) => Self::Claim {
                lot: row.lot.0,
                count: row.count,
                beneficiary: row.beneficiary.0,
                year: row.year,
            },
            L::Freeze(row) => {
                Self::Freeze { lot: row.lot.0, frozen: row.frozen, reason: row.reason }
            }
            L::SetKind(row) => Self::SetKind { unit: row.unit.0, certificates: row.kind.into() },
            L::RegisterProject(row) => Self::RegisterProject {
                unit: row.unit.0,
                from: Day(row.from),
                to: Day(row.to),
                reference: row.reference,
            },
            L::WithdrawProject(row) => Self::WithdrawProject { project: row.project.0 },
            L::RegisterReductions(row) => Self::RegisterReductions {
                project: row.project.0,
                to: CalendarMonth(row.to),
                reductions_t: row.reductions.t(),
                reference: row.reference,
            },
            L::ProposeGreen(row) => Self::ProposeGreen(GreenTerms::new(&row)),
            L::ConfirmGreen(row) => {
                Self::ConfirmGreen { contract: row.contract.0, hash: Hex32(row.hash) }
            }
            L::WithdrawGreen(row) => Self::WithdrawGreen { contract: row.contract.0 },
            L::SettleGreen(row) => Self::SettleGreen { month: CalendarMonth(row.month) },
            _ => return Err(ActionError),
        })
    }
}
