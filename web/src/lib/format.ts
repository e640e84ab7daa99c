/**
 * Numbers for people. Inputs are the ledger's integers; there is no floating point on the way, so
 * what is shown is what is recorded.
 */

/** Writes `value / 10^scale` with exactly `decimals` digits, rounded half away from zero. */
export function fixed(value: bigint | number | string, scale: number, decimals: number): string {
  const whole = BigInt(value);
  const negative = whole < 0n;
  let magnitude = negative ? -whole : whole;
  if (decimals < scale) {
    const step = 10n ** BigInt(scale - decimals);
    magnitude = (magnitude + step / 2n) / step;
  } else {
    magnitude *= 10n ** BigInt(decimals - scale);
  }
  const digits = magnitude.toString().padStart(decimals + 1, "0");
  const integral = digits.slice(0, digits.length - decimals);
  const grouped = integral.replace(/\B(?=(\d{3})+$)/g, ",");
  const fraction = decimals > 0 ? `.${digits.slice(digits.length - decimals)}` : "";
  const sign = negative && magnitude !== 0n ? "\u2212" : "";
  return `${sign}${grouped}${fraction}`;
}

/** yuan/MWh from milli-yuan/MWh. The official precision is three decimals; a tick needs two. */
export function price(milliYuanPerMwh: number | string | bigint | null | undefined): string {
  return milliYuanPerMwh == null ? "\u2013" : fixed(milliYuanPerMwh, 3, 2);
}

/** MWh from kWh. */
export function energy(kwh: number | string | bigint | null | undefined, decimals = 3): string {
  return kwh == null ? "\u2013" : fixed(kwh, 3, decimals);
}

/** yuan from fen. */
export function money(fen: number | string | bigint | null | undefined): string {
  return fen == null ? "\u2013" : fixed(fen, 2, 2);
}

/** Tonnes from grams. */
export function tonnes(grams: string | number | bigint | null | undefined): string {
  return grams == null ? "\u2013" : fixed(grams, 6, 1);
}

/** A plain count with thousands separators. */
export function count(value: number | string | bigint | null | undefined): string {
  return value == null ? "\u2013" : fixed(value, 0, 0);
}

const UTC8_MS = 8 * 3_600_000;

/** `2026-07-06 13:05:09` in UTC+8, the market's zone. */
export function clock(unixMs: number): string {
  return new Date(unixMs + UTC8_MS).toISOString().slice(0, 19).replace("T", " ");
}

/** A moment to the minute, `2026-07-06 13:05`. */
export const clockMinute = (unixMs: number): string => clock(unixMs).slice(0, 16);

/** The same where the year goes without saying, `07-06 13:05`. */
export const dayMinute = (unixMs: number): string => clock(unixMs).slice(5, 16);

/** `13:00\u201314:00`: the period's start and end in the day. The last one ends at 24:00. */
export function period(index: number, periods: number): string {
  const minutes = 1440 / periods;
  return `${hourMinute(index * minutes)}\u2013${hourMinute((index + 1) * minutes)}`;
}

/** All periods of a day, to choose from. */
export function periodOptions(periods: number): { value: number; text: string }[] {
  return Array.from({ length: periods }, (_, value) => ({ value, text: period(value, periods) }));
}

/** `09:30` from minutes of the day. */
export function hourMinute(minutes: number): string {
  const hours = Math.floor(minutes / 60);
  return `${String(hours).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}

/** `00:12:31`, or `2d 03:00:00`; never negative. */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const days = Math.floor(seconds / 86_400);
  const clockPart = [Math.floor((seconds % 86_400) / 3600), Math.floor((seconds % 3600) / 60)]
    .concat(seconds % 60)
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
  return days > 0 ? `${days}d ${clockPart}` : clockPart;
}

/** The first and last digits of a long hash or key. */
export function shortHash(hash: string): string {
  return hash.length <= 14 ? hash : `${hash.slice(0, 8)}\u2026${hash.slice(-4)}`;
}
