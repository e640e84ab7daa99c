//! Energy certificates: runs of them, their offers, the metered months behind them, and projects
//! whose reductions come out of the same energy.

use crate::action::RetirementPurpose;
use crate::codec::{Encode as _, coded, record};
use crate::ids::{CcerProjectId, CertificateLotId, CertificateOfferId, OrganisationId, UnitId};
use duet_units::{Allowances, DeliveryDay, Energy, Money, Month};

coded! {
    /// Where a run of certificates stands. An offer or a freeze is a mark beside it.
    pub enum CertificateState ("certificate state") {
        /// Issued to the generator.
        Issued = 0,
        /// Transferred to another organisation; it cannot be transferred again.
        Transferred = 1,
        /// Retired with a purpose: final.
        Retired = 2,
        /// Cancelled, because reductions of the same energy are registered: final.
        Cancelled = 3,
    }
}

impl CertificateState {
    /// Whether the certificates can still be used.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Issued | Self::Transferred)
    }
}

coded! {
    /// What certificates a unit's energy gets (NEA 2024-67 arts 11, 14; NEA 2025-107).
    pub enum CertificateKind ("certificate kind") {
        /// Certificates that can be transferred once.
        Tradable = 0,
        /// Not tradable: the owner uses the energy itself, behind its meter of the grid.
        SelfUse = 1,
        /// Not tradable: hydropower that was there before 2023.
        EarlyHydro = 2,
        /// None: fossil fuels, consumption, and storage, which only gives energy back.
        Uncertified = 3,
    }
}

record! {
    /// What was done with certificates that are retired.
    pub struct Retirement {
        /// Why.
        pub purpose: RetirementPurpose,
        /// For whom, in words; of a member, its name.
        pub beneficiary: String,
        /// The beneficiary, if it is a member: its claims are held to its use.
        pub organisation: Option<OrganisationId>,
        /// The year in which the energy was used.
        pub year: i32,
    }
}

record! {
    /// A run of certificates, each for 1 MWh of one unit's energy of one day.
    pub struct CertificateLot {
        /// The unit.
        pub unit: UnitId,
        /// The delivery day that completed the megawatt-hours.
        pub day: DeliveryDay,
        /// The number of the first certificate; they are unique on the channel.
        pub first: u64,
        /// How many.
        pub count: u64,
        /// Whose they are.
        pub owner: OrganisationId,
        /// What they are; never uncertified.
        pub kind: CertificateKind,
        /// Where they stand.
        pub state: CertificateState,
        /// The offer that they are in; then nothing else can be done with them.
        pub offer: Option<CertificateOfferId>,
        /// The project that freezes them.
        pub project: Option<CcerProjectId>,
        /// Whether they are frozen because of a dispute.
        pub disputed: bool,
        /// What was done with them, once they are retired.
        pub retirement: Option<Retirement>,
        /// Energy metered and not yet certified when the lot was issued, for the audit.
        pub carry: Energy,
        /// The height of the block that issued them.
        pub issued: u64,
        /// The height of the block that transferred them.
        pub transferred: Option<u64>,
        /// The height of the block that retired or cancelled them.
        pub ended: Option<u64>,
    }
}

impl CertificateLot {
    /// The tag of the table of runs.
    pub(crate) const TABLE: u8 = 17;

    /// The key of a run in the store: what a state proof of it is about.
    #[must_use]
    pub fn store_key(id: CertificateLotId) -> Vec<u8> {
        let mut key = vec![Self::TABLE];
        id.encode(&mut key);
        key
    }

    /// Whether a project or a dispute holds them. It does not make them valid for longer.
    #[must_use]
    pub const fn is_frozen(&self) -> bool {
        self.project.is_some() || self.disputed
    }

    /// The first month in which they are no longer valid: they are to the end of month 24 after
    /// the month of production.
    ///
    /// # Source
    ///
    /// NEA 2024-67.
    #[must_use]
    pub fn expiry(&self) -> Month {
        self.day.month().plus(VALIDITY_MONTHS.saturating_add(1))
    }
}

/// How many months after the one of production certificates are valid.
const VALIDITY_MONTHS: i32 = 24;

record! {
    /// How the certificates of a unit come about. For tradable and other kinds alike, what was
    /// metered is what was certified and what is carried.
    pub struct CertifiedUnit {
        /// What its energy gets.
        pub kind: CertificateKind,
        /// Energy to certify since the beginning.
        pub metered: Energy,
        /// Certificates issued since the beginning.
        pub issued: u64,
        /// The rest, less than one certificate.
        pub carry: Energy,
    }
}

record! {
    /// What a unit generated or used in a month, by its settled days.
    pub struct UnitMonth {
        /// The energy.
        pub energy: Energy,
        /// The part of it that its owner used itself, by what the unit was registered as.
        pub self_used: Energy,
        /// The days that are settled, the lowest bit for the first; each counts once.
        pub days: u32,
        /// Certificates of these days that are retired for a claim.
        pub claimed: u64,
    }
}

record! {
    /// The green use that an organisation has claimed for a year, in certificates.
    pub struct ClaimedUse {
        /// Of energy drawn from the grid.
        pub drawn: u64,
        /// Of its own energy that it used itself.
        pub self_used: u64,
    }
}

record! {
    /// Certificates for sale. The offer ends with the last certificate of its run.
    pub struct CertificateOffer {
        /// The run, which holds what is left of the offer.
        pub lot: CertificateLotId,
        /// Who sells.
        pub seller: OrganisationId,
        /// The price of one certificate, above zero.
        pub price: Money,
        /// Who alone may buy; nobody named is everybody.
        pub buyer: Option<OrganisationId>,
    }
}

record! {
    /// A project whose verified reductions become CCER. The certificates of its crediting period
    /// are frozen, and cancelled for the months whose reductions are registered.
    pub struct CcerProject {
        /// The unit.
        pub unit: UnitId,
        /// The first day of the crediting period.
        pub from: DeliveryDay,
        /// The last day. Withdrawing the project ends it behind the months registered.
        pub to: DeliveryDay,
        /// The last month whose reductions are registered.
        pub registered: Option<Month>,
        /// All reductions registered.
        pub reductions: Allowances,
    }
}

impl CcerProject {
    /// Whether it holds the certificates of `day`.
    #[must_use]
    pub fn holds(&self, unit: UnitId, day: DeliveryDay) -> bool {
        self.unit == unit && (self.from..=self.to).contains(&day)
    }
}
