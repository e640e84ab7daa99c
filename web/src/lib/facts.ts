import type { LedgerEvent } from "./api/types.ts";

/** What of the page a fact may have changed. */
export type Concern = "sessions" | "rules" | "clearings" | "carbon" | "devices" | "account";

const SESSIONS = /^(session_(?!limits_)|gate_|call_|intervened)/;
const RULES = /^rule_/;
const CARBON =
  /^(session_settled|allowances_|certificates_|credits_|emissions_|compliance_|green_settled|reductions_)/;
const DEVICES = /^(batch_|health_|device_)/;
/** Facts that change nobody's account. */
const READINGS = /^(meter_|batch_|health_)/;
/** Facts of which a day has thousands: they would push out what a person reads. */
const MANY =
  /^(order_|trade_made|carbon_order_|meter_|batch_|health_|dispatch_|payment_|limits_set)/;

/** What to read again after `event`. One of a kind this page does not know concerns the account. */
export function concerns(event: LedgerEvent): Concern[] {
  const found: Concern[] = [];
  if (SESSIONS.test(event.kind)) found.push("sessions", "clearings");
  if (RULES.test(event.kind)) found.push("rules");
  if (CARBON.test(event.kind)) found.push("carbon");
  if (DEVICES.test(event.kind)) found.push("devices");
  if (!READINGS.test(event.kind)) found.push("account");
  return found;
}

/** The only organisation whose account the event concerns, where it names one. */
export function ownerOf(event: LedgerEvent): number | null {
  switch (event.kind) {
    case "order_accepted":
    case "order_cancelled":
    case "carbon_order_accepted":
    case "carbon_order_ended":
      return event.owner;
    default:
      return null;
  }
}

/** Whether the list of messages shows it. */
export const isForReaders = (event: LedgerEvent): boolean => !MANY.test(event.kind);
