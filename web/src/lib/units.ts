/**
 * Reads what a person types into the ledger's integers, exactly. Returns null if the text is not a
 * decimal number or has more digits than the unit can hold.
 */
export function parseDecimal(text: string, scale: number): bigint | null {
  const clean = text.trim().replace(/[,\uff0c\s]/g, "");
  const match = /^([+-]?)(\d{1,15})(?:[.\u3002](\d*))?$/.exec(clean);
  if (!match) return null;
  const [, sign, integral = "0", fraction = ""] = match;
  if (fraction.replace(/0+$/, "").length > scale) return null;
  const digits = integral + fraction.slice(0, scale).padEnd(scale, "0");
  const magnitude = BigInt(digits);
  return sign === "-" ? -magnitude : magnitude;
}

/** milli-yuan/MWh from a price in yuan/MWh. */
export const parsePrice = (text: string): bigint | null => parseDecimal(text, 3);
/** kWh from MWh. */
export const parseEnergy = (text: string): bigint | null => parseDecimal(text, 3);
/** Basis points from per cent. */
export const parsePercent = (text: string): bigint | null => parseDecimal(text, 2);
