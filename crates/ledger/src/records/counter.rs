//! What is counted by kind.

use crate::codec::coded;

coded! {
    /// A kind of thing whose numbers are given out in order, from 1.
    pub enum Counter ("counter") {
        /// Versions of the market rule.
        Rule = 0,
        /// Proposals of bilateral contracts.
        Proposal = 1,
        /// Orders of the allowance market.
        CarbonOrder = 2,
        /// Deals of the allowance market.
        CarbonDeal = 3,
        /// Biddings of the allowance market.
        CarbonBidding = 4,
        /// Offers of certificates.
        CertificateOffer = 5,
        /// Objections to statements.
        Objection = 6,
        /// Interventions of operators.
        Intervention = 7,
        /// Runs of carbon credits.
        CreditLot = 20,
        /// Carbon credits.
        Credit = 21,
        /// Projects whose reductions become CCER.
        CcerProject = 8,
        /// Lines made after the settlement of their day.
        LaterLine = 30,
        /// Curtailments.
        Curtailment = 31,
        /// Orders over several periods.
        LinkedOrder = 10,
        /// Green contracts.
        GreenContract = 9,
    }
}
