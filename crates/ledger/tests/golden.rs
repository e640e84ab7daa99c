//! The golden vectors of docs/spec/ledger.md: other implementations are held to the same file.
//!
//! A change here is a change of the format: it needs an ADR, and every reader must follow.

use duet_ledger::{
    Acknowledgement, Action, AuctionAction, BenchmarkClass, BlockConfirmation, BlockProposal, Body,
    CarbonAction, CarbonBid, CarbonBiddingId, CarbonBiddingNotice, CarbonListing, CarbonOrderId,
    CarbonReference, CarbonTake, CarbonTerms, CarbonTermsNotice, CarbonWithdrawal,
    CertificateLotId, ChannelKind, ClassBenchmark, Clawback, CompliancePeriod, ContractingTerms,
    CostBasis, Cover, CreditIssue, CreditLotId, CreditRetirement, CreditTransfer, Curtailment,
    CurvePoint, CurveStep, DeviationPeriod, DeviationScheme, DeviceAction, DispatchId, Encode,
    EnrolDevice, FeeRule, Genesis, GuaranteeRule, Health, HealthChannel, HealthLevel, Hours,
    Identity, Intervention, Light, LimitAction, LineCorrection, LineItem, Link, LinkedOrderId,
    LinkedRequest, MarketRule, MemberLimits, MeterReport, MinimumRequest, Mode, MonthReading,
    ObjectionAnswer, OrderId, OrderRequest, Organisation, OrganisationId, PaymentId, PeriodClosure,
    PeriodNotice, PeriodReading, PeriodSteps, PreIssue, PricePublication, Pricing, ProvedLine,
    PublicKey, Quality, Rationing, Reading, ReadingFlags, ReadingSubstitution, Receipt,
    ReferencePrice, Registration, Rejection, ReportBatch, RetirementPurpose, Role, Roles,
    RuleAction, RuleId, ScheduleAction, SecondStageDesign, SessionId, SessionNotice, SessionTerms,
    SetLimits, SettlementMethod, Sharing, Side, StatementAction, StatementLine, StatementObjection,
    StepCurve, Technology, TimeInForce, TradeId, Transaction, Unit, UnitId, UnitOutput, Unsigned,
    Validator, Verification, block_receipts, chain_receipts, decode_all, merkle_path, merkle_root,
};
use duet_units::{
    Allowances, BasisPoints, CarbonPrice, ClockTime, DeliveryDay, DeliveryPeriod, EmissionFactor,
    Emissions, Energy, Money, Month, Power, Price, Resolution,
};
use ed25519_zebra::{SigningKey, VerificationKey};
use std::{fmt::Write as _, fs, path::PathBuf};

/// Set to write the vectors anew instead of comparing them.
const UPDATE: &str = "DUET_UPDATE_VECTORS";

fn key() -> SigningKey {
    SigningKey::from([1; 32])
}

fn public() -> PublicKey {
    PublicKey::from_bytes(VerificationKey::from(&key()).into())
}

/// One action of each kind. Numbers differ from field to field, so that a swap is seen.
fn actions() -> Vec<(&'static str, Action)> {
    let publish = RuleAction::Publish(Box::new(rule()));
    let rules = vec![("publish_rule", Action::Rule(publish)), ("set_limits", set_limits())];
    let groups = [
        rules,
        allowance_market_actions(),
        device_actions(),
        certificate_actions(),
        statement_actions(),
        schedule_actions(),
        auction_actions(),
    ];
    [market_actions(), carbon_actions(), groups.concat()].concat()
}

