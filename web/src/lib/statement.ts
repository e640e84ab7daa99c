import type { StatementLine } from "./api/types.ts";
import { fixed } from "./format.ts";

/** Months since 1970-01 of `2026-07`, as the ledger counts them. */
export function monthNumber(month: string): number {
  const [year = "", number = ""] = month.split("-");
  return (Number(year) - 1970) * 12 + Number(number) - 1;
}

/** What the organisation pays with a line (negative) or is paid. */
export function signedFen(line: StatementLine, organisation: number): bigint {
  const amount = BigInt(line.amount_fen);
  if (line.payer === line.payee) return 0n;
  return line.payer === organisation ? -amount : amount;
}

/** The columns of `duet statement show --format csv`, but for the formula. */
const HEAD = [
  "line",
  "period",
  "item",
  "unit",
  "trade",
  "payer",
  "payee",
  "kWh",
  "yuan/MWh",
  "yuan",
];

/** Lines as comma-separated values, exact, with a plain point and without thousands separators. */
export function csvOf(lines: readonly StatementLine[]): string {
  const plain = (value: string | number, scale: number) =>
    fixed(value, scale, scale).replaceAll(",", "").replace("\u2212", "-");
  const rows = lines.map((line) => [
    `${line.session}/${line.place}`,
    line.period,
    line.item,
    line.unit,
    line.trade ?? "",
    line.payer,
    line.payee,
    line.energy_kwh,
    line.price_milli_yuan_per_mwh == null ? "" : plain(line.price_milli_yuan_per_mwh, 3),
    plain(line.amount_fen, 2),
  ]);
  return [HEAD, ...rows].map((row) => `${row.join(",")}\n`).join("");
}
