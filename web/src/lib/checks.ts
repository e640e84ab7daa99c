import type { OrderRequest } from "./duet/action.ts";

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

function sessionBreach(phase: string): string | null {
  switch (phase) {
    case "open":
    case "continuous":
      return null;
    case "announced":
      return "gate-not-open";
    case "halted":
      return "session-halted";
    default:
      return "gate-closed";
  }
}

function quantityBreach(order: OrderRequest, rules: Rules, standing: Standing): Breach | null {
  if (order.quantityKwh <= 0n) return { rule: "quantity-not-positive", field: "quantity" };
  if (order.quantityKwh % rules.lotKwh !== 0n) {
    return { rule: "off-lot", field: "quantity", bound: rules.lotKwh };
  }
  const most = (standing.capacityKw * 24n) / BigInt(rules.periods);
  if (order.quantityKwh + standing.committedKwh > most) {
    return { rule: "over-capacity", field: "quantity", bound: most - standing.committedKwh };
  }
  return null;
}

function priceBreach(order: OrderRequest, rules: Rules): Breach | null {
  const limit = order.limitMilliYuanPerMwh;
  if (limit % rules.tickMilliYuanPerMwh !== 0n) {
    return { rule: "off-tick", field: "limit", bound: rules.tickMilliYuanPerMwh };
  }
  if (limit < rules.floorMilliYuanPerMwh) {
    return { rule: "outside-band", field: "limit", bound: rules.floorMilliYuanPerMwh };
  }
  if (limit > rules.ceilingMilliYuanPerMwh) {
    return { rule: "outside-band", field: "limit", bound: rules.ceilingMilliYuanPerMwh };
  }
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