fn auction_actions() -> Vec<(&'static str, Action)> {
    let price = Price::from_milli_yuan_per_mwh;
    let energy = Energy::from_kwh;
    let (session, unit, side) = (SessionId(1), UnitId(2), Side::Sell);
    let step = |limit, kwh| CurveStep { limit: price(limit), quantity: energy(kwh) };
    let steps = vec![step(-5, 6), step(7, 8)];
    let curve = StepCurve {
        session,
        unit,
        side,
        conductivity: BasisPoints::from_bp(3),
        reference: 4,
        periods: vec![PeriodSteps { period: 9, steps }],
    };
    let linked = LinkedRequest {
        session,
        unit,
        side,
        limit: price(3),
        curve: vec![CurvePoint { period: 4, energy: energy(5) }],
        reference: 6,
    };
    let order = OrderRequest {
        session,
        unit,
        side,
        period: 3,
        limit: price(4),
        quantity: energy(5),
        conductivity: BasisPoints::from_bp(6),
        reference: 7,
        time_in_force: TimeInForce::Gtc,
    };
    let minimum = MinimumRequest { order, minimum: energy(8) };
    [
        ("submit_curve", AuctionAction::SubmitCurve(curve)),
        ("submit_linked", AuctionAction::SubmitLinked(linked)),
        ("submit_minimum", AuctionAction::SubmitMinimum(minimum)),
        ("withdraw_linked", AuctionAction::WithdrawLinked(LinkedOrderId(1))),
    ]
    .map(|(name, action)| (name, Action::Auction(action)))
    .to_vec()
}

fn schedule_actions() -> Vec<(&'static str, Action)> {
    let day = DeliveryDay::from_days(20_640);
    let prices = vec![Price::from_milli_yuan_per_mwh(-1), Price::from_milli_yuan_per_mwh(2)];
    let curtailment = Curtailment {
        day,
        period: 3,
        units: vec![UnitId(4), UnitId(5)],
        limit: Energy::from_kwh(6),
        reason: "line 7".to_owned(),
    };
    let substitution = ReadingSubstitution {
        unit: UnitId(8),
        day,
        first_period: 9,
        energies: vec![Energy::from_kwh(10), Energy::from_kwh(11)],
        reason: "no meter".to_owned(),
    };
    [
        ("publish_prices", ScheduleAction::PublishPrices(PricePublication { day, prices })),
        ("curtail", ScheduleAction::Curtail(curtailment)),
        ("substitute_readings", ScheduleAction::Substitute(substitution)),
    ]
    .map(|(name, action)| (name, Action::Schedule(action)))
    .to_vec()
}

fn statement_actions() -> Vec<(&'static str, Action)> {
    let (session, place) = (SessionId(1), 2);
    let (month, reason) = (Month::from_months(678), "read again".to_owned());
    let line = StatementLine {
        session,
        period: 3,
        item: LineItem::Deviation,
        unit: UnitId(4),
        trade: Some(TradeId(5)),
        payer: OrganisationId(6),
        payee: OrganisationId(7),
        energy: Energy::from_kwh(-8),
        price: Some(Price::from_milli_yuan_per_mwh(9)),
        amount: Money::from_fen(10),
    };
    let correction = LineCorrection {
        session,
        place,
        proved: Some(ProvedLine { line, path: vec![Some([11; 32]), None] }),
        payer: OrganisationId(7),
        amount: Money::from_fen(12),
        objection: Some(13),
        reason: reason.clone(),
    };
    let objection = StatementObjection { month, session, place, reason: reason.clone() };
    let reading = MonthReading { unit: UnitId(14), month, energy: Energy::from_kwh(15) };
    let answer = ObjectionAnswer { objection: 16, reason };
    [
        ("object_statement", StatementAction::Object(objection)),
        ("correct_line", StatementAction::Correct(correction)),
        ("dismiss_objection", StatementAction::Dismiss(answer)),
        ("report_month", StatementAction::ReportMonth(reading)),
        ("close_month", StatementAction::CloseMonth(month)),
    ]
    .map(|(name, action)| (name, Action::Statement(action)))
    .to_vec()
}

