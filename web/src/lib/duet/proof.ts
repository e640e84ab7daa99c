import type { ReceiptProof } from "../api/types.ts";
import { concat, Encoder, fromHex, toHex } from "./codec.ts";
import { domainHash } from "./hash.ts";

/**
 * Checks a receipt with one trust anchor, the channel id: the receipt is a leaf of its block's
 * Merkle tree; the tree's root and size make the block's receipts hash, which chained with those of
 * the blocks up to a checkpoint gives a receipts root; a header carries it; a quorum of the
 * committee finalized that header or one that descends from it; committee and genesis hash make the
 * channel id. Format: docs/spec.
 */

export interface Verified {
  height: number;
  /** 0 if the transaction was accepted, else the number of the rejection. */
  code: number;
  subject: bigint;
  /** The height of the header that the committee signed. */
  certifiedHeight: number;
  signers: number;
  validators: number;
}

type Bytes = Uint8Array<ArrayBuffer>;

const HEADER_BYTES = 184;
const LISTS_MAX = 4_096;

/** Throws an `Error` that names the first link that does not hold. */
export async function verifyReceiptProof(
  proof: ReceiptProof,
  trustedChannel: string,
  transaction: string,
): Promise<Verified> {
  demand(proof.version === 2, "unknown version");
  demand(proof.channel === trustedChannel, "another channel");
  const committee = [...new Set(proof.committee)].sort();
  demand(committee.length === proof.committee.length, "a validator is listed twice");
  demand(
    toHex(await channelOf(committee, fromHex(proof.genesis_hash))) === trustedChannel,
    "committee and genesis hash do not make the channel id",
  );
  const receipt = readReceipt(fromHex(proof.receipt));
  demand(receipt.transaction === transaction, "the receipt of another transaction");
  const { first, last } = await headerChain(proof.headers);
  await checkCheckpoint(proof, first);
  const certificate = readCertificate(fromHex(proof.certificate));
  await checkCertificate(certificate, fromHex(trustedChannel), committee, last);
  return {
    height: proof.height,
    code: receipt.code,
    subject: receipt.subject,
    certifiedHeight: last.height,
    signers: certificate.signatures.length,
    validators: committee.length,
  };
}

