//! What can be asked for about certificates, besides their transfer and retirement.

use super::green::{ConfirmGreen, SettleGreen, WithdrawGreen};
use crate::codec::{cases, record};
use crate::ids::{CcerProjectId, CertificateLotId, CertificateOfferId, OrganisationId, UnitId};
use crate::records::{CertificateKind, GreenTerms};
use duet_units::{Allowances, DeliveryDay, Money, Month};

cases! {
    /// Certificates: their sale, claims on them, freezing, projects that exclude them, green
    /// power.
    pub enum CertificateAction ("certificate action") {
        /// Offers certificates for sale.
        Offer(OfferCertificates) = 1,
        /// Buys from an offer: delivery against payment.
        Take(TakeOffer) = 2,
        /// Withdraws an offer.
        Withdraw(WithdrawOffer) = 3,
        /// Retires certificates for a member's use of a year.
        Claim(ClaimCertificates) = 4,
        /// Freezes certificates in dispute, or frees them.
        Freeze(FreezeCertificates) = 5,
        /// Registers what certificates a unit's energy gets from now on.
        SetKind(SetCertificateKind) = 6,
        /// Registers a unit as a project whose reductions become CCER.
        RegisterProject(RegisterProject) = 7,
        /// Withdraws such a project.
        WithdrawProject(WithdrawProject) = 8,
        /// Registers verified reductions of a project.
        RegisterReductions(RegisterReductions) = 9,
        /// Proposes a green contract.
        ProposeGreen(GreenTerms) = 10,
        /// Confirms one.
        ConfirmGreen(ConfirmGreen) = 11,
        /// Withdraws the proposal of one, or declines it.
        WithdrawGreen(WithdrawGreen) = 12,
        /// Settles a month of all green contracts.
        SettleGreen(SettleGreen) = 13,
    }
}

record! {
    /// An offer of certificates.
    pub struct OfferCertificates {
        /// The run.
        pub lot: CertificateLotId,
        /// How many of it, from its start.
        pub count: u64,
        /// The price of one.
        pub price: Money,
        /// Who alone may buy: a bilateral sale. Nobody named is a listing to everybody.
        pub buyer: Option<OrganisationId>,
    }
}

record! {
    /// A purchase from an offer.
    pub struct TakeOffer {
        /// The offer.
        pub offer: CertificateOfferId,
        /// How many.
        pub count: u64,
    }
}

record! {
    /// The end of an offer that is not sold out.
    pub struct WithdrawOffer {
        /// The offer.
        pub offer: CertificateOfferId,
    }
}

record! {
    /// A claim of green use.
    pub struct ClaimCertificates {
        /// The run.
        pub lot: CertificateLotId,
        /// How many of it, from its start.
        pub count: u64,
        /// The member whose use it is.
        pub beneficiary: OrganisationId,
        /// The year of the use.
        pub year: i32,
    }
}

record! {
    /// The beginning or end of a dispute over a run.
    pub struct FreezeCertificates {
        /// The run.
        pub lot: CertificateLotId,
        /// Whether it is to be frozen.
        pub frozen: bool,
        /// Why, for the public log.
        pub reason: String,
    }
}

record! {
    /// What a unit's energy gets.
    pub struct SetCertificateKind {
        /// The unit.
        pub unit: UnitId,
        /// The kind.
        pub kind: CertificateKind,
    }
}

record! {
    /// A new project.
    pub struct RegisterProject {
        /// The unit.
        pub unit: UnitId,
        /// The first day of its crediting period.
        pub from: DeliveryDay,
        /// The last day.
        pub to: DeliveryDay,
        /// The registry's reference; one counts once.
        pub reference: u64,
    }
}

record! {
    /// The end of a project.
    pub struct WithdrawProject {
        /// The project.
        pub project: CcerProjectId,
    }
}

record! {
    /// Verified reductions.
    pub struct RegisterReductions {
        /// The project.
        pub project: CcerProjectId,
        /// The last month that they come from; the first is the one after those registered before.
        pub to: Month,
        /// How many.
        pub reductions: Allowances,
        /// The registry's reference; one counts once.
        pub reference: u64,
    }
}