fn market_actions() -> Vec<(&'static str, Action)> {
    let (session, order) = (SessionId(1), OrderId(2));
    let organisation = OrganisationId(3);
    vec![
        (
            "submit_order",
            Action::SubmitOrder(OrderRequest {
                session,
                unit: UnitId(4),
                side: Side::Sell,
                period: 5,
                limit: Price::from_milli_yuan_per_mwh(-367_500),
                quantity: Energy::from_kwh(450_000),
                conductivity: BasisPoints::from_bp(6_500),
                reference: 6,
                time_in_force: TimeInForce::Gtc,
            }),
        ),
        ("cancel_order", Action::CancelOrder { order }),
        ("open_session", Action::OpenSession(notice())),
        (
            "deposit",
            Action::Deposit {
                organisation,
                amount: Money::from_fen(-170_141_183_460_469_231_731_687_303_715_884_105_728),
                reference: 7,
            },
        ),
        ("confirm_payment", Action::ConfirmPayment { payment: PaymentId(8), confirmed: true }),
        ("issue_dispatch", Action::IssueDispatch { session }),
        (
            "ack_dispatch",
            Action::AckDispatch(Acknowledgement {
                dispatch: DispatchId(9),
                accepted: false,
                cause: 10,
            }),
        ),
        ("report_meter", Action::ReportMeter(report())),
        ("settle_session", Action::SettleSession { session }),
    ]
}

fn certificate_actions() -> Vec<(&'static str, Action)> {
    use duet_ledger::CertificateAction as C;
    use duet_ledger::{
        CcerProjectId, CertificateKind, CertificateOfferId, ClaimCertificates, ConfirmGreen,
        FreezeCertificates, GreenContractId, GreenTerms, OfferCertificates, RegisterProject,
        RegisterReductions, SetCertificateKind, SettleGreen, TakeOffer, WithdrawGreen,
        WithdrawOffer, WithdrawProject,
    };
    let (lot, unit, offer) = (CertificateLotId(15), UnitId(4), CertificateOfferId(19));
    let (project, beneficiary) = (CcerProjectId(20), OrganisationId(3));
    let (from, to) = (DeliveryDay::from_days(20_636), DeliveryDay::from_days(20_666));
    let month = duet_units::Month::from_months(679);
    let contract = GreenContractId(30);
    let green = GreenTerms {
        unit,
        user: UnitId(31),
        from: month,
        to: month.plus(2),
        energy: Energy::from_kwh(32_000),
        value: Price::from_milli_yuan_per_mwh(33_000),
        shortfall: BasisPoints::from_bp(2_500),
    };
    let (reductions, reason) = (Allowances::from_t(27), "dispute".to_owned());
    [
        (
            "offer_certificates",
            C::Offer(OfferCertificates {
                lot,
                count: 16,
                price: Money::from_fen(500),
                buyer: Some(beneficiary),
            }),
        ),
        ("take_offer", C::Take(TakeOffer { offer, count: 21 })),
        ("withdraw_offer", C::Withdraw(WithdrawOffer { offer })),
        (
            "claim_certificates",
            C::Claim(ClaimCertificates { lot, count: 18, beneficiary, year: 2_026 }),
        ),
        ("freeze_certificates", C::Freeze(FreezeCertificates { lot, frozen: true, reason })),
        (
            "set_certificate_kind",
            C::SetKind(SetCertificateKind { unit, kind: CertificateKind::SelfUse }),
        ),
        ("register_project", C::RegisterProject(RegisterProject { unit, from, to, reference: 25 })),
        ("withdraw_project", C::WithdrawProject(WithdrawProject { project })),
        (
            "register_reductions",
            C::RegisterReductions(RegisterReductions {
                project,
                to: month,
                reductions,
                reference: 26,
            }),
        ),
        ("propose_green", C::ProposeGreen(green)),
        ("confirm_green", C::ConfirmGreen(ConfirmGreen { contract, hash: [0x28; 32] })),
        ("withdraw_green", C::WithdrawGreen(WithdrawGreen { contract })),
        ("settle_green", C::SettleGreen(SettleGreen { month })),
    ]
    .map(|(name, action)| (name, Action::Certificate(action)))
    .into()
}

