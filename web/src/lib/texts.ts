import { m } from "../paraglide/messages";
import type { LedgerEvent, Mode, OrderStatus, Phase, Session, Technology } from "./api/types.ts";
import { sessionBreach, type Breach } from "./checks.ts";
import type { Submission } from "./account.svelte.ts";
import type { Side } from "./duet/action.ts";
import { count, energy, money, price, tonnes } from "./format.ts";

const texts = m as unknown as Record<string, (() => string) | undefined>;

function text(key: string, otherwise: string): string {
  return (texts[key] ?? texts[otherwise])?.() ?? key;
}

export const phaseText = (phase: Phase): string => text(`phase_${phase}`, "r_unknown");
export const technologyText = (technology: Technology): string =>
  text(`technology_${technology}`, "r_unknown");

export const modeText = (mode: Mode["kind"]): string => text(`mode_${mode}`, "r_unknown");
export const kindText = (kind: Submission["kind"]): string =>
  text(`kind_${kind.replaceAll("-", "_")}`, "r_unknown");
export const sideText = (side: Side): string => (side === "buy" ? m.side_buy() : m.side_sell());
/** The name of a state, an item or another word of the ledger. */
export const wordText = (group: string, word: string): string =>
  text(`${group}_${word}`, "r_unknown");

/** What happened, in a few words, with the numbers that matter. */
export function eventText(event: LedgerEvent): string {
  const name = text(`event_${event.kind}`, "event_unknown");
  const detail = eventDetail(event);
  return detail === "" ? name : `${name} ${detail}`;
}

function eventDetail(event: LedgerEvent): string {
  switch (event.kind) {
    case "session_announced":
      return `#${event.session} · ${event.day}`;
    case "gate_opened":
    case "carbon_price_taken":
    case "second_stage_drawn":
    case "session_voided":
    case "session_limits_set":
    case "linked_placed":
    case "linked_ended":
    case "contract_proposed":
    case "contract_confirmed":
    case "contract_withdrawn":
      return `#${event.session}`;
    case "call_cleared":
      return `#${event.session} · ${energy(event.volume_kwh, 0)} ${m.unit_energy()}`;
    case "trade_made":
      return `#${event.session} · ${energy(event.quantity_kwh)} ${m.unit_energy()} · ${price(event.price_milli_yuan_per_mwh)} ${m.unit_price()}`;
    case "prices_published":
      return `#${event.session} · ${event.day}`;
    case "curtailed":
      return `#${event.session} · ${event.day} · ${energy(event.cut_kwh)} ${m.unit_energy()}`;
    case "rule_published":
      return `${event.province} v${event.version} · ${event.effective_from}`;
    case "statement_objected":
    case "month_closed":
      return `${event.month}`;
    case "session_cleared":
      return `#${event.session} · ${energy(event.first_kwh, 0)} + ${energy(event.second_kwh, 0)} ${m.unit_energy()}`;
    case "session_settled":
      return `#${event.session} · ${tonnes(event.emissions_g)} ${m.unit_tonne()}`;
    case "intervened":
      return `#${event.session} · ${event.reason}`;
    case "deposited":
    case "guarantee_pledged":
    case "guarantee_released":
    case "guarantee_drawn":
    case "line_corrected":
      return `${money(event.amount_fen)} ${m.unit_money()}`;
    case "guarantee_demanded":
      return `${money(event.level_fen)} ${m.unit_money()}`;
    case "device_enrolled":
      return `#${event.unit}`;
    case "readings_substituted":
      return `#${event.unit} · ${event.day} · ${event.reason}`;
    case "transaction_refused":
      return `${event.code}`;
    default:
      return carbonDetail(event);
  }
}

