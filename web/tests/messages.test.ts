import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { missingMessages } from "../messages-complete.ts";
import { m } from "../src/paraglide/messages";

describe("texts", () => {
  it("exist in every language", () => {
    expect(missingMessages("messages")).toEqual([]);
  });

  it("explain every rejection of the ledger", () => {
    const source = readFileSync("../crates/ledger/src/rejection.rs", "utf8");
    const names = [...source.matchAll(/^ {4}\d{3} \w+ "([a-z-]+)"/gm)].map((match) => match[1]);
    expect(names.length).toBeGreaterThan(50);
    const without = names.filter((name) => !(`r_${name?.replaceAll("-", "_")}` in m));
    expect(without).toEqual([]);
  });
});