fn carbon_actions() -> Vec<(&'static str, Action)> {
    let (session, organisation) = (SessionId(1), OrganisationId(3));
    vec![
        (
            "allocate_allowances",
            Action::AllocateAllowances {
                organisation,
                allowances: Allowances::from_t(11),
                reference: 12,
            },
        ),
        (
            "transfer_allowances",
            Action::TransferAllowances { to: organisation, allowances: Allowances::from_t(13) },
        ),
        (
            "surrender_allowances",
            Action::SurrenderAllowances { allowances: Allowances::from_t(14) },
        ),
        (
            "transfer_certificates",
            Action::TransferCertificates { lot: CertificateLotId(15), count: 16, to: organisation },
        ),
        (
            "retire_certificates",
            Action::RetireCertificates {
                lot: CertificateLotId(17),
                count: 18,
                purpose: RetirementPurpose::AccountClosed,
                beneficiary: "\u{56fd}\u{80fd}".to_owned(),
            },
        ),
        (
            "intervene",
            Action::Intervene {
                session,
                intervention: Intervention::Resume,
                reason: "line repaired".to_owned(),
            },
        ),
    ]
}

fn device_actions() -> Vec<(&'static str, Action)> {
    let period = |index| {
        let day = DeliveryDay::parse("2026-07-06").unwrap();
        DeliveryPeriod::new(day, Resolution::Quarter, index).unwrap()
    };
    let reading = |index: u8, flags| PeriodReading {
        unit: UnitId(1),
        period: period(index),
        version: 2,
        energy: Energy::from_kwh(3 * i64::from(index)),
        flags,
        source_time: ClockTime::from_unix_ms(1_783_296_550_250 + i64::from(index)),
    };
    let readings = vec![reading(0, ReadingFlags::ESTIMATED), reading(1, ReadingFlags::GOOD)];
    let sealed_at = ClockTime::from_unix_ms(77);
    let mut batch =
        ReportBatch { device: public(), sequence: 5, sealed_at, readings, signature: [0; 64] };
    batch.signature = key().sign(&batch.header(&[0xc0; 32]).message()).into();
    let channel = |name: &str, kind, value, level| {
        let name = name.to_owned();
        HealthChannel { name, kind, value, level }
    };
    let health = Health {
        sampled_at: ClockTime::from_unix_ms(1),
        light: Light::Holding,
        link: Link::Up,
        channels: vec![
            channel("t", ChannelKind::Temperature, Some(-2), HealthLevel::Warning),
            channel("vccint", ChannelKind::Voltage, None, HealthLevel::SensorFault),
        ],
        stations_up: 3,
        stations_down: 4,
        backlog: 5,
        backlog_limit: 6,
        alarms: 7,
    };
    let enrolment = EnrolDevice { unit: UnitId(1), device: public(), label: "gateway".to_owned() };
    vec![
        ("report_batch", Action::Device(DeviceAction::ReportBatch(batch))),
        ("enrol_device", Action::Device(DeviceAction::EnrolDevice(enrolment))),
        ("report_health", Action::Device(DeviceAction::ReportHealth(health))),
    ]
}

fn allowance_market_actions() -> Vec<(&'static str, Action)> {
    let (side, allowances) = (Side::Sell, Allowances::from_t(1));
    let price = CarbonPrice::from_fen_per_t(2);
    let terms = CarbonTerms {
        morning: Hours { from: 1, until: 2 },
        afternoon: Hours { from: 3, until: 4 },
        block: Hours { from: 5, until: 6 },
        listed_band: BasisPoints::from_bp(7),
        block_band: BasisPoints::from_bp(8),
        blocks_count: true,
    };
    let time = ClockTime::from_unix_ms;
    let actions = vec![
        (
            "carbon_announce_terms",
            CarbonAction::AnnounceTerms(CarbonTermsNotice { terms, opening_price: Some(price) }),
        ),
        ("carbon_list", CarbonAction::List(CarbonListing { side, allowances, price })),
        ("carbon_take", CarbonAction::Take(CarbonTake { side, allowances, limit: price })),
        ("carbon_withdraw", CarbonAction::Withdraw(CarbonWithdrawal { order: CarbonOrderId(3) })),
        (
            "carbon_propose_block",
            CarbonAction::ProposeBlock(BlockProposal {
                side,
                counterparty: OrganisationId(3),
                allowances,
                price,
            }),
        ),
        (
            "carbon_confirm_block",
            CarbonAction::ConfirmBlock(BlockConfirmation {
                order: CarbonOrderId(3),
                proposal: [4; 32],
            }),
        ),
        (
            "carbon_open_bidding",
            CarbonAction::OpenBidding(CarbonBiddingNotice {
                side,
                allowances,
                reserve: price,
                pricing: Pricing::Uniform,
                opens: time(3),
                closes: time(4),
            }),
        ),
        (
            "carbon_bid",
            CarbonAction::Bid(CarbonBid { bidding: CarbonBiddingId(3), allowances, price }),
        ),
    ];
    let actions = [actions, compliance_actions()].concat();
    actions.into_iter().map(|(name, action)| (name, Action::Carbon(action))).collect()
}

