import { describe, expect, it } from "vitest";
import type { StatementLine } from "../src/lib/api/types.ts";
import { csvOf, monthNumber, signedFen } from "../src/lib/statement.ts";

const line: StatementLine = {
  place: 7,
  session: 2,
  period: 3,
  item: "contract",
  unit: 4,
  trade: 5,
  payer: 6,
  payee: 8,
  energy_kwh: 1_500,
  price_milli_yuan_per_mwh: -367_500,
  amount_fen: "123456789",
};

describe("a statement", () => {
  it("counts months as the ledger does", () => {
    expect(monthNumber("1970-01")).toBe(0);
    expect(monthNumber("2026-07")).toBe(678);
  });

  it("shows what one pays as negative, and nothing for what one pays oneself", () => {
    expect(signedFen(line, 6)).toBe(-123456789n);
    expect(signedFen(line, 8)).toBe(123456789n);
    expect(signedFen({ ...line, payee: 6 }, 6)).toBe(0n);
  });

  it("is written as exact comma-separated values", () => {
    const [head, row, end] = csvOf([line]).split("\n");
    expect(head).toBe("line,period,item,unit,trade,payer,payee,kWh,yuan/MWh,yuan");
    expect(row).toBe("2/7,3,contract,4,5,6,8,1500,-367.500,1234567.89");
    expect(end).toBe("");
    const bare = csvOf([{ ...line, trade: null, price_milli_yuan_per_mwh: null }]);
    expect(bare.split("\n")[1]).toBe("2/7,3,contract,4,,6,8,1500,,1234567.89");
  });
});
