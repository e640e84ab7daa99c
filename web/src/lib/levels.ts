import type { Side } from "./duet/action.ts";
import { m } from "../paraglide/messages";

/** How many prices of each side a book shows. */
const LEVELS = 5;

export interface Level<T> {
  name: string;
  side: Side;
  /** The best bid, below which the sides part. */
  parts: boolean;
  /** What stands at this price; nothing where the book is thinner. */
  level: T | undefined;
}

/**
 * Five levels as a price ladder: asks from the worst to the best, then bids from the best to the
 * worst. Both lists come with the best first.
 */
export function levelsOf<T>(asks: readonly T[], bids: readonly T[]): Level<T>[] {
  const numbers = Array.from({ length: LEVELS }, (_, index) => index);
  const level = (side: Side, index: number): Level<T> => ({
    name: side === "sell" ? m.level_ask({ n: index + 1 }) : m.level_bid({ n: index + 1 }),
    side,
    parts: side === "buy" && index === 0,
    level: (side === "sell" ? asks : bids)[index],
  });
  return [
    ...numbers.toReversed().map((index) => level("sell", index)),
    ...numbers.map((index) => level("buy", index)),
  ];
}
