//! Numbered refusals. A number is written into receipts and never reused.

/// Defines the rejections: number, case, stable name, and the rule in words.
macro_rules! rejections {
    ($($code:literal $case:ident $name:literal $rule:literal)*) => {
        /// Why a well-formed transaction was refused.
        ///
        /// Numbers are in order of precedence: where several rules fail, the lowest number is the
        /// one reported, so that every validator writes the same receipt.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rejection {
            $(#[doc = $rule] $case,)*
        }
        impl Rejection {
            /// All rejections, by number.
            pub const ALL: &'static [Self] = &[$(Self::$case,)*];

            /// The number in receipts.
            #[must_use]
            pub const fn code(self) -> u16 {
                match self { $(Self::$case => $code,)* }
            }

            /// The stable name used in the API.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$case => $name,)* }
            }

            /// The rule that was broken, in one sentence.
            #[must_use]
            pub const fn rule(self) -> &'static str {
                match self { $(Self::$case => $rule,)* }
            }

            /// The rejection with this number.
            #[must_use]
            pub const fn from_code(code: u16) -> Option<Self> {
                match code { $($code => Some(Self::$case),)* _ => None }
            }
        }
    };
}

rejections! {
    101 Malformed "malformed" "The bytes are not the canonical encoding of a transaction."
    102 TooLarge "too-large" "The transaction is longer than the limit."
    103 UnknownSuite "unknown-suite" "The signature suite is not one of this channel."
    104 WrongChannel "wrong-channel" "The transaction names another channel."
    105 BadSignature "bad-signature" "The signature does not fit the bytes and the signer."
    201 UnknownIdentity "unknown-identity" "The signer is not a registered identity."
    202 StaleNonce "stale-nonce" "The nonce is not above the last one used by the signer."
    203 WrongRole "wrong-role" "The signer has no role that may do this."
    301 UnknownSession "unknown-session" "There is no such session."
    302 UnknownPeriod "unknown-period" "The delivery day has no such period."
    303 GateNotOpen "gate-not-open" "The gate of the session is not open yet."
    304 GateClosed "gate-closed" "The gate of the session is closed."
    305 SessionHalted "session-halted" "Trading in the session is halted."
    306 WrongPhase "wrong-phase" "The session is not in the phase in which this may be done."
    307 GateInPast "gate-in-past" "A session's gate must open at or after the block's time and close after it opens, before the delivery day starts; of a joint session for the contracts of a day that has begun, both at the start of the day."
    308 BadTerms "bad-terms" "The terms of the session contradict each other or a limit."
    309 TooManySessions "too-many-sessions" "The channel has reached its limit of sessions in progress."
    310 DayTaken "day-taken" "Another joint session of that delivery day exists."
    311 DayDispatched "day-dispatched" "A day of the product is already dispatched."
    320 BadRule "bad-rule" "The parameters of the rule contradict each other or a limit."
    321 VersionNotNext "version-not-next" "The versions of a province's rules are numbered from 1 without gaps."
    322 NoticeTooShort "notice-too-short" "A rule must be published as long before its first delivery day as the version before it says."
    323 TooManyRules "too-many-rules" "The channel has reached its limit of rules."
    324 UnknownRule "unknown-rule" "There is no such rule."
    325 RuleNotInEffect "rule-not-in-effect" "The rule is not the one that is in effect on the first delivery day, or ends before the last."
    326 TermsDiffer "terms-differ" "The mode or a term of the session is not what its rule lays down."
    350 AboveRegisteredCost "above-registered-cost" "Where sellers may be lifted to what they ask, an offer is no higher than the registered cost of its unit."
    351 NoClose "no-close" "The allowance market has no close to take the price of allowances from, or the notice names a price beside it."
    401 UnknownUnit "unknown-unit" "There is no such unit or point of consumption."
    402 NotYours "not-yours" "The thing belongs to another organisation."
    403 WrongSide "wrong-side" "A generating unit sells and a point of consumption buys."
    404 QuantityNotPositive "quantity-not-positive" "The quantity must be above zero."
    405 OffLot "off-lot" "The quantity is not a multiple of the session's lot."
    406 OverCapacity "over-capacity" "The unit's contracts and orders for the period exceed what it can deliver or use, or more would be bought back than it holds."
    407 OffTick "off-tick" "The limit price is not a multiple of the session's tick."
    408 OutsideBand "outside-band" "The limit price is outside the session's price band."
    409 BadConductivity "bad-conductivity" "The declared conductivity must lie between 0 and 10,000 basis points, and be 0 for a buy order."
    410 TooManyOrders "too-many-orders" "The session, or the member in it, has reached its limit of orders."
    411 UnknownOrder "unknown-order" "There is no such order."
    412 OrderNotPending "order-not-pending" "Only a pending order can be cancelled."
    413 BothDirections "both-directions" "A unit buys or sells in one period of a session, not both."
    414 SelfTrade "self-trade" "The order would meet an order of the same organisation that stands in the book."
    415 BadTimeInForce "bad-time-in-force" "Only where orders match on arrival can an order be immediate-or-cancel or fill-or-kill."
    416 CancellationClosed "cancellation-closed" "In the last minutes before a call no order can be withdrawn."
    420 WrongMode "wrong-mode" "The session's mode does not take this."
    421 RoleFixed "role-fixed" "In a listing session a member lists or takes, buys or sells, and keeps to it."
    422 NotListed "not-listed" "There is no such listing."
    423 ListingTaken "listing-taken" "Others have taken so much of the listing that less is left, or it cannot be withdrawn any more."
    424 BadCurve "bad-curve" "A curve needs at least one point, and its periods must rise."
    425 BadCounterparty "bad-counterparty" "A contract needs units of two members that are on opposite sides."
    426 UnknownProposal "unknown-proposal" "There is no such proposal."
    427 ProposalEnded "proposal-ended" "The proposal is confirmed, withdrawn or expired."
    428 HashDiffers "hash-differs" "The hash that is signed is not that of the proposed contract."
    429 TooManyProposals "too-many-proposals" "The session, or the member in it, has reached its limit of open proposals."
    450 OwnSide "own-side" "Another unit of the organisation has the other side of the period."
    451 OverNetLimit "over-net-limit" "The organisation's net position of the month, open orders counted, would exceed its limit."
    452 OverBuyBack "over-buy-back" "More would be traded back than the share of the net position that may be."
    453 OverCumulative "over-cumulative" "All that the organisation trades of the month, open orders counted, would exceed its limit."
    454 OverHourly "over-hourly" "The organisation would hold more of the hour than its limit."
    455 OverPosition "over-position" "The organisation would order more in the session than its limit."
    456 OverMarketShare "over-market-share" "The organisation would order more than its share of the session's declared volume."
    457 BadLimits "bad-limits" "A limit is negative or too large."
    458 MonthOutOfRange "month-out-of-range" "Limits are set for the current month and the 13 after it."
    480 BadStepCurve "bad-step-curve" "A step curve has at most 20 steps a period and 400 in all, its periods rise, and its prices rise for a sale and fall for a purchase."
    481 BadLinkedCurve "bad-linked-curve" "A linked order has energy in at least one period, and its periods rise."
    482 TooManyConditions "too-many-conditions" "The session has 100 linked orders and orders with a minimum that stand, or the organisation has placed 20 in it."
    483 PartOfLinked "part-of-linked" "The order is a part of a linked order, which is withdrawn as a whole."
    484 UnknownLinked "unknown-linked" "There is no such linked order."
    485 BadMinimum "bad-minimum" "The minimum must be above zero and at most the quantity."
    501 AmountNotPositive "amount-not-positive" "The amount must be above zero."
    502 InsufficientFunds "insufficient-funds" "The available balance does not cover the amount; of an order, at its limit price."
    503 UnknownOrganisation "unknown-organisation" "There is no such organisation."
    504 UnknownPayment "unknown-payment" "There is no such payment instruction."
    505 PaymentNotProposed "payment-not-proposed" "The payment instruction is already confirmed or failed."
    506 AmountTooLarge "amount-too-large" "The amount is above the limit of one transaction."
    507 ReferenceUsed "reference-used" "The reference was used before; the same deposit or allocation counts once."
    510 GuaranteeTooLow "guarantee-too-low" "The guarantee does not cover the organisation's orders and contracts."
    511 GuaranteeNeeded "guarantee-needed" "The rest of the guarantee would not cover the organisation's orders, contracts and trading risk."
    520 TopUpDue "top-up-due" "After a failed payment an organisation orders again once its guarantee is topped up to the level that is asked."
    601 PaymentsOpen "payments-open" "Dispatch needs every payment of the session to be confirmed or failed."
    602 UnknownDispatch "unknown-dispatch" "There is no such dispatch."
    603 NotYourDevice "not-your-device" "The signer is not the device of that unit."
    604 DispatchNotIssued "dispatch-not-issued" "The dispatch is already acknowledged."
    605 DispatchExpired "dispatch-expired" "The delivery day of the dispatch has ended."
    606 SessionsOpen "sessions-open" "Dispatch needs every session for that day to be cleared."
    610 BadPrices "bad-prices" "Prices of a day are 24, or one a period of its session, within the limits of prices."
    611 PricesMissing "prices-missing" "The rule settles at real-time prices, which are not published."
    612 DaySettled "day-settled" "The delivery day is settled."
    613 BadLimit "bad-limit" "A limit is not negative and for at least one unit, each once, ascending."
    614 NothingToCut "nothing-to-cut" "The units hold no more than the limit under contract."
    701 EmptyReport "empty-report" "A meter report must hold at least one reading and end within its day."
    702 BadReading "bad-reading" "A reading must not be negative nor exceed twice what the unit can deliver or use."
    703 NotDelivered "not-delivered" "A period can be reported only after it has ended."
    704 StaleVersion "stale-version" "A reading of this or a later version is already recorded; versions begin at 1."
    705 PeriodSettled "period-settled" "The delivery day is settled; corrections are new lines of a later statement."
    706 MissingReadings "missing-readings" "A unit with a contract, or a point of consumption, has a period without a reading."
    707 SubstituteTooEarly "substitute-too-early" "Missing readings can be substituted when the day after the delivery day has ended."
    710 BadDeviceSignature "bad-device-signature" "The batch is not signed by its device for this channel."
    711 BadDeviceKey "bad-device-key" "The key is no Ed25519 public key."
    712 DeviceKeyTaken "device-key-taken" "The key is registered for another organisation or for more than a device."
    713 DeviceUnchanged "device-unchanged" "The unit has this device already."
    714 TooManyDevices "too-many-devices" "The device of a unit can be changed 1,000 times."
    715 BadHealth "bad-health" "A health report has at most 16 channels with names of 1 to 32 bytes, and no unknown alarm."
    716 StaleHealth "stale-health" "A health report of this or a later time is already recorded."
    730 UnknownStatement "unknown-statement" "There is no statement of that month."
    731 NotForObjection "not-for-objection" "Objections are taken in the time that the calendar gives, by the time of the block."
    732 UnknownLine "unknown-line" "There is no such statement line, or it is not one of the month or the organisation."
    733 TooManyObjections "too-many-objections" "The organisation has reached its limit of objections to the month."
    734 UnknownObjection "unknown-objection" "There is no such objection, it is answered, or it is about another line."
    735 LineNotProved "line-not-proved" "The rows of the line are gone, and it is not proved under the seal of its day."
    736 NotAParty "not-a-party" "Only the two parties of a line can pay its correction."
    737 TooLongAgo "too-long-ago" "A line can be corrected for twelve months."
    738 ClosedTooEarly "closed-too-early" "A month can be closed when the time to object is over."
    739 DaysOpen "days-open" "A day of the month is not settled."
    740 MonthClosed "month-closed" "The month is closed."
    801 InsufficientAllowances "insufficient-allowances" "The account does not hold that many free allowances."
    802 SameAccount "same-account" "Sender and receiver are the same account."
    803 ExceedsObligation "exceeds-obligation" "More would be surrendered than the emissions to date oblige to."
    804 UnknownCertificate "unknown-certificate" "There is no such run of certificates."
    805 CertificateEnded "certificate-ended" "The certificates are retired or cancelled."
    806 AlreadyTransferred "already-transferred" "A certificate can be transferred once."
    807 TooManyCertificates "too-many-certificates" "The run holds fewer certificates."
    810 NoCarbonMarket "no-carbon-market" "The exchange has not announced the terms of the allowance market."
    811 BadCarbonTerms "bad-carbon-terms" "The terms of the allowance market contradict each other or a limit; an opening price comes with the first terms and only with them."
    812 OutsideCarbonHours "outside-carbon-hours" "Allowances are not traded in this way at this hour."
    813 BlockSize "block-size" "Below 100,000 t allowances are listed, from there on they are traded as a block."
    814 OutsideCarbonBand "outside-carbon-band" "The price is too far from the previous close."
    815 BoughtToday "bought-today" "Allowances that were bought today cannot be sold or given away today."
    816 TooManyCarbonOrders "too-many-carbon-orders" "The member or the allowance market has reached its limit of open orders or biddings."
    817 NothingListed "nothing-listed" "No listing of another member lies within the limit and the five best prices."
    818 WrongProposal "wrong-proposal" "The hash is not that of the proposal."
    819 UnknownBidding "unknown-bidding" "There is no such bidding."
    820 BadBidding "bad-bidding" "A bidding needs a positive reserve, and must open at or after the block's time and close after it opens, within 30 days."
    821 BiddingNotOpen "bidding-not-open" "The bidding does not take bids now."
    822 WorseThanReserve "worse-than-reserve" "The bid is worse than the reserve."
    823 UnknownCompliancePeriod "unknown-compliance-period" "There is no such compliance period."
    824 BadCompliancePeriod "bad-compliance-period" "The compliance period is published already, or its rules contradict each other or a limit."
    825 BadOutput "bad-output" "Outputs must name units of the organisation in ascending order, with a class that fits their fuel and has a benchmark, and nothing negative; verified emissions must not be negative."
    826 AlreadyAllocated "already-allocated" "Allowances of that year are issued ahead or verified already."
    827 PeriodNotOver "period-not-over" "A year is verified after its end, and closed after the last day to surrender."
    828 NotVerified "not-verified" "The year is not verified."
    829 ExceedsDue "exceeds-due" "More would be surrendered than is still due for the year."
    830 ExceedsOffsetCap "exceeds-offset-cap" "Carbon credits may cover only a small share of what is due."
    831 OutsideIdUsed "outside-id-used" "Carbon credits were issued for that outside id before; it counts once."
    832 UnknownCredit "unknown-credit" "There is no such run of carbon credits."
    833 CreditEnded "credit-ended" "The carbon credits are retired."
    834 TooManyCredits "too-many-credits" "The run holds fewer carbon credits."
    835 PeriodClosed "period-closed" "The year of that organisation is closed."
    840 UnknownOffer "unknown-offer" "There is no such offer of certificates."
    841 UnknownProject "unknown-project" "There is no such CCER project."
    842 UnknownGreenContract "unknown-green-contract" "There is no such green contract."
    843 NotTradable "not-tradable" "Certificates of energy used by its owner and of hydropower from before 2023 stay with the owner."
    844 CertificateFrozen "certificate-frozen" "The certificates are frozen by a CCER project or a dispute."
    845 CertificateOffered "certificate-offered" "The certificates are offered for sale; the offer must be withdrawn first."
    846 ReservedForGreen "reserved-for-green" "Green contracts of that month need these certificates."
    847 OfferedToAnother "offered-to-another" "The offer names another buyer."
    849 WrongUseYear "wrong-use-year" "From 2026 on, the year of use is the year of production; before, it is not earlier."
    850 ClaimExceedsUse "claim-exceeds-use" "The claims of the year would exceed the metered use of the beneficiary."
    851 ClaimExceedsDraw "claim-exceeds-draw" "The claims of the year on energy of others would exceed what the beneficiary drew from the grid."
    852 NotExpired "not-expired" "Certificates expire at the end of the 24th month after the month of production, and the ledger retires them then."
    853 NotRenewable "not-renewable" "Only a wind or solar unit has certificates and can be a CCER project."
    854 BadPeriod "bad-period" "The period ends before it begins, or is longer than the limit, or reaches too far back or ahead."
    855 ProjectOverlaps "project-overlaps" "The unit is in another CCER project in that period."
    856 ProjectClosed "project-closed" "The project is withdrawn, or reductions of these months are registered, or the months are none of its own."
    857 EnergyClaimed "energy-claimed" "Certificates of that energy are retired for a claim; the same energy cannot become reductions."
    859 GreenNotProposed "green-not-proposed" "The green contract is confirmed already, or its first month has gone by."
    860 MonthOpen "month-open" "The month has not ended, or a session that delivers in it is not settled."
    861 NothingGreen "nothing-green" "No green contract is to be settled for that month now; earlier months come first."
    862 NotAPair "not-a-pair" "A green contract is between a generating unit and a point of consumption of another organisation."
    863 OverConnection "over-connection" "The green contract is for more energy than the connection can draw."
    868 FreezeUnchanged "freeze-unchanged" "The certificates already are, or are not, frozen by a dispute."
    869 TableFull "table-full" "The limit of offers, projects or contracts in progress, or of the member's own, is reached."
    901 OutOfRange "out-of-range" "A product or sum of the values does not fit its integer."
}

