import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { contractHash, encodeAction, type Action, type Side } from "../src/lib/duet/action.ts";
import { Encoder, fromHex, toHex } from "../src/lib/duet/codec.ts";
import { importSeed } from "../src/lib/duet/key.ts";
import { sign } from "../src/lib/duet/transaction.ts";
import chain from "./contract-vectors.json";

const lines = readFileSync("../docs/spec/ledger-vectors.txt", "utf8").split("\n");
const vector = (key: string) =>
  lines.find((line) => line.startsWith(`${key} `))?.slice(key.length + 1) ?? "";

// Version, suite, channel, signer and nonce are ahead of an action; the signature is behind it.
const HEAD_DIGITS = 2 * (1 + 1 + 32 + 32 + 8);
const SIGNATURE_DIGITS = 2 * 64;

const golden: Record<string, Action> = {
  carbon_list: { kind: "carbon-list", side: "sell", allowancesT: 1n, priceFenPerT: 2n },
  carbon_take: { kind: "carbon-take", side: "sell", allowancesT: 1n, limitFenPerT: 2n },
  carbon_withdraw: { kind: "carbon-withdraw", order: 3n },
  carbon_bid: { kind: "carbon-bid", bidding: 3n, allowancesT: 1n, priceFenPerT: 2n },
  carbon_cover: { kind: "carbon-cover", year: 2026, allowancesT: 1n },
  offer_certificates: {
    kind: "certificate-offer",
    lot: 15n,
    count: 16n,
    priceFen: 500n,
    buyer: 3,
  },
  take_offer: { kind: "certificate-take", offer: 19n, count: 21n },
  withdraw_offer: { kind: "certificate-withdraw", offer: 19n },
  claim_certificates: {
    kind: "certificate-claim",
    lot: 15n,
    count: 18n,
    beneficiary: 3,
    year: 2026,
  },
  object_statement: {
    kind: "statement-object",
    month: 678,
    session: 1,
    place: 2,
    reason: "read again",
  },
};

/** An action of the chain, from the JSON in which a block shows it. */
function actionOf(shown: (typeof chain.cases)[number]["action"]): Action {
  if ("curve" in shown && shown.curve) {
    return { kind: "contract-propose", terms: termsOf(shown) };
  }
  if ("listing" in shown) {
    return {
      kind: "listing-take",
      take: {
        listing: BigInt(shown.listing ?? 0),
        unit: shown.unit ?? 0,
        quantityKwh: BigInt(shown.quantity_kwh ?? 0),
        reference: BigInt(shown.reference ?? 0),
      },
    };
  }
  const { proposal, hash } = shown;
  return {
    kind: "contract-confirm",
    proposal: BigInt(proposal ?? 0),
    hash: fromHex(hash ?? ""),
  };
}

function termsOf(shown: (typeof chain.cases)[number]["action"]) {
  return {
    session: shown.session ?? 0,
    unit: shown.unit ?? 0,
    counterparty: shown.counterparty ?? 0,
    side: shown.side as Side,
    priceMilliYuanPerMwh: BigInt(shown.price_milli_yuan_per_mwh ?? 0),
    curve: (shown.curve ?? []).map((point) => ({
      period: point.period,
      energyKwh: BigInt(point.energy_kwh),
    })),
    allowances: null,
    certificates: null,
    reference: BigInt(shown.reference ?? 0),
  };
}

describe("canonical bytes", () => {
  it.each(Object.entries(golden))("of %s are those of docs/spec/ledger.md", (name, action) => {
    const bytes = vector(`transaction/${name}/bytes`);
    expect(bytes).not.toBe("");
    const out = new Encoder();
    encodeAction(out, action);
    expect(toHex(out.finish())).toBe(bytes.slice(HEAD_DIGITS, -SIGNATURE_DIGITS));
  });

  // Ed25519 signs the same bytes alike, so that the hash tells of every byte.
  it.each(chain.cases)("of $action.kind are those of a chain's transaction", async (found) => {
    const { privateKey } = await importSeed(found.seed, found.public_key, "test");
    const unsigned = {
      channel: fromHex(chain.channel),
      signer: fromHex(found.public_key),
      nonce: BigInt(found.nonce),
      action: actionOf(found.action),
    };
    expect(toHex((await sign(unsigned, privateKey)).hash)).toBe(found.hash);
  });

  it("of a contract's terms give the hash that both parties sign", async () => {
    const shown = chain.cases[0]?.action;
    if (!shown) throw new Error("no contract");
    expect(toHex(await contractHash(termsOf(shown)))).toBe(chain.contract_hash);
    const other = { ...termsOf(shown), priceMilliYuanPerMwh: 1n };
    expect(toHex(await contractHash(other))).not.toBe(chain.contract_hash);
  });

  it("of a contract carry what goes with it", () => {
    const shown = chain.cases[0]?.action;
    if (!shown) throw new Error("no contract");
    const legs = {
      allowances: { allowancesT: 1n, priceFenPerT: 2n },
      certificates: { lot: 3n, count: 4n, priceFen: 5n },
    };
    const out = new Encoder();
    const terms = { ...termsOf(shown), ...legs, curve: [] };
    encodeAction(out, { kind: "contract-propose", terms });
    const tail = `${"00000000"}01${u64(1)}${u64(2)}01${u64(3)}${u64(4)}${u64(0)}${u64(5)}${u64(0)}`;
    expect(toHex(out.finish()).endsWith(tail)).toBe(true);
  });

  it("refuse a text that the ledger has no room for", () => {
    expect(() => new Encoder().text("\u7535".repeat(86))).toThrow(RangeError);
    expect(toHex(new Encoder().text("\u7535").finish())).toBe("00000003e794b5");
  });
});

const u64 = (value: number) => value.toString(16).padStart(16, "0");
