import { describe, expect, it } from "vitest";
import { Encoder, fromHex, toHex } from "../src/lib/duet/codec.ts";
import { importSeed } from "../src/lib/duet/key.ts";
import { sign, unsignedBytes, type Action } from "../src/lib/duet/transaction.ts";
import vectors from "./vectors.json";

// The vectors were written by the ledger itself: bytes, signature and hash must be the same here.
const order = {
  session: 3,
  unit: 0x01020304,
  side: "sell" as const,
  period: 23,
  limitMilliYuanPerMwh: 364_400n,
  quantityKwh: 450_000n,
  conductivityBp: 6_500n,
  reference: 0xffff_ffff_ffff_ffffn,
};
const actions: Record<string, Action> = {
  "buy order": {
    kind: "submit-order",
    order: {
      ...order,
      side: "buy",
      limitMilliYuanPerMwh: 412_350n,
      quantityKwh: 120_000n,
      conductivityBp: 0n,
      reference: 1n,
    },
  },
  "sell order": { kind: "submit-order", order },
  "negative limit": {
    kind: "submit-order",
    order: {
      ...order,
      limitMilliYuanPerMwh: -1n,
      quantityKwh: 9_007_199_254_740_993n,
      conductivityBp: 10_000n,
      reference: 0n,
    },
  },
  "cancel order": { kind: "cancel-order", order: 0x1122334455667788n },
};

describe("canonical bytes", () => {
  it.each(vectors.cases)("of a $name are those of the ledger", async (vector) => {
    const action = actions[vector.name];
    if (!action) throw new Error(`no action for ${vector.name}`);
    const unsigned = {
      channel: fromHex(vectors.channel),
      signer: fromHex(vectors.public_key),
      nonce: BigInt(vector.nonce),
      action,
    };
    expect(toHex(unsignedBytes(unsigned))).toBe(vector.unsigned);
    const { privateKey } = await importSeed(vectors.seed, vectors.public_key, "test");
    const signed = await sign(unsigned, privateKey);
    expect(toHex(signed.bytes)).toBe(vector.transaction);
    expect(toHex(signed.hash)).toBe(vector.hash);
  });

  it("refuse numbers that do not fit", () => {
    expect(() => new Encoder().u8(256)).toThrow(RangeError);
    expect(() => new Encoder().u64(-1n)).toThrow(RangeError);
    expect(() => new Encoder().i64(1n << 63n)).toThrow(RangeError);
    expect(toHex(new Encoder().i64(-(1n << 63n)).finish())).toBe("8000000000000000");
  });
});

describe("a key", () => {
  it("cannot be read out again", async () => {
    const { privateKey } = await importSeed(vectors.seed, vectors.public_key, "test");
    expect(privateKey.extractable).toBe(false);
    await expect(crypto.subtle.exportKey("pkcs8", privateKey)).rejects.toThrow();
  });

  it("that does not fit its public key is refused", async () => {
    const other = `00${vectors.seed.slice(2)}`;
    await expect(importSeed(other, vectors.public_key, "test")).rejects.toThrow(/does not belong/);
  });
});
