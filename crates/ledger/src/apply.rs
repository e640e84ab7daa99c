//! The only way to change the state: a final block.

mod auction;
mod carbon;
mod certificate;
mod clear;
mod contract;
mod default;
mod deliver;
mod device;
mod draw;
mod fee;
mod guarantee;
mod hours;
mod limit;
mod linked;
mod listing;
mod money;
mod order;
mod passthrough;
mod period;
mod position;
mod reference;
mod replay;
mod rolling;
mod rule;
mod schedule;
mod session;
mod settle;
mod statement;
mod substitute;

pub use certificate::YearUse;
pub use guarantee::SettlementRisk;

use crate::action::Action;
use crate::block::Body;
use crate::event::Event;
use crate::ids::{OrganisationId, PublicKey};
use crate::receipt::{Receipt, block_receipts, chain_receipts};
use crate::records::{Role, Roles};
use crate::rejection::{Refusal, Rejection};
use crate::state::{BrokenInvariant, State};
use crate::transaction::Transaction;
use duet_units::ClockTime;

/// What a block did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// One receipt a transaction, in order.
    pub receipts: Vec<Receipt>,
    /// The facts, in order.
    pub events: Vec<Event>,
    /// What commits to the receipts of this block and to their number.
    pub block_receipts: crate::Digest,
    /// The chain of receipts up to and with this block.
    pub receipts_root: crate::Digest,
}

/// Who asks, and when: what every rule may look at.
#[derive(Clone, Copy, Debug)]
struct Caller {
    signer: PublicKey,
    organisation: OrganisationId,
    roles: Roles,
    time: ClockTime,
}

impl Caller {
    /// Refuses a caller that has none of `roles`.
    fn needs(&self, roles: &[Role]) -> Result<(), Refusal> {
        if roles.iter().any(|role| self.roles.has(*role)) {
            Ok(())
        } else {
            Err(Rejection::WrongRole.of("signer", 0, 0))
        }
    }
}

/// Either a refusal, which changes nothing, or a broken invariant, which stops the validator.
#[derive(Debug)]
enum Failure {
    Refused(Refusal),
    Broken(BrokenInvariant),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<BrokenInvariant> for Failure {
    fn from(broken: BrokenInvariant) -> Self {
        Self::Broken(broken)
    }
}

impl State {
    /// Applies the next block: first what its time brings about (gates open and close), then its
    /// transactions in order.
    ///
    /// `time` must not be before the last block's; a block that says so is taken to be at the last
    /// block's time, so that time never runs backwards. Signatures are not checked here: they are
    /// a condition for the block to be agreed on.
    ///
    /// # Errors
    ///
    /// Returns [`BrokenInvariant`] if a rule that holds by construction did not; the state is then
    /// of no use.
    pub fn apply(
        &mut self,
        height: u64,
        time: ClockTime,
        body: &Body,
    ) -> Result<Outcome, BrokenInvariant> {
        let time = time.max(self.time());
        let mut progress = self.progress();
        if height != progress.height.saturating_add(1) {
            return Err(BrokenInvariant("blocks are applied in the order of their heights"));
        }
        progress.height = height;
        progress.time = time;
        self.progress.insert((), progress);

        let mut events = Vec::new();
        self.pass_gates(&mut events)?;
        self.pass_carbon(&mut events)?;
        self.expire_certificates(&mut events);
        let mut receipts = Vec::with_capacity(body.transactions.len());
        for transaction in &body.transactions {
            receipts.push(self.execute(transaction, &mut events)?);
        }
        let block_receipts = block_receipts(&receipts);
        let mut progress = self.progress();
        progress.receipts_root = chain_receipts(&progress.receipts_root, height, &block_receipts);
        let receipts_root = progress.receipts_root;
        self.progress.insert((), progress);
        Ok(Outcome { receipts, events, block_receipts, receipts_root })
    }

    fn execute(
        &mut self,
        transaction: &Transaction,
        events: &mut Vec<Event>,
    ) -> Result<Receipt, BrokenInvariant> {
        let hash = *transaction.hash();
        let result = match self.caller(transaction) {
            Ok(caller) => {
                // From here the nonce is used up, whatever comes of the action.
                self.nonces.insert(caller.signer, transaction.nonce());
                self.act(caller, transaction.action(), events)
            }
            Err(refusal) => Err(refusal.into()),
        };
        match result {
            Ok(subject) => Ok(Receipt { transaction: hash, code: 0, subject }),
            Err(Failure::Refused(refusal)) => {
                let code = refusal.rejection.code();
                events.push(Event::TransactionRefused { transaction: hash, code });
                Ok(Receipt { transaction: hash, code, subject: 0 })
            }
            Err(Failure::Broken(broken)) => Err(broken),
        }
    }

    fn caller(&self, transaction: &Transaction) -> Result<Caller, Refusal> {
        if transaction.channel() != &self.channel {
            return Err(Rejection::WrongChannel.of("channel", 0, 0));
        }
        let signer = *transaction.signer();
        let identity =
            self.identities.get(signer).ok_or(Rejection::UnknownIdentity.of("signer", 0, 0))?;
        let (nonce, last) = (transaction.nonce(), self.nonce(signer));
        if nonce <= last {
            return Err(Rejection::StaleNonce.of("nonce", nonce, last));
        }
        Ok(Caller {
            signer,
            organisation: identity.organisation,
            roles: identity.roles,
            time: self.time(),
        })
    }