function demand(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

async function channelOf(committee: readonly string[], genesis: Uint8Array): Promise<Bytes> {
  const keys = concat([
    new Encoder().u32(committee.length).finish(),
    ...committee.map((key) => fromHex(key)),
  ]);
  return domainHash("duet/channel/v1", await domainHash("duet/committee/v1", keys), genesis);
}

/** Reads fixed-width fields from the front. */
class Reader {
  #rest: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#rest = bytes;
  }

  take(length: number): Uint8Array {
    demand(length <= this.#rest.length, "bytes end too early");
    const head = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return head;
  }

  integer(width: number): bigint {
    return this.take(width).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  end(): void {
    demand(this.#rest.length === 0, "bytes are left over");
  }
}

function readReceipt(bytes: Uint8Array): { transaction: string; code: number; subject: bigint } {
  const reader = new Reader(bytes);
  const receipt = {
    transaction: toHex(reader.take(32)),
    code: Number(reader.integer(2)),
    subject: reader.integer(8),
  };
  reader.end();
  return receipt;
}

interface Header {
  parent: string;
  height: number;
  digest: string;
  checkpointHeight: number;
  receiptsRoot: string;
}

async function readHeader(bytes: Uint8Array): Promise<Header> {
  demand(bytes.length === HEADER_BYTES, "a header of another length");
  const reader = new Reader(bytes);
  const parent = toHex(reader.take(32));
  const height = Number(reader.integer(8));
  reader.take(8 + 32);
  const checkpointHeight = Number(reader.integer(8));
  reader.take(32);
  const receiptsRoot = toHex(reader.take(32));
  const digest = toHex(await domainHash("duet/header/v1", bytes));
  return { parent, height, digest, checkpointHeight, receiptsRoot };
}

async function headerChain(encoded: readonly string[]): Promise<{ first: Header; last: Header }> {
  demand(encoded.length <= LISTS_MAX, "too many headers");
  const headers = await Promise.all(encoded.map((header) => readHeader(fromHex(header))));
  const [first] = headers;
  const last = headers.at(-1);
  demand(first !== undefined && last !== undefined, "no header");
  headers.reduce((parent, child) => {
    const follows = child.parent === parent.digest && child.height === parent.height + 1;
    demand(follows, "the headers are no chain");
    return child;
  });
  return { first, last };
}

async function checkCheckpoint(proof: ReceiptProof, header: Header): Promise<void> {
  demand(proof.later_blocks.length <= LISTS_MAX, "too many blocks");
  const end = proof.height + proof.later_blocks.length;
  demand(
    header.checkpointHeight === end && end < header.height,
    "the checkpoint is of another height",
  );
  const chained = (previous: Uint8Array, height: number, block: Uint8Array) =>
    domainHash("duet/receipts/v1", previous, new Encoder().u64(BigInt(height)).finish(), block);
  const previous = fromHex(proof.previous_receipts_root);
  let root = await chained(previous, proof.height, await blockReceipts(proof));
  for (const [offset, block] of proof.later_blocks.entries()) {
    root = await chained(root, proof.height + offset + 1, fromHex(block));
  }
  demand(toHex(root) === header.receiptsRoot, "the receipts do not give the checkpoint's root");
}

async function blockReceipts(proof: ReceiptProof): Promise<Bytes> {
  // Places are shifted and paired as 32-bit numbers, of which the sign takes one.
  const whole = [proof.index, proof.count].every(
    (n) => Number.isInteger(n) && n >= 0 && n < 2 ** 31,
  );
  demand(whole && proof.index < proof.count, "no such place in the block");
  let node = await domainHash("duet/merkle-leaf/v1", fromHex(proof.receipt));
  let position = proof.index;
  let width = proof.count;
  const siblings = [...proof.path];
  while (width > 1) {
    const sibling = siblings.shift();
    const exists = (position ^ 1) < width;
    demand(sibling !== undefined && (sibling !== null) === exists, "the path does not fit");
    if (sibling !== null) {
      const other = fromHex(sibling);
      const pair = position % 2 === 0 ? [node, other] : [other, node];
      node = await domainHash("duet/merkle-node/v1", ...pair);
    }
    position >>= 1;
    width = Math.ceil(width / 2);
  }
  demand(siblings.length === 0, "the path does not fit");
  return domainHash("duet/block-receipts/v1", new Encoder().u32(proof.count).finish(), node);
}

interface Certificate {
  epoch: bigint;
  view: bigint;
  parentView: bigint;
  digest: Uint8Array;
  signatures: { signer: number; signature: Bytes }[];
}

function readCertificate(bytes: Uint8Array): Certificate {
  const reader = new Reader(bytes);
  demand(reader.integer(1) === 1n, "unknown version of the certificate");
  const certificate: Certificate = {
    epoch: reader.integer(8),
    view: reader.integer(8),
    parentView: reader.integer(8),
    digest: reader.take(32),
    signatures: [],
  };
  const count = Number(reader.integer(2));
  for (let index = 0; index < count; index += 1) {
    const signer = Number(reader.integer(4));
    certificate.signatures.push({ signer, signature: concat([reader.take(64)]) });
  }
  reader.end();
  return certificate;
}

/** The places, in the committee ordered by key, of those who signed; their signatures unchecked. */
export function signersOf(certificate: string): number[] {
  return readCertificate(fromHex(certificate)).signatures.map(({ signer }) => signer);
}

async function checkCertificate(
  certificate: Certificate,
  channel: Uint8Array,
  committee: readonly string[],
  header: Header,
): Promise<void> {
  demand(toHex(certificate.digest) === header.digest, "the certificate is over another block");
  const needed = committee.length - Math.floor((committee.length - 1) / 3);
  demand(certificate.signatures.length >= needed, "no quorum has signed");
  const message = voteMessage(certificate, channel);
  let before = -1;
  for (const { signer, signature } of certificate.signatures) {
    const key = committee[signer];
    demand(before < signer && key !== undefined, "a signer twice or unknown");
    before = signer;
    const verifier = await crypto.subtle.importKey("raw", fromHex(key), "Ed25519", true, [
      "verify",
    ]);
    const valid = await crypto.subtle.verify("Ed25519", verifier, signature, message);
    demand(valid, `the signature of validator ${signer} does not verify`);
  }
}

/** What a finalize vote signs; the channel id is the namespace, lengths and numbers are LEB128. */
function voteMessage(certificate: Certificate, channel: Uint8Array): Bytes {
  const namespace = concat([channel, new TextEncoder().encode("_FINALIZE")]);
  return concat([
    varint(BigInt(namespace.length)),
    namespace,
    varint(certificate.epoch),
    varint(certificate.view),
    varint(certificate.parentView),
    certificate.digest,
  ]);
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