fn compliance_actions() -> Vec<(&'static str, CarbonAction)> {
    let (year, organisation, reference) = (2026, OrganisationId(3), 4);
    let class = BenchmarkClass::Gas;
    let share = BasisPoints::from_bp;
    let period = CompliancePeriod {
        benchmarks: vec![ClassBenchmark { class, electricity: 1, heat: 2 }],
        pre_issued: share(3),
        coal_shortage_cap: Some(share(4)),
        gas_shortage_waived: true,
        offset_cap: share(5),
        bank_base: Allowances::from_t(6),
        bank_per_net_sale: share(7),
        due_day: DeliveryDay::parse("2027-12-31").unwrap(),
    };
    let output = UnitOutput {
        unit: UnitId(1),
        class,
        electricity: Energy::from_kwh(2),
        heat: 3,
        correction: share(4),
    };
    let outputs = vec![output];
    let lot = CreditLotId(5);
    let verification = Verification {
        year,
        organisation,
        outputs: outputs.clone(),
        coal_correction: Emissions::from_g(-1),
        gas_correction: Emissions::from_g(2),
        reference,
    };
    let issue = CreditIssue {
        organisation,
        count: 1,
        project: "wind".to_owned(),
        vintage: 2025,
        outside_id: "CCER-1".to_owned(),
    };
    vec![
        ("carbon_publish_period", CarbonAction::PublishPeriod(PeriodNotice { year, period })),
        (
            "carbon_pre_issue",
            CarbonAction::PreIssue(PreIssue { year, organisation, outputs, reference }),
        ),
        ("carbon_verify", CarbonAction::Verify(verification)),
        ("carbon_cover", CarbonAction::Cover(Cover { year, allowances: Allowances::from_t(1) })),
        ("carbon_close_period", CarbonAction::ClosePeriod(PeriodClosure { year, organisation })),
        ("carbon_issue_credits", CarbonAction::IssueCredits(issue)),
        (
            "carbon_transfer_credits",
            CarbonAction::TransferCredits(CreditTransfer { lot, count: 6, to: organisation }),
        ),
        (
            "carbon_retire_credits",
            CarbonAction::RetireCredits(CreditRetirement { lot, count: 6, year }),
        ),
    ]
}

fn notice() -> SessionNotice {
    let price = Price::from_milli_yuan_per_mwh;
    SessionNotice {
        rule: RuleId(21),
        mode: Mode::Joint,
        days: 1,
        day: DeliveryDay::parse("2026-07-06").unwrap(),
        gate_open: ClockTime::from_unix_ms(1_783_224_000_000),
        gate_close: ClockTime::from_unix_ms(1_783_231_200_000),
        terms: SessionTerms {
            resolution: Resolution::Quarter,
            floor: price(-1_000),
            ceiling: price(1_500_000),
            tick: price(10),
            lot: Energy::from_kwh(100),
            reference_price: price(350_000),
            carbon_price: CarbonPrice::from_fen_per_t(8_500),
            price_numerator: 1,
            price_denominator: 2,
            rationing: Rationing::GreenFirst,
            second_stage: SecondStageDesign::Uplift,
            compensation_cap: price(50_000),
            fund_share: BasisPoints::from_bp(5_000),
            second_stage_chance: BasisPoints::from_bp(2_500),
            carbon_reference: CarbonReference::LastClose,
        },
    }
}

