import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { LedgerEvent } from "../src/lib/api/types.ts";
import { concerns, isForReaders, ownerOf } from "../src/lib/facts.ts";
import { eventText, phaseText } from "../src/lib/texts.ts";
import { m } from "../src/paraglide/messages";

interface Variant {
  properties: { kind: { enum: [string] } };
}
const { schemas } = JSON.parse(readFileSync("../docs/openapi.json", "utf8")).components as {
  schemas: { Event: { oneOf: Variant[] }; Phase: { enum: string[] } };
};
const kinds = schemas.Event.oneOf.map((variant) => variant.properties.kind.enum[0]);
const bare = (kind: string) => ({ kind }) as unknown as LedgerEvent;

describe("facts", () => {
  it("have a text each", () => {
    expect(kinds.length).toBeGreaterThan(60);
    expect(kinds.filter((kind) => !(`event_${kind}` in m))).toEqual([]);
    expect(schemas.Phase.enum.filter((phase) => !(`phase_${phase}` in m))).toEqual([]);
  });

  it("break nothing, even of a newer ledger or with fields that are missing", () => {
    for (const kind of [...kinds, "made_up_later"]) {
      expect(() => concerns(bare(kind)), kind).not.toThrow();
      expect(eventText(bare(kind)), kind).not.toBe("");
    }
    expect(eventText(bare("made_up_later"))).toBe(m.event_unknown());
    expect(phaseText("made_up_later" as "open")).not.toBe("");
  });

  it("say what is to be read again", () => {
    expect(concerns(bare("session_cleared"))).toEqual(["sessions", "clearings", "account"]);
    expect(concerns(bare("session_settled"))).toContain("carbon");
    expect(concerns(bare("certificates_expired"))).toEqual(["carbon", "account"]);
    expect(concerns(bare("health_reported"))).toEqual(["devices"]);
    expect(concerns(bare("made_up_later"))).toEqual(["account"]);
  });

  it("of one order concern its owner only", () => {
    expect(ownerOf({ kind: "order_accepted", order: 1, session: 1, owner: 7 })).toBe(7);
    expect(ownerOf({ kind: "carbon_order_ended", order: 1, owner: 8 })).toBe(8);
    expect(ownerOf(bare("session_cleared"))).toBeNull();
  });

  it("that come by the thousand are not messages", () => {
    expect(isForReaders(bare("trade_made"))).toBe(false);
    expect(isForReaders(bare("carbon_order_accepted"))).toBe(false);
    expect(isForReaders(bare("contract_confirmed"))).toBe(true);
    expect(isForReaders(bare("carbon_day_closed"))).toBe(true);
  });

  it("are told with their numbers", () => {
    const dealt = { deal: 1, order: 2, allowances_t: 1_200, price_fen_per_t: 6_050 };
    expect(eventText({ kind: "allowances_dealt", ...dealt })).toMatch(/1,200 .*60\.50 /);
    const enrolled = { kind: "device_enrolled", unit: 12, device: "00" } as LedgerEvent;
    expect(eventText(enrolled)).toMatch(/#12$/);
    expect(eventText(enrolled)).not.toContain("undefined");
  });
});
