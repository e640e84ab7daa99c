import type { Session } from "./api/types.ts";
import type { OrderRequest } from "./duet/action.ts";
import { takesOrders } from "./sessions.ts";
import { divideHalfAway, periodsOf } from "./summary.ts";

/** The rules of a session that an order is held to before it is signed. */
export interface Rules {
  phase: string;
  periods: number;
  /** Delivery days of the product; the energy of an order is that of each of them. */
  days: number;
  /** Whether a unit may trade back what it holds, so that the ledger alone judges the side. */
  buysBack: boolean;
  floorMilliYuanPerMwh: bigint;
  ceilingMilliYuanPerMwh: bigint;
  tickMilliYuanPerMwh: bigint;
  lotKwh: bigint;
}

export function rulesOf({ phase, mode, days, terms }: Session): Rules {
  return {
    phase,
    periods: periodsOf({ terms }),
    days,
    buysBack: mode.kind !== "joint",
    floorMilliYuanPerMwh: BigInt(terms.floor_milli_yuan_per_mwh),
    ceilingMilliYuanPerMwh: BigInt(terms.ceiling_milli_yuan_per_mwh),
    tickMilliYuanPerMwh: BigInt(terms.tick_milli_yuan_per_mwh),
    lotKwh: BigInt(terms.lot_kwh),
  };
}

/** What the checks need to know of the unit and of the member's money. */
export interface Standing {
  consumes: boolean;
  capacityKw: bigint;
  /** What other open orders of the unit take up in the period. */
  committedKwh: bigint;
  availableFen: bigint;
}

/** A rule that the order breaks, by the ledger's own name of the rejection, and the bound. */
export interface Breach {
  rule: string;
  field: "session" | "side" | "period" | "quantity" | "limit" | "conductivity";
  bound?: bigint;
}

/**
 * The first rule that the order breaks, in the ledger's order of precedence, or null. The ledger
 * checks everything again; this only spares the member a rejected transaction.
 */
export function firstBreach(order: OrderRequest, rules: Rules, standing: Standing): Breach | null {
  if (!(0 <= order.period && order.period < rules.periods)) {
    return { rule: "unknown-period", field: "period" };
  }
  const session = sessionBreach(rules.phase);
  if (session) return { rule: session, field: "session" };
  if (!rules.buysBack && standing.consumes !== (order.side === "buy")) {
    return { rule: "wrong-side", field: "side" };
  }
  return (
    quantityBreach(order, rules, standing) ??
    priceBreach(order, rules) ??
    fundsBreach(order, rules, standing)
  );
}

/** The rule by which a session takes no orders in this phase, or null where it does. */
export function sessionBreach(phase: string): string | null {
  if (takesOrders(phase)) return null;
  switch (phase) {
    case "announced":
      return "gate-not-open";
    case "halted":
      return "session-halted";
    default:
      return "gate-closed";
  }
}

/** Whether a quantity is of whole lots. */
export function lotBreach(quantityKwh: bigint, { lotKwh }: Rules): Breach | null {
  if (quantityKwh <= 0n) return { rule: "quantity-not-positive", field: "quantity" };
  return quantityKwh % lotKwh === 0n ? null : { rule: "off-lot", field: "quantity", bound: lotKwh };
}

/** What a unit can deliver or use in one period. */
export const capacityKwh = (capacityKw: bigint, periods: number): bigint =>
  (capacityKw * 24n) / BigInt(periods);

function quantityBreach(order: OrderRequest, rules: Rules, standing: Standing): Breach | null {
  const lots = lotBreach(order.quantityKwh, rules);
  if (lots) return lots;
  const most = capacityKwh(standing.capacityKw, rules.periods);
  if (order.quantityKwh + standing.committedKwh > most) {
    return { rule: "over-capacity", field: "quantity", bound: most - standing.committedKwh };
  }
  return null;
}

/** Whether a price is of whole ticks and within the band. */
export function bandBreach(limit: bigint, rules: Rules): Breach | null {
  if (limit % rules.tickMilliYuanPerMwh !== 0n) {
    return { rule: "off-tick", field: "limit", bound: rules.tickMilliYuanPerMwh };
  }
  if (limit < rules.floorMilliYuanPerMwh) {
    return { rule: "outside-band", field: "limit", bound: rules.floorMilliYuanPerMwh };
  }
  if (limit > rules.ceilingMilliYuanPerMwh) {
    return { rule: "outside-band", field: "limit", bound: rules.ceilingMilliYuanPerMwh };
  }
  return null;
}

function priceBreach(order: OrderRequest, rules: Rules): Breach | null {
  const band = bandBreach(order.limitMilliYuanPerMwh, rules);
  if (band) return band;
  const most = order.side === "buy" ? 0n : 10_000n;
  if (order.conductivityBp < 0n || most < order.conductivityBp) {
    return { rule: "bad-conductivity", field: "conductivity", bound: most };
  }
  return null;
}

function fundsBreach(order: OrderRequest, rules: Rules, standing: Standing): Breach | null {
  if (order.side === "sell") return null;
  const escrow = escrowFen(order, rules.days);
  if (standing.availableFen < escrow) {
    return { rule: "insufficient-funds", field: "quantity", bound: escrow };
  }
  return null;
}

/**
 * What a buy order holds in escrow: its value at its limit on all delivery days, rounded up to a
 * whole fen.
 */
export function escrowFen(order: OrderRequest, days = 1): bigint {
  const microYuan = order.limitMilliYuanPerMwh * order.quantityKwh * BigInt(days);
  return microYuan <= 0n ? 0n : (microYuan + 9_999n) / 10_000n;
}

/**
 * What the joint auction sees of a sell order: its limit and the share of its carbon cost that it
 * passes on, at most the ceiling.
 */
export function effectiveAsk(
  order: OrderRequest,
  terms: Session["terms"],
  emissionFactorGPerKwh: number,
): bigint {
  const price = BigInt(terms.carbon_price_fen_per_t);
  const product = order.conductivityBp * BigInt(emissionFactorGPerKwh) * price;
  const ask = order.limitMilliYuanPerMwh + divideHalfAway(product, 1_000_000n);
  const ceiling = BigInt(terms.ceiling_milli_yuan_per_mwh);
  return ask < ceiling ? ask : ceiling;
}