/// Every field of a rule, its options given.
fn rule() -> MarketRule {
    let price = Price::from_milli_yuan_per_mwh;
    let share = BasisPoints::from_bp;
    let fee = |n: i64| FeeRule {
        per_energy: price(n),
        of_value_ppm: n + 1,
        fixed: Money::from_fen((n + 2).into()),
        min: Money::from_fen((n + 3).into()),
        cap: Some(Money::from_fen((n + 4).into())),
    };
    let clawback = |n: i64| Clawback {
        least: share(n),
        most: share(n + 1),
        lacking: share(n + 2),
        excess: share(n + 3),
    };
    let mut rule = MarketRule::plain("HEBEI-SOUTH", &notice().terms);
    rule.version = 2;
    rule.effective_from = DeliveryDay::parse("2026-07-06").unwrap();
    rule.effective_until = Some(DeliveryDay::parse("2026-12-31").unwrap());
    rule.notice_hours = 48;
    rule.trading.k1 = share(3_000);
    rule.trading.sharing = Sharing::Windows;
    (rule.buyer_fee, rule.seller_fee) = (fee(10), fee(20));
    rule.deviation = DeviationScheme::Contracting(ContractingTerms {
        user: clawback(30),
        thermal: clawback(40),
        renewable: clawback(50),
    });
    rule.settlement = SettlementMethod::Two;
    rule.reference = ReferencePrice::DayAhead;
    rule.cost_basis = CostBasis::NetOfBenchmark;
    let (usable, margin) = (share(8_000), share(2_000));
    rule.deviation_period = DeviationPeriod::Month;
    rule.guarantee = Some(GuaranteeRule { usable, margin, unit_charge: price(400_000) });
    rule
}

fn set_limits() -> Action {
    let energy = Energy::from_kwh;
    Action::Limit(LimitAction::Set(SetLimits {
        organisation: OrganisationId(3),
        month: duet_units::Month::parse("2026-07").unwrap(),
        limits: MemberLimits {
            net: energy(61),
            cumulative: energy(62),
            back: BasisPoints::from_bp(63),
            hourly: Some(energy(64)),
        },
    }))
}

fn report() -> MeterReport {
    let reading = |kwh, quality| Reading { energy: Energy::from_kwh(kwh), quality };
    MeterReport {
        unit: UnitId(4),
        day: DeliveryDay::parse("2026-07-06").unwrap(),
        first_period: 5,
        version: 6,
        readings: vec![reading(7, Quality::Good), reading(8, Quality::Estimated)],
    }
}

fn genesis() -> Genesis {
    Genesis {
        name: "test".to_owned(),
        time: ClockTime::from_unix_ms(1_783_224_000_000),
        validators: vec![Validator { name: "one".to_owned(), key: public() }],
        organisations: vec![Organisation {
            name: "PLANT".to_owned(),
            name_zh: "\u{7535}\u{5382}".to_owned(),
        }],
        identities: vec![Registration {
            key: public(),
            identity: Identity {
                organisation: OrganisationId(0),
                roles: Roles::of(&[Role::Exchange, Role::Generator, Role::Device]),
                label: "operator".to_owned(),
            },
        }],
        units: vec![Unit {
            owner: OrganisationId(0),
            name: "U1".to_owned(),
            technology: Technology::Coal,
            capacity: Power::from_kw(660_000),
            registered_cost: Price::from_milli_yuan_per_mwh(280_000),
            emission_factor: EmissionFactor::from_g_per_kwh(830),
            benchmark: EmissionFactor::from_g_per_kwh(800),
            device: public(),
        }],
        rules: vec![MarketRule::plain("TEST", &notice().terms)],
    }
}

fn transaction(action: Action) -> Transaction {
    Unsigned { channel: [0xc0; 32], signer: public(), nonce: 0x0102_0304_0506_0708, action }
        .sign(&key())
}

