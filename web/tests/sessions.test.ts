import { describe, expect, it } from "vitest";
import type { Session } from "../src/lib/api/types.ts";
import {
  clearedOf,
  jointOf,
  liveOf,
  matchesOnArrival,
  productDays,
  tradingOf,
} from "../src/lib/sessions.ts";

const terms = {} as Session["terms"];

function session(id: number, kind: string, phase: Session["phase"]): Session {
  const mode = { kind } as Session["mode"];
  const gates = { gate_open_ms: 0, gate_close_ms: 1 };
  const days = kind === "joint" ? 1 : 31;
  return {
    id,
    rule: 1,
    mode,
    day: "2026-07-05",
    days,
    ...gates,
    terms,
    phase,
    orders: 0,
    settled_days: 0,
  };
}

describe("the session to trade in", () => {
  it("is the joint one, whatever else is open", () => {
    const joint = jointOf([
      session(1, "bilateral", "open"),
      session(2, "listing", "open"),
      session(3, "continuous", "continuous"),
      session(4, "joint", "open"),
      session(5, "call", "announced"),
    ]);
    expect(joint.map(({ id }) => id)).toEqual([4]);
    expect(tradingOf(joint)?.id).toBe(4);
  });

  it("is the open one, then the next, then the last", () => {
    const [settled, open, next] = [
      session(1, "joint", "settled"),
      session(2, "joint", "halted"),
      session(3, "joint", "announced"),
    ];
    expect(tradingOf([settled, open, next])).toBe(open);
    expect(tradingOf([settled, next])).toBe(next);
    expect(tradingOf([settled])).toBe(settled);
    expect(tradingOf(jointOf([session(1, "rolling", "open")]))).toBeNull();
  });
});

describe("the session whose results are shown", () => {
  it("is the last joint one that has cleared", () => {
    const all = [
      session(3, "uniform", "cleared"),
      session(2, "joint", "cleared"),
      session(1, "joint", "settled"),
      session(4, "joint", "void"),
    ];
    expect(clearedOf(jointOf(all))?.id).toBe(2);
    expect(clearedOf([])).toBeNull();
  });
});

describe("a session of any mode", () => {
  it("can be traded in until it ends", () => {
    const rows = [
      session(4, "rolling", "open"),
      session(3, "bilateral", "cleared"),
      session(2, "listing", "halted"),
      session(1, "joint", "settled"),
    ];
    expect(liveOf(rows).map(({ id }) => id)).toEqual([2, 4]);
  });

  it("has a book where orders match on arrival", () => {
    expect(matchesOnArrival(session(1, "rolling", "open"))).toBe(true);
    expect(matchesOnArrival(session(1, "continuous", "open"))).toBe(false);
    expect(matchesOnArrival(session(1, "continuous", "continuous"))).toBe(true);
    expect(matchesOnArrival(session(1, "joint", "open"))).toBe(false);
  });

  it("names its delivery days", () => {
    expect(productDays(session(1, "joint", "open"))).toBe("2026-07-05");
    expect(productDays({ ...session(1, "call", "open"), days: 7 })).toBe("2026-07-05 / 11");
    expect(productDays({ ...session(1, "call", "open"), days: 31 })).toBe("2026-07-05 / 08-04");
  });
});
