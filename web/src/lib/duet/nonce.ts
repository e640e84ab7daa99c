/**
 * Gives out nonces of one signer: each above the last one on the chain, above every one given out
 * here, and above those that another tab of this browser has noted.
 */
export class Nonces {
  readonly #storage: Pick<Storage, "getItem" | "setItem">;
  readonly #name: string;

  constructor(storage: Pick<Storage, "getItem" | "setItem">, channel: string, signer: string) {
    this.#storage = storage;
    this.#name = `duet-nonce:${channel}:${signer}`;
  }

  next(lastOnChain: bigint): bigint {
    const noted = BigInt(this.#storage.getItem(this.#name) ?? "0");
    const nonce = (noted < lastOnChain ? lastOnChain : noted) + 1n;
    this.#storage.setItem(this.#name, nonce.toString());
    return nonce;
  }
}
