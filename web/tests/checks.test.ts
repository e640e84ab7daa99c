import { describe, expect, it } from "vitest";
import type { Session } from "../src/lib/api/types.ts";
import {
  effectiveAsk,
  escrowFen,
  firstBreach,
  type Rules,
  type Standing,
} from "../src/lib/checks.ts";
import type { OrderRequest } from "../src/lib/duet/action.ts";

const rules: Rules = {
  phase: "open",
  periods: 24,
  days: 1,
  buysBack: false,
  floorMilliYuanPerMwh: 291_520n,
  ceilingMilliYuanPerMwh: 437_280n,
  tickMilliYuanPerMwh: 10n,
  lotKwh: 1_000n,
};
const buyer: Standing = {
  consumes: true,
  capacityKw: 5_000n,
  committedKwh: 0n,
  availableFen: 100_000_000n,
};
const seller: Standing = { ...buyer, consumes: false };
const buy: OrderRequest = {
  session: 1,
  unit: 1,
  side: "buy",
  period: 0,
  limitMilliYuanPerMwh: 400_000n,
  quantityKwh: 2_000n,
  conductivityBp: 0n,
  reference: 1n,
};
const sell: OrderRequest = { ...buy, side: "sell", conductivityBp: 10_000n };

const rule = (order: OrderRequest, held = rules, standing = buyer) =>
  firstBreach(order, held, standing)?.rule ?? null;

describe("an order", () => {
  it("within every rule passes", () => {
    expect(rule(buy)).toBeNull();
    expect(rule(sell, rules, seller)).toBeNull();
  });

  it.each([
    ["unknown-period", { ...buy, period: 24 }, rules, buyer],
    ["gate-not-open", buy, { ...rules, phase: "announced" }, buyer],
    ["session-halted", buy, { ...rules, phase: "halted" }, buyer],
    ["gate-closed", buy, { ...rules, phase: "cleared" }, buyer],
    ["wrong-side", sell, rules, buyer],
    ["wrong-side", buy, rules, seller],
    ["quantity-not-positive", { ...buy, quantityKwh: 0n }, rules, buyer],
    ["off-lot", { ...buy, quantityKwh: 1_001n }, rules, buyer],
    ["over-capacity", { ...buy, quantityKwh: 6_000n }, rules, buyer],
    ["over-capacity", buy, rules, { ...buyer, committedKwh: 4_000n }],
    ["off-tick", { ...buy, limitMilliYuanPerMwh: 400_001n }, rules, buyer],
    ["outside-band", { ...buy, limitMilliYuanPerMwh: 291_510n }, rules, buyer],
    ["outside-band", { ...buy, limitMilliYuanPerMwh: 437_290n }, rules, buyer],
    ["bad-conductivity", { ...buy, conductivityBp: 1n }, rules, buyer],
    ["bad-conductivity", { ...sell, conductivityBp: 10_001n }, rules, seller],
    ["insufficient-funds", buy, rules, { ...buyer, availableFen: 79_999n }],
  ])("that breaks %s is told so", (name, order, held, standing) => {
    expect(rule(order, held, standing)).toBe(name);
  });

  it("that trades back is left to the ledger where a session allows it", () => {
    expect(rule(sell, { ...rules, buysBack: true })).toBeNull();
  });

  it("of several days needs the money of all of them", () => {
    const standing = { ...buyer, availableFen: 2_399_999n };
    expect(rule(buy, { ...rules, days: 30 }, standing)).toBe("insufficient-funds");
    expect(rule(buy, { ...rules, days: 29 }, standing)).toBeNull();
  });

  it("that breaks two rules is told the one that the ledger reports", () => {
    const order = { ...buy, quantityKwh: 1_001n, limitMilliYuanPerMwh: 1n };
    expect(rule(order)).toBe("off-lot");
  });

  it("of a quarter hour is held to a quarter of the energy", () => {
    const order = { ...buy, quantityKwh: 2_000n };
    expect(rule(order, { ...rules, periods: 96 })).toBe("over-capacity");
  });
});

describe("escrow", () => {
  it("is the value at the limit, rounded up to a fen", () => {
    expect(escrowFen(buy)).toBe(80_000n);
    expect(escrowFen({ ...buy, limitMilliYuanPerMwh: 1n, quantityKwh: 1n })).toBe(1n);
    expect(escrowFen({ ...buy, limitMilliYuanPerMwh: -5n })).toBe(0n);
    expect(escrowFen(sell)).toBe(80_000n);
  });
});

describe("a sell order", () => {
  const terms = {
    ceiling_milli_yuan_per_mwh: 437_280,
    carbon_price_fen_per_t: 5_500,
  } as Session["terms"];
  const ask = (conductivityBp: bigint, limitMilliYuanPerMwh = 400_000n) =>
    effectiveAsk({ ...sell, conductivityBp, limitMilliYuanPerMwh }, terms, 800);

  it("is seen with the share of its carbon cost, rounded once", () => {
    // 0.8 t/MWh at 55 yuan/t are 44 yuan/MWh.
    expect(ask(0n)).toBe(400_000n);
    expect(ask(5_000n)).toBe(422_000n);
    expect(ask(1n)).toBe(400_004n);
  });

  it("is never seen above the ceiling", () => expect(ask(10_000n)).toBe(437_280n));
});