/// A rejection with the field, its value and the bound that it broke, for people.
///
/// Only the rejection's number is agreed upon and written to the receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} = {value}: {} (bound {bound})", .rejection.rule())]
pub struct Refusal {
    /// The rule.
    pub rejection: Rejection,
    /// The field that breaks it.
    pub field: &'static str,
    /// The field's value.
    pub value: i128,
    /// The bound that the value was held to; 0 where the rule has none.
    pub bound: i128,
}

impl Rejection {
    /// This rejection, with what broke the rule.
    #[must_use]
    pub fn of(
        self,
        field: &'static str,
        value: impl Into<i128>,
        bound: impl Into<i128>,
    ) -> Refusal {
        Refusal { rejection: self, field, value: value.into(), bound: bound.into() }
    }
}

impl From<duet_units::OverflowError> for Refusal {
    fn from(error: duet_units::OverflowError) -> Self {
        Rejection::OutOfRange.of(error.operation, 0, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_names_are_unique() {
        let codes: Vec<u16> = Rejection::ALL.iter().map(|r| r.code()).collect();
        assert!(codes.windows(2).all(|w| w[0] < w[1]));
        let mut names: Vec<&str> = Rejection::ALL.iter().map(|r| r.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), codes.len());
        for rejection in Rejection::ALL {
            assert_eq!(Rejection::from_code(rejection.code()), Some(*rejection));
        }
    }
}
