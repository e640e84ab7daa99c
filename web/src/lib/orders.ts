import { account, type Submission } from "./account.svelte.ts";
import type { Order } from "./api/types.ts";
import type { Side } from "./duet/action.ts";
import { progressText, statusText } from "./texts.ts";
import { m } from "../paraglide/messages";

/** A line of the table of orders: an order that the ledger has, or a request for one. */
export interface OrderRow {
  key: string;
  id: number | null;
  session: number;
  unit: number;
  owner: number;
  side: Side;
  period: number;
  quantityKwh: number | bigint;
  filledKwh: number;
  limit: number | bigint;
  effective: number | null;
  status: string;
  tone: string;
  note: string;
  hash: string;
  acceptedAt: number | null;
  order: Order | null;
}

export function rowOf(order: Order): OrderRow {
  const cancelling = account.cancelling(order.id);
  const underway = cancelling && order.status === "pending" ? progressText(cancelling) : "";
  const placed = account.submissions.find(
    (s) => s.kind === "submit-order" && s.orderId === order.id,
  );
  return {
    key: `order-${order.id}`,
    id: order.id,
    session: order.session,
    unit: order.unit,
    owner: order.owner,
    side: order.side,
    period: order.period,
    quantityKwh: order.quantity_kwh,
    filledKwh: order.filled_kwh,
    limit: order.limit_milli_yuan_per_mwh,
    effective: order.effective_milli_yuan_per_mwh,
    status: statusText(order.status, order.filled_kwh, order.quantity_kwh),
    tone: order.status,
    note: noteOf(order, underway, placed),
    hash: account.transactions[order.id] ?? "",
    acceptedAt: order.accepted_at_ms,
    order,
  };
}

function noteOf(order: Order, underway: string, placed: Submission | undefined): string {
  if (order.status !== "pending") return "";
  if (underway !== "") return `${m.cancel()}: ${underway}`;
  return placed ? progressText(placed) : "";
}

/** The line of a request for an order that the chain has not answered; null for any other. */
export function requestRowOf(submission: Submission): OrderRow | null {
  const request = submission.order;
  if (!request) return null;
  return {
    key: `request-${submission.number}`,
    id: submission.orderId,
    session: request.session,
    unit: request.unit,
    owner: account.identity?.organisation ?? 0,
    side: request.side,
    period: request.period,
    quantityKwh: request.quantityKwh,
    filledKwh: 0,
    limit: request.limitMilliYuanPerMwh,
    effective: null,
    status: progressText(submission),
    tone: submission.progress,
    note: "",
    hash: submission.hash,
    acceptedAt: null,
    order: null,
  };
}

/** What is filled is a contract, and stays. */
export const isCancellable = (order: Order): boolean =>
  order.status === "pending" && order.filled_kwh < order.quantity_kwh;

/** Whether a request to withdraw the order is under way. */
export function isBeingCancelled(order: number): boolean {
  const progress = account.cancelling(order)?.progress;
  return progress === "submitting" || progress === "pooled";
}
