import type { PeriodClearing, Session } from "./api/types.ts";

/** What a session traded, over all periods. Exact: energy times price is whole micro-yuan. */
export interface Summary {
  firstKwh: bigint;
  secondKwh: bigint;
  turnoverFen: bigint;
  averageMilliYuanPerMwh: bigint | null;
  compensationFen: bigint;
}

export function summarise(clearings: readonly PeriodClearing[]): Summary {
  let [firstKwh, secondKwh, microYuan, compensationFen] = [0n, 0n, 0n, 0n];
  for (const row of clearings) {
    const [first, second] = [BigInt(row.volume_kwh), BigInt(row.second_volume_kwh)];
    firstKwh += first;
    secondKwh += second;
    microYuan += first * BigInt(row.price_milli_yuan_per_mwh ?? 0);
    microYuan += second * BigInt(row.buyer_price_milli_yuan_per_mwh ?? 0);
    compensationFen += BigInt(row.compensation_fen);
  }
  const energy = firstKwh + secondKwh;
  return {
    firstKwh,
    secondKwh,
    turnoverFen: divideHalfAway(microYuan, 10_000n),
    averageMilliYuanPerMwh: energy === 0n ? null : divideHalfAway(microYuan, energy),
    compensationFen,
  };
}

/** The quotient rounded half away from zero, as the ledger rounds; `divisor` is positive. */
export function divideHalfAway(value: bigint, divisor: bigint): bigint {
  const magnitude = value < 0n ? -value : value;
  const rounded = (2n * magnitude + divisor) / (2n * divisor);
  return value < 0n ? -rounded : rounded;
}

export function periodsOf({ terms }: Pick<Session, "terms">): number {
  return terms.resolution === "hour" ? 24 : 96;
}