function carbonDetail(event: LedgerEvent): string {
  switch (event.kind) {
    case "allowances_allocated":
    case "allowances_transferred":
    case "allowances_surrendered":
      return `${count(event.allowances_t)} ${m.unit_tonne()}`;
    case "certificates_issued":
    case "certificates_transferred":
    case "certificates_retired":
    case "certificates_offered":
    case "certificates_sold":
    case "certificates_expired":
    case "certificates_cancelled":
      return `${count(event.count)} ${m.unit_certificate()}`;
    case "certificates_frozen":
      return event.reason;
    case "allowances_dealt":
      return `${count(event.allowances_t)} ${m.unit_tonne()} · ${money(event.price_fen_per_t)} ${m.unit_carbon_price()}`;
    case "carbon_bidding_awarded":
      return `${count(event.allowances_t)} ${m.unit_tonne()}`;
    case "carbon_day_closed":
      return `${event.day} · ${money(event.close_fen_per_t)} ${m.unit_carbon_price()}`;
    case "compliance_period_published":
    case "compliance_period_closed":
      return `${event.year}`;
    case "emissions_verified":
      return `${event.year} · ${count(event.verified_t)} ${m.unit_tonne()}`;
    case "credits_issued":
    case "credits_transferred":
    case "credits_retired":
      return `${count(event.count)} ${m.unit_tonne()}`;
    case "green_proposed":
    case "green_confirmed":
    case "green_withdrawn":
      return `#${event.contract}`;
    case "green_settled":
      return `#${event.contract} · ${event.month}`;
    case "project_registered":
    case "project_withdrawn":
      return `#${event.project}`;
    case "reductions_registered":
      return `#${event.project} · ${count(event.reductions_t)} ${m.unit_tonne()}`;
    default:
      return "";
  }
}

/** The rule behind a stable name of a rejection, in the reader's language. */
export const ruleText = (name: string): string =>
  text(`r_${name.replaceAll("-", "_")}`, "r_unknown");

/** Why a session takes no orders now; nothing where it does, or where there is none. */
export function closedText(session: Session | null): string {
  const rule = session && sessionBreach(session.phase);
  return rule ? ruleText(rule) : "";
}

/** Where orders match on arrival, one that is pending can be filled in part or in whole. */
export function statusText(status: OrderStatus, filled: number, quantity: number): string {
  const traded = status === "matched" || (status === "pending" && filled > 0);
  if (traded && filled < quantity) return m.status_partly_matched();
  return text(`status_${traded ? "matched" : status}`, "r_unknown");
}

export function progressText(submission: Submission): string {
  return submission.progress === "final" && submission.height !== null
    ? m.progress_final_at({ height: count(submission.height) })
    : text(`progress_${submission.progress}`, "r_unknown");
}

/** The bound of a breach in the unit that a person reads. */
export function boundText(rule: string, bound: bigint): string {
  switch (rule) {
    case "off-lot":
    case "over-capacity":
      return `${energy(bound)} ${m.unit_energy()}`;
    case "off-tick":
    case "outside-band":
      return `${price(bound)} ${m.unit_price()}`;
    case "insufficient-funds":
      return `${money(bound)} ${m.unit_money()}`;
    case "bad-conductivity":
      return `${bound / 100n} %`;
    default:
      return "";
  }
}

export function breachText(breach: Breach): string {
  const bound = breach.bound === undefined ? "" : boundText(breach.rule, breach.bound);
  return bound === "" ? ruleText(breach.rule) : `${ruleText(breach.rule)} ${m.bound({ bound })}`;
}

export function refusalText(submission: Submission): string {
  const bound = /^-?\d+$/.test(submission.bound)
    ? boundText(submission.code, BigInt(submission.bound))
    : "";
  const rule = ruleText(submission.code);
  return bound === "" ? rule : `${rule} ${m.bound({ bound })}`;
}

/** How far a request has come, or why it was refused; nothing where there is none. */
export function requestText(request: Submission | undefined): string {
  if (!request) return "";
  return request.code === "" ? progressText(request) : refusalText(request);
}
