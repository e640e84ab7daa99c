import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Encoder, fromHex, toHex } from "../src/lib/duet/codec.ts";
import { importSeed } from "../src/lib/duet/key.ts";
import type { Action } from "../src/lib/duet/action.ts";
import { sign, unsignedBytes } from "../src/lib/duet/transaction.ts";
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

  it.each(["submit_order", "cancel_order"])(
    "of %s are those of docs/spec/ledger.md",
    async (name) => {
      const lines = readFileSync("../docs/spec/ledger-vectors.txt", "utf8").split("\n");
      const vector = (key: string) =>
        lines.find((line) => line.startsWith(`${key} `))?.slice(key.length + 1) ?? "";
      const bytes = vector(`transaction/${name}/bytes`);
      const signer = vector("key/public");
      const { privateKey } = await importSeed(vector("key/seed"), signer, "test");
      const action: Action =
        name === "cancel_order"
          ? { kind: "cancel-order", order: BigInt(`0x${bytes.slice(150, 166)}`) }
          : {
              kind: "submit-order",
              order: {
                session: 1,
                unit: 4,
                side: "sell",
                period: 5,
                limitMilliYuanPerMwh: -367_500n,
                quantityKwh: 450_000n,
                conductivityBp: 6_500n,
                reference: BigInt(`0x${bytes.slice(218, 234)}`),
              },
            };
      const channel = fromHex(bytes.slice(4, 68));
      const nonce = 0x0102030405060708n;
      const signed = await sign({ channel, signer: fromHex(signer), nonce, action }, privateKey);
      expect(toHex(signed.bytes)).toBe(bytes);
      expect(toHex(signed.hash)).toBe(vector(`transaction/${name}/hash`));
    },
  );

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
