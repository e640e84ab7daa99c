import { describe, expect, it } from "vitest";
import { levelsOf } from "../src/lib/levels.ts";

describe("five levels", () => {
  it("go from the worst ask down to the worst bid", () => {
    const levels = levelsOf([41, 42], [40, 39, 38, 37, 36, 35]);
    expect(levels.map(({ level }) => level)).toEqual([
      ...[undefined, undefined, undefined, 42, 41],
      ...[40, 39, 38, 37, 36],
    ]);
    expect(new Set(levels.map(({ name }) => name)).size).toBe(10);
  });

  it("part at the best bid", () => {
    const parting = levelsOf([], [40]).filter(({ parts }) => parts);
    expect(parting).toMatchObject([{ side: "buy", level: 40 }]);
  });
});
