import { untrack } from "svelte";
import { isAbsent } from "./api/client.ts";
import { market } from "./market.svelte.ts";
import { pause } from "./pause.ts";

const LOOK_MS = 250;

/** What was read last: null before the first answer, and where there is no such thing. */
export interface Live<T> {
  readonly value: T | null;
  /** Whether the node has answered. */
  readonly known: boolean;
}

/**
 * Reads something while its component is shown: at once when `about` changes, and after new blocks,
 * at most every `every` milliseconds. An `about` of null has nothing to read.
 */
export function live<A, T>(
  about: () => A | null,
  read: (about: NonNullable<A>) => Promise<T>,
  every = 1_000,
): Live<T> {
  let value: T | null = $state.raw(null);
  let known = $state(false);
  const key = $derived(JSON.stringify(about()));

  $effect(() => {
    const now = key;
    const what = untrack(about);
    value = null;
    known = false;
    if (now === undefined || what === null || what === undefined) return;
    let stopped = false;
    const look = async (): Promise<void> => {
      let height = -1;
      let at = -Infinity;
      while (!stopped) {
        if (market.height !== height && performance.now() >= at + every) {
          [height, at] = [market.height, performance.now()];
          const answer = await read(what).then(
            (found) => ({ found }),
            (error: unknown) => (isAbsent(error) ? { found: null } : null),
          );
          // What cannot be read stays as it was: the header says that the node is out of reach.
          if (!stopped && answer) [value, known] = [answer.found, true];
        }
        await pause(LOOK_MS);
      }
    };
    void untrack(look);
    return () => {
      stopped = true;
    };
  });

  return {
    get value() {
      return value;
    },
    get known() {
      return known;
    },
  };
}

/** Reads a list that only grows: each time no more than the rows behind the last one. */
export function growing<T extends { id: number }>(
  behind: (last: number | undefined) => Promise<T[]>,
): () => Promise<T[]> {
  const rows: T[] = [];
  return async () => {
    rows.push(...(await behind(rows.at(-1)?.id)));
    return [...rows];
  };
}