/// The vectors, a name and bytes each.
fn vectors() -> Vec<(String, Vec<u8>)> {
    let mut vectors = Vec::new();
    let mut add = |name: String, bytes: &[u8]| vectors.push((name, bytes.to_vec()));
    add("key/seed".to_owned(), &[1; 32]);
    add("key/public".to_owned(), public().bytes());
    for (name, action) in actions() {
        let transaction = transaction(action);
        add(format!("transaction/{name}/bytes"), transaction.bytes());
        add(format!("transaction/{name}/hash"), transaction.hash());
    }
    let body =
        Body { transactions: actions().into_iter().take(2).map(|(_, a)| transaction(a)).collect() };
    add("body/two".to_owned(), &body.to_bytes());
    let receipts: Vec<Receipt> = (0..5_u8)
        .map(|number| {
            let code = if number == 1 { Rejection::OffTick.code() } else { 0 };
            let subject = u64::from(number) * 1_000;
            Receipt { transaction: [number; 32], code, subject }
        })
        .collect();
    let leaves: Vec<Vec<u8>> = receipts.iter().map(Receipt::to_bytes).collect();
    let mut root = [0xc0; 32];
    for count in 0..=receipts.len() {
        let block = block_receipts(&receipts[..count]);
        let height = u64::try_from(count).unwrap() + 1;
        root = chain_receipts(&root, height, &block);
        if let Some(receipt) = leaves.get(count) {
            add(format!("receipt/{count}"), receipt);
        }
        add(format!("merkle/{count}"), &merkle_root(&leaves[..count]));
        add(format!("block-receipts/{count}"), &block);
        add(format!("receipts-root/{height}"), &root);
    }
    for index in 0..leaves.len() {
        for (level, sibling) in merkle_path(&leaves, index).unwrap().into_iter().enumerate() {
            let bytes = sibling.map_or(Vec::new(), |digest| digest.to_vec());
            add(format!("merkle/path/{index}-of-5/{level}"), &bytes);
        }
    }
    let genesis = genesis();
    add("genesis/bytes".to_owned(), &genesis.to_bytes());
    add("genesis/hash".to_owned(), &genesis.content_hash());
    add("genesis/committee-hash".to_owned(), &Genesis::committee_hash(&genesis.committee()));
    add("genesis/channel".to_owned(), &genesis.channel());
    vectors
}

#[test]
fn the_bytes_are_those_of_the_specification() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec/ledger-vectors.txt");
    let mut fresh = String::from(
        "# Golden vectors of docs/spec/ledger.md: a name and bytes in hex a line; - is nothing.\n",
    );
    for (name, bytes) in vectors() {
        let mut hex = String::new();
        for byte in &bytes {
            write!(hex, "{byte:02x}").unwrap();
        }
        let hex = if hex.is_empty() { "-" } else { &hex };
        writeln!(fresh, "{name} {hex}").unwrap();
    }
    if std::env::var_os(UPDATE).is_some() {
        fs::write(&path, &fresh).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    for (line, (fresh, committed)) in (1..).zip(fresh.lines().zip(committed.lines())) {
        assert_eq!(fresh, committed, "line {line} of docs/spec/ledger-vectors.txt");
    }
    assert_eq!(fresh.lines().count(), committed.lines().count());
}

#[test]
fn every_vector_is_read_back_and_no_shorter_or_longer_one() {
    for (name, action) in actions() {
        let bytes = transaction(action.clone()).bytes().to_vec();
        let read = Transaction::from_bytes(&bytes).unwrap();
        assert_eq!(read.action(), &action, "{name}");
        assert!(read.signature_is_valid(), "{name}");
        for length in 0..bytes.len() {
            assert!(Transaction::from_bytes(&bytes[..length]).is_err(), "{name} cut at {length}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(Transaction::from_bytes(&longer).is_err(), "{name} with a byte more");
    }
    let genesis = genesis();
    assert_eq!(decode_all::<Genesis>(&genesis.to_bytes()).as_ref(), Ok(&genesis));
}
