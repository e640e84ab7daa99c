/**
 * What a person types numbers of, with the decimals that each may have. The last decimal is one of
 * the ledger's integers.
 */
const DECIMALS = {
  /** yuan/MWh, in the ledger milli-yuan/MWh. */
  price: 3,
  /** MWh, in the ledger kWh. */
  energy: 3,
  /** Per cent, in the ledger basis points. */
  percent: 2,
  /** yuan, in the ledger fen; prices of allowances and certificates, too. */
  money: 2,
  /** Whole numbers: tonnes, certificates. */
  count: 0,
} as const;

export type Measure = keyof typeof DECIMALS;

/**
 * Reads what a person types into the ledger's integers, exactly. Returns null if the text is not a
 * decimal number or has more digits than the unit can hold.
 */
export function parse(measure: Measure, text: string): bigint | null {
  const decimals = DECIMALS[measure];
  const clean = text.trim().replace(/[,\uff0c\s]/g, "");
  const match = /^([+-]?)(\d{1,15})(?:[.\u3002](\d*))?$/.exec(clean);
  if (!match) return null;
  const [, sign, integral = "0", fraction = ""] = match;
  if (fraction.replace(/0+$/, "").length > decimals) return null;
  const digits = integral + fraction.slice(0, decimals).padEnd(decimals, "0");
  const magnitude = BigInt(digits);
  return sign === "-" ? -magnitude : magnitude;
}
