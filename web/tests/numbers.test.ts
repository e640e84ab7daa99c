import { describe, expect, it } from "vitest";
import { Nonces } from "../src/lib/duet/nonce.ts";
import { Entry } from "../src/lib/entry.svelte.ts";
import * as format from "../src/lib/format.ts";
import { divideHalfAway, summarise } from "../src/lib/summary.ts";
import { parse } from "../src/lib/units.ts";

describe("numbers for people", () => {
  it("are exact beyond what a double holds", () => {
    expect(format.money("9007199254740993123")).toBe("90,071,992,547,409,931.23");
    expect(format.energy("9007199254740993")).toBe("9,007,199,254,740.993");
  });

  it("round half away from zero", () => {
    expect(format.price(367_505)).toBe("367.51");
    expect(format.price(-367_505)).toBe("\u2212367.51");
    expect(format.price(-4)).toBe("0.00");
  });

  it("show nothing as a dash, not as zero", () => {
    expect(format.price(null)).toBe("\u2013");
    expect(format.price(0)).toBe("0.00");
  });

  it("write times in UTC+8", () => {
    expect(format.clock(0)).toBe("1970-01-01 08:00:00");
    expect(format.period(23, 24)).toBe("23:00\u201324:00");
    expect(format.period(95, 96)).toBe("23:45\u201324:00");
    expect(format.countdown(751_999)).toBe("00:12:31");
    expect(format.countdown(90_061_000)).toBe("1d 01:01:01");
    expect(format.countdown(-5)).toBe("00:00:00");
  });
});

describe("numbers from people", () => {
  it("become the ledger's integers", () => {
    expect(parse("price", "412.35")).toBe(412_350n);
    expect(parse("price", " -0.001 ")).toBe(-1n);
    expect(parse("energy", "1,250")).toBe(1_250_000n);
    expect(parse("percent", "65")).toBe(6_500n);
    expect(parse("percent", "65.50")).toBe(6_550n);
  });

  it.each(["", "abc", "1e5", "0x10", "1.2345", "--1", "1.2.3", "NaN", "9999999999999999"])(
    "that are none are refused: %s",
    (text) => expect(parse("price", text)).toBeNull(),
  );
});

describe("an entry", () => {
  it("knows a number, more than nothing, and nothing at all", () => {
    const entry = new Entry("energy", "2.5");
    expect([entry.value, entry.positive, entry.blank]).toEqual([2_500n, 2_500n, false]);
    entry.text = "-1";
    expect([entry.value, entry.positive]).toEqual([-1_000n, null]);
    entry.clear();
    expect([entry.value, entry.blank]).toEqual([null, true]);
  });
});

describe("nonces", () => {
  const storage = () => {
    const kept = new Map<string, string>();
    return {
      getItem: (name: string) => kept.get(name) ?? null,
      setItem: (name: string, value: string) => void kept.set(name, value),
    };
  };

  it("rise, whether or not the chain has seen the last one", () => {
    const nonces = new Nonces(storage(), "channel", "signer");
    expect([nonces.next(0n), nonces.next(0n), nonces.next(9n), nonces.next(9n)]).toEqual([
      1n,
      2n,
      10n,
      11n,
    ]);
  });

  it("of another tab are not used again", () => {
    const shared = storage();
    new Nonces(shared, "channel", "signer").next(4n);
    expect(new Nonces(shared, "channel", "signer").next(4n)).toBe(6n);
    expect(new Nonces(shared, "channel", "other").next(4n)).toBe(5n);
  });
});

describe("a summary", () => {
  it("weighs prices by energy in both stages", () => {
    const row = { session: 1, seller_price_milli_yuan_per_mwh: null, fund_fen: "0" };
    const sums = summarise([
      {
        ...row,
        period: 0,
        price_milli_yuan_per_mwh: 400_000,
        volume_kwh: 3_000,
        buyer_price_milli_yuan_per_mwh: 300_000,
        second_volume_kwh: 1_000,
        compensation_fen: "7",
      },
      {
        ...row,
        period: 1,
        price_milli_yuan_per_mwh: null,
        volume_kwh: 0,
        buyer_price_milli_yuan_per_mwh: null,
        second_volume_kwh: 0,
        compensation_fen: "0",
      },
    ]);
    expect(sums).toEqual({
      firstKwh: 3_000n,
      secondKwh: 1_000n,
      turnoverFen: 150_000n,
      averageMilliYuanPerMwh: 375_000n,
      compensationFen: 7n,
    });
  });

  it("of nothing has no average", () => {
    expect(summarise([]).averageMilliYuanPerMwh).toBeNull();
    expect(divideHalfAway(-5n, 2n)).toBe(-3n);
  });
});
