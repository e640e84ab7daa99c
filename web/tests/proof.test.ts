import { describe, expect, it } from "vitest";
import { verifyReceiptProof } from "../src/lib/duet/proof.ts";
import good from "./receipt-proof.json";

// Written by a node of a four-validator demo; `duet verify receipt` accepts it.
const channel = good.channel;
const transaction = good.receipt.slice(0, 64);

/** The proof with one hex digit of a field changed. */
function spoilt(text: string, at: number): string {
  const digit = text[at] === "0" ? "1" : "0";
  return text.slice(0, at) + digit + text.slice(at + 1);
}

describe("a receipt proof", () => {
  it("of a real node holds", async () => {
    expect(await verifyReceiptProof(good, channel, transaction)).toEqual({
      height: 169,
      code: 0,
      subject: 711n,
      certifiedHeight: 171,
      signers: 3,
      validators: 4,
    });
  });

  it("of another channel or transaction is refused", async () => {
    await expect(verifyReceiptProof(good, "00".repeat(32), transaction)).rejects.toThrow(/channel/);
    await expect(verifyReceiptProof(good, channel, "00".repeat(32))).rejects.toThrow(/another/);
  });

  it.each(["receipt", "previous_receipts_root", "genesis_hash", "certificate"] as const)(
    "with any changed byte of its %s is refused",
    async (field) => {
      const text = good[field];
      for (let at = 1; at < text.length; at += 14) {
        const proof = { ...good, [field]: spoilt(text, at) };
        await expect(
          verifyReceiptProof(proof, channel, transaction),
          `${field} at ${at}`,
        ).rejects.toThrow();
      }
    },
  );

  it("of any other place or count is refused", async () => {
    const full = good.path.filter((sibling) => sibling !== null);
    for (let count = 0; count <= 9; count += 1) {
      for (let index = -1; index <= count; index += 1) {
        if (index === good.index && count === good.count) continue;
        for (const path of [good.path, full]) {
          const proof = { ...good, index, count, path };
          const place = `${index} of ${count}`;
          await expect(verifyReceiptProof(proof, channel, transaction), place).rejects.toThrow();
        }
      }
    }
    // The last of seven, without the step at which it is handed up, has the path of the last of four.
    const moved = { ...good, index: 3, count: 4, path: full };
    await expect(verifyReceiptProof(moved, channel, transaction)).rejects.toThrow(
      /checkpoint's root/,
    );
  });

  it("with a changed header is refused", async () => {
    const [header = ""] = good.headers;
    const headers = [spoilt(header, 300)];
    await expect(verifyReceiptProof({ ...good, headers }, channel, transaction)).rejects.toThrow();
  });

  it("signed by too few is refused", async () => {
    // The count says two, and one signature of 68 bytes is gone.
    const certificate = `${good.certificate.slice(0, 114)}0002${good.certificate.slice(118, -136)}`;
    await expect(
      verifyReceiptProof({ ...good, certificate }, channel, transaction),
    ).rejects.toThrow(/quorum/);
  });

  it("with a committee of its own making is refused", async () => {
    const committee = good.committee.toReversed().slice(1);
    await expect(verifyReceiptProof({ ...good, committee }, channel, transaction)).rejects.toThrow(
      /channel id/,
    );
  });
});
