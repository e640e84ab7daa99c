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
      height: 524,
      code: 0,
      subject: 2578n,
      certifiedHeight: 526,
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