    fn act(
        &mut self,
        caller: Caller,
        action: &Action,
        events: &mut Vec<Event>,
    ) -> Result<u64, Failure> {
        match action {
            Action::SubmitOrder(request) => self.submit_order(caller, request, events),
            Action::CancelOrder { order } => self.cancel_order(caller, *order, events),
            Action::OpenSession(notice) => self.open_session(caller, notice, events),
            Action::Deposit { organisation, amount, reference } => {
                self.deposit(caller, (*organisation, *amount, *reference), events)
            }
            Action::ConfirmPayment { payment, confirmed } => {
                self.confirm_payment(caller, *payment, *confirmed, events)
            }
            Action::IssueDispatch { session } => self.issue_dispatch(caller, *session, events),
            Action::AckDispatch(answer) => self.acknowledge(caller, answer, events),
            Action::ReportMeter(report) => self.report_meter(caller, report, events),
            Action::SettleSession { session } => self.settle_session(caller, *session, events),
            Action::AllocateAllowances { organisation, allowances, reference } => {
                self.allocate(caller, (*organisation, *allowances, *reference), events)
            }
            Action::TransferAllowances { to, allowances } => {
                self.transfer_allowances(caller, *to, *allowances, events)
            }
            Action::SurrenderAllowances { allowances } => {
                self.surrender(caller, *allowances, events)
            }
            Action::TransferCertificates { lot, count, to } => {
                self.transfer_certificates(caller, (*lot, *count), *to, events)
            }
            Action::RetireCertificates { lot, count, purpose, beneficiary } => {
                self.retire_certificates(caller, (*lot, *count), (*purpose, beneficiary), events)
            }
            Action::Intervene { session, intervention, reason } => {
                self.intervene(caller, *session, (*intervention, reason), events)
            }
            Action::Device(action) => self.apply_device(caller, action, events),
            Action::Rule(action) => self.apply_rule(caller, action, events),
            Action::Limit(action) => self.apply_limit(caller, action, events),
            Action::Carbon(action) => self.apply_carbon(caller, action, events),
            Action::Contract(action) => self.apply_contract(caller, action, events),
            Action::Certificate(action) => self.apply_certificate(caller, action, events),
            Action::Statement(action) => self.apply_statement(caller, action, events),
            Action::Schedule(action) => self.apply_schedule(caller, action, events),
            Action::Auction(action) => self.apply_auction(caller, action, events),
        }
    }
}

/// What [`State::execute`] would refuse, found without changing the state.
pub(crate) fn check(state: &State, transaction: &Transaction) -> Result<(), Refusal> {
    let caller = state.caller(transaction)?;
    match transaction.action() {
        Action::SubmitOrder(request) => state.check_order(&caller, request).map(drop),
        Action::CancelOrder { order } => state.check_cancel_alone(&caller, *order).map(drop),
        Action::OpenSession(notice) => state.check_notice(&caller, notice),
        Action::Deposit { organisation, amount, reference } => {
            state.check_deposit(&caller, (*organisation, *amount, *reference))
        }
        Action::ConfirmPayment { payment, .. } => state.check_payment(&caller, *payment).map(drop),
        Action::IssueDispatch { session } => state.check_dispatch(&caller, *session).map(drop),
        Action::AckDispatch(answer) => state.check_acknowledgement(&caller, answer),
        Action::ReportMeter(report) => state.check_report(&caller, report),
        Action::SettleSession { session } => state.check_settle(&caller, *session).map(drop),
        Action::AllocateAllowances { organisation, allowances, reference } => {
            state.check_allocation(&caller, (*organisation, *allowances, *reference))
        }
        Action::TransferAllowances { to, allowances } => {
            state.check_allowance_transfer(&caller, *to, *allowances)
        }
        Action::SurrenderAllowances { allowances } => {
            state.check_surrender(&caller, *allowances).map(drop)
        }
        Action::TransferCertificates { lot, count, to } => {
            state.check_certificate_transfer(&caller, (*lot, *count), *to).map(drop)
        }
        Action::RetireCertificates { lot, count, purpose, beneficiary } => {
            state.check_retirement(&caller, (*lot, *count), (*purpose, beneficiary)).map(drop)
        }
        Action::Intervene { session, intervention, .. } => {
            state.check_intervention(&caller, *session, *intervention)
        }
        Action::Device(action) => state.check_device(&caller, action),
        Action::Rule(action) => state.check_rule(&caller, action),
        Action::Limit(action) => state.check_limit(&caller, action),
        Action::Carbon(action) => state.check_carbon(&caller, action),
        Action::Contract(action) => state.check_contract(&caller, action),
        Action::Certificate(action) => state.check_certificate(&caller, action),
        Action::Statement(action) => state.check_statement(&caller, action),
        Action::Schedule(action) => state.check_schedule(&caller, action),
        Action::Auction(action) => state.check_auction(&caller, action),
    }
}
