import { encodeAction, type Action } from "./action.ts";
import { concat, Encoder } from "./codec.ts";
import { domainHash } from "./hash.ts";

/** The version and the signature suite (Ed25519) that this page writes. */
const VERSION = 1;
const SUITE_ED25519 = 1;
const SIGNING_DOMAIN = new TextEncoder().encode("duet/transaction/v1");

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

/** Signs with the key of `unsigned.signer`; the key never leaves the browser's key store. */
export async function sign(unsigned: Unsigned, key: CryptoKey): Promise<Signed> {
  const body = unsignedBytes(unsigned);
  const message = concat([SIGNING_DOMAIN, body]);
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", key, message));
  const bytes = concat([body, signature]);
  return { bytes, hash: await transactionHash(bytes) };
}

export async function transactionHash(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return domainHash("duet/transaction-hash/v1", bytes);
}
