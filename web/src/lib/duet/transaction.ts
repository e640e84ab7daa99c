import { concat, Encoder } from "./codec.ts";

/** The version and the signature suite (Ed25519) that this page writes. */
const VERSION = 1;
const SUITE_ED25519 = 1;
const SIGNING_DOMAIN = new TextEncoder().encode("duet/transaction/v1");
const HASH_DOMAIN = new TextEncoder().encode("duet/transaction-hash/v1");

export type Side = "buy" | "sell";

export interface OrderRequest {
  session: number;
  unit: number;
  side: Side;
  /** The delivery period within the day, counted from 0. */
  period: number;
  /** The limit price; of a sell order, without carbon. */
  limitMilliYuanPerMwh: bigint;
  quantityKwh: bigint;
  /** The declared conductivity; 0 for a buy order. */
  conductivityBp: bigint;
  /** The owner's own reference, for its records. */
  reference: bigint;
}

/** What this page can ask for; the tags are those of the ledger's actions. */
export type Action =
  { kind: "submit-order"; order: OrderRequest } | { kind: "cancel-order"; order: bigint };

export interface Unsigned {
  /** The hash of the channel's genesis, so that the transaction is of no use elsewhere. */
  channel: Uint8Array;
  /** The signer's Ed25519 public key. */
  signer: Uint8Array;
  /** Above every nonce that the signer used before on this channel. */
  nonce: bigint;
  action: Action;
}

export interface Signed {
  bytes: Uint8Array<ArrayBuffer>;
  /** The hash by which receipts name the transaction. */
  hash: Uint8Array<ArrayBuffer>;
}

/** The canonical bytes without the signature: version, suite, channel, signer, nonce, action. */
export function unsignedBytes(unsigned: Unsigned): Uint8Array<ArrayBuffer> {
  const encoder = new Encoder()
    .u8(VERSION)
    .u8(SUITE_ED25519)
    .fixed(unsigned.channel, 32)
    .fixed(unsigned.signer, 32)
    .u64(unsigned.nonce);
  encodeAction(encoder, unsigned.action);
  return encoder.finish();
}

function encodeAction(encoder: Encoder, action: Action): void {
  switch (action.kind) {
    case "submit-order": {
      const order = action.order;
      encoder
        .u8(1)
        .u32(order.session)
        .u32(order.unit)
        .u8(order.side === "buy" ? 0 : 1)
        .u8(order.period)
        .i64(order.limitMilliYuanPerMwh)
        .i64(order.quantityKwh)
        .i64(order.conductivityBp)
        .u64(order.reference)
        // Until the session ends.
        .u8(0);
      return;
    }
    case "cancel-order":
      encoder.u8(2).u64(action.order);
  }
}

/** Signs with the key of `unsigned.signer`; the key never leaves the browser's key store. */
export async function sign(unsigned: Unsigned, key: CryptoKey): Promise<Signed> {
  const body = unsignedBytes(unsigned);
  const message = concat([SIGNING_DOMAIN, body]);
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", key, message));
  const bytes = concat([body, signature]);
  return { bytes, hash: await transactionHash(bytes) };
}

export async function transactionHash(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concat([HASH_DOMAIN, bytes])));
}
