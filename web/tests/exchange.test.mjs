import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { openSession } from "../e2e/exchange.mjs";
import { Encoder, toHex } from "../src/lib/duet/codec.ts";

it("the end-to-end run writes the notice of a session as the ledger does", () => {
  const lines = readFileSync("../docs/spec/ledger-vectors.txt", "utf8").split("\n");
  const name = "transaction/open_session/bytes ";
  const bytes = lines.find((line) => line.startsWith(name)).slice(name.length);
  const out = new Encoder();
  openSession(out, {
    rule: 21,
    mode: (notice) => notice.u8(0),
    day: Date.UTC(2026, 6, 6) / 86_400_000,
    opens: 1_783_224_000_000n,
    closes: 1_783_231_200_000n,
    terms: {
      resolution: "quarter",
      floor_milli_yuan_per_mwh: -1_000,
      ceiling_milli_yuan_per_mwh: 1_500_000,
      tick_milli_yuan_per_mwh: 10,
      lot_kwh: 100,
      reference_price_milli_yuan_per_mwh: 350_000,
      carbon_price_fen_per_t: 8_500,
      price_numerator: 1,
      price_denominator: 2,
      rationing: "green_first",
      second_stage: "uplift",
      compensation_cap_milli_yuan_per_mwh: 50_000,
      fund_share_bp: 5_000,
      second_stage_chance_bp: 2_500,
      carbon_reference: "last_close",
    },
  });
  // Version, suite, channel, signer and nonce are ahead of it; the signature is behind it.
  expect(toHex(out.finish())).toBe(bytes.slice(148, -128));
});
