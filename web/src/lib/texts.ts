import { m } from "../paraglide/messages";
import type { LedgerEvent, OrderStatus, Phase, Technology } from "./api/types.ts";
import type { Breach } from "./checks.ts";
import type { Submission } from "./account.svelte.ts";
import { count, energy, money, price, tonnes } from "./format.ts";

const texts = m as unknown as Record<string, (() => string) | undefined>;

function text(key: string, otherwise: string): string {
  return (texts[key] ?? texts[otherwise])?.() ?? key;
}

export const phaseText = (phase: Phase): string => text(`phase_${phase}`, "r_unknown");
export const technologyText = (technology: Technology): string =>
  text(`technology_${technology}`, "r_unknown");

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
    case "session_voided":
      return `#${event.session}`;
    case "session_cleared":
      return `#${event.session} · ${energy(event.first_kwh, 0)} + ${energy(event.second_kwh, 0)} ${m.unit_energy()}`;
    case "session_settled":
      return `#${event.session} · ${tonnes(event.emissions_g)} ${m.unit_tonne()}`;
    case "intervened":
      return `#${event.session} · ${event.reason}`;
    case "deposited":
      return `${money(event.amount_fen)} ${m.unit_money()}`;
    case "allowances_allocated":
    case "allowances_transferred":
    case "allowances_surrendered":
      return `${count(event.allowances_t)} ${m.unit_tonne()}`;
    case "certificates_issued":
    case "certificates_transferred":
    case "certificates_retired":
      return `${count(event.count)} ${m.unit_certificate()}`;
    case "device_enrolled":
      return `#${event.unit}`;
    case "transaction_refused":
      return `${event.code}`;
    default:
      return "";
  }
}

/** The rule behind a stable name of a rejection, in the reader's language. */
export const ruleText = (name: string): string =>
  text(`r_${name.replaceAll("-", "_")}`, "r_unknown");

export function statusText(status: OrderStatus, partly: boolean): string {
  return status === "matched" && partly
    ? m.status_partly_matched()
    : text(`status_${status}`, "r_unknown");
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
