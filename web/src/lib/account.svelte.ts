import { api, messageOf, ProblemError } from "./api/client.ts";
import type {
  DemoOperator,
  Identity,
  Order,
  OrganisationDetail,
  Receipt,
  Unit,
} from "./api/types.ts";
import { fromHex, toHex } from "./duet/codec.ts";
import { canSign, forgetKey, importSeed, loadKey, saveKey, type OperatorKey } from "./duet/key.ts";
import { Nonces } from "./duet/nonce.ts";
import { verifyReceiptProof, type Verified } from "./duet/proof.ts";
import type { Action, OrderRequest } from "./duet/action.ts";
import { sign } from "./duet/transaction.ts";
import { market } from "./market.svelte.ts";
import { pause } from "./pause.ts";

const CHOSEN = "duet-operator";
const RECEIPT_EVERY_MS = 250;
const RECEIPT_WITHIN_MS = 30_000;
const REFRESH_MS = 400;
const TRANSACTIONS_KEPT = 1_000;
const TRIES_MAX = 4;

/** Where a request of this page stands. It never shows more than the chain has said. */
export type Progress = "submitting" | "pooled" | "final" | "refused" | "lost";

export interface Submission {
  number: number;
  kind: Action["kind"];
  order: OrderRequest | null;
  /** What is acted on (an order, a listing, a proposal ...), or what the chain has made of it. */
  orderId: number | null;
  progress: Progress;
  hash: string;
  height: number | null;
  /** The stable name of the refusal. */
  code: string;
  /** The bound that the refused value was held to, in the ledger's unit. */
  bound: string;
  field: string;
}

/** What the page has verified of a receipt by itself, with no trust in the node. */
export type ProofState = { state: "checking" } | { state: "bad"; why: string } | VerifiedProof;
export type VerifiedProof = { state: "good"; proof: Verified };

/** The operator for whom this browser signs, and the member's own business. */
class Account {
  operators: DemoOperator[] = $state.raw([]);
  able: boolean | null = $state(null);
  key: OperatorKey | null = $state.raw(null);
  identity: Identity | null = $state.raw(null);
  detail: OrganisationDetail | null = $state.raw(null);
  pending: Order[] = $state.raw([]);
  /** Orders of the session that trades, whatever became of them. */
  recent: Order[] = $state.raw([]);
  /** Orders of the session whose results are shown. */
  shownOrders: Order[] = $state.raw([]);
  submissions: Submission[] = $state([]);
  failure = $state("");
  transactions: Record<string, string> = $state({});
  proofs: Record<string, ProofState> = $state({});

  /** The organisation for whom this page acts; null for nobody. */
  organisation = $derived(this.identity?.organisation ?? null);

  /** The units that the member trades for. */
  units: Unit[] = $derived(this.detail?.units ?? []);

  canTrade = $derived(
    this.identity?.roles.some((role) => ["generator", "retailer", "large_user"].includes(role)) ??
      false,
  );

  #queue: Promise<unknown> = Promise.resolve();
  #numbers = 0;

  async start(signal: AbortSignal): Promise<void> {
    this.able = await canSign();
    let [greeted, seen] = [false, -1];
    while (!signal.aborted) {
      // A node that cannot be reached is asked again, until it can.
      greeted ||= await this.#greet().then(
        () => true,
        () => false,
      );
      if (this.key && seen !== market.ownRevision) {
        seen = market.ownRevision;
        await this.refresh().catch(() => undefined);
      }
      await pause(REFRESH_MS);
    }
  }

  /** Takes up the key that was used last, and asks whom the demo lets a newcomer trade for. */
  async #greet(): Promise<void> {
    if (!market.channel) throw new Error("the channel is not known yet");
    const operators = await api.demoOperators();
    this.operators = operators.toSorted((a, b) => a.organisation - b.organisation);
    const chosen = localStorage.getItem(CHOSEN);
    const key = chosen && this.able ? await loadKey(chosen) : undefined;
    if (key) await this.#use(key);
  }

  /** Trades as a demo operator from now on. */
  async choose(operator: DemoOperator): Promise<void> {
    this.failure = "";
    try {
      const known = await loadKey(operator.public_key);
      const key =
        known ?? (await importSeed(operator.seed_hex, operator.public_key, operator.label));
      if (!known) await saveKey(key);
      await this.#use(key);
    } catch (error) {
      this.failure = messageOf(error);
    }
  }

  /** Takes the key out of this browser. */
  async forget(): Promise<void> {
    if (this.key) await forgetKey(this.key.publicKey);
    localStorage.removeItem(CHOSEN);
    this.key = null;
    market.member = null;
    this.identity = null;
    this.detail = null;
    this.pending = [];
    this.recent = [];
    this.shownOrders = [];
  }

  async refresh(): Promise<void> {
    if (!this.identity) return;
    const owner = this.identity.organisation;
    const [session, shown] = [market.trading?.id, market.shown?.id];
    const [detail, pending, recent, other] = await Promise.all([
      api.organisation(owner),
      api.orders({ owner, status: "pending" }),
      session === undefined ? [] : api.orders({ owner, session }),
      shown === undefined || shown === session ? null : api.orders({ owner, session: shown }),
    ]);
    if (this.identity?.organisation !== owner) return;
    this.detail = detail;
    this.pending = pending;
    this.recent = recent;
    this.shownOrders = other ?? recent;
  }

  submitOrder(order: OrderRequest): void {
    this.#enqueue({ kind: "submit-order", order, orderId: null }, { kind: "submit-order", order });
  }

  cancelOrder(order: number): void {
    const action: Action = { kind: "cancel-order", order: BigInt(order) };
    this.#enqueue({ kind: action.kind, order: null, orderId: order }, action);
  }

  /** Signs and sends any other action; `about` is the number of what it acts on. */
  submit(action: Action, about: number | null = null): void {
    this.#enqueue({ kind: action.kind, order: null, orderId: about }, action);
  }

  cancelling(order: number): Submission | undefined {
    return this.requestOn(order, "cancel-order");
  }

  /** The newest request of one of the kinds that acts on this number. */
  requestOn(about: number, ...kinds: Action["kind"][]): Submission | undefined {
    return this.submissions.find((s) => kinds.includes(s.kind) && s.orderId === about);
  }

  /** The member's unit of that number, or else its first one. */
  unitOr(id: number | null): Unit | null {
    return this.units.find((unit) => unit.id === id) ?? this.units[0] ?? null;
  }

  balanceFen(kind: string): bigint {
    const found = this.detail?.balances.find((row) => row.account === kind);
    return BigInt(found?.amount_fen ?? "0");
  }

  /** Fetches the proof of a receipt and checks it here, down to the validators' signatures. */
  async verify(hash: string): Promise<void> {
    const trusted = market.channel?.channel;
    if (!trusted) return;
    this.proofs[hash] = { state: "checking" };
    try {
      const proof = await verifyReceiptProof(await api.proof(hash), trusted, hash);
      this.proofs[hash] = { state: "good", proof };
    } catch (error) {
      const why = messageOf(error);
      this.proofs[hash] = { state: "bad", why };
    }
  }

  async #use(key: OperatorKey): Promise<void> {
    this.identity = await api.identity(key.publicKey);
    this.key = key;
    market.member = this.identity.organisation;
    this.submissions = [];
    localStorage.setItem(CHOSEN, key.publicKey);
    this.transactions = this.#readTransactions();
    await this.refresh();
  }

  /** One after the other, so that nonces reach the node in their order. */
  #enqueue(about: Pick<Submission, "kind" | "order" | "orderId">, action: Action): void {
    this.#numbers += 1;
    const number = this.#numbers;
    const start = { progress: "submitting", hash: "", height: null } as const;
    const blank: Submission = { ...about, number, ...start, code: "", bound: "", field: "" };
    this.submissions = [blank, ...this.submissions].slice(0, 50);
    this.#queue = this.#queue.then(() => this.#carryOut(number, action));
  }

  #update(number: number, change: Partial<Submission>): void {
    const found = this.submissions.find((submission) => submission.number === number);
    if (found) Object.assign(found, change);
  }

  async #carryOut(number: number, action: Action): Promise<void> {
    const { key } = this;
    const channel = market.channel?.channel;
    if (!key || !channel) return;
    try {
      const hash = await this.#send(number, action, key, channel);
      this.#update(number, { progress: "pooled" });
      void this.#awaitReceipt(number, hash);
    } catch (error) {
      this.#refused(number, error);
    }
  }

  /**
   * Signs and sends. Somebody else may sign with the same key at the same time (in the demo, the
   * simulated member does); a nonce that came too late is refused at the door and drawn again.
   */
  async #send(number: number, action: Action, key: OperatorKey, channel: string): Promise<string> {
    const nonces = new Nonces(localStorage, channel, key.publicKey);
    for (let tries = 1; ; tries += 1) {
      const { last_nonce: last } = await api.identity(key.publicKey);
      const nonce = nonces.next(BigInt(last));
      const unsigned = { channel: fromHex(channel), signer: fromHex(key.publicKey), nonce, action };
      const signed = await sign(unsigned, key.privateKey);
      const hash = toHex(signed.hash);
      this.#update(number, { hash });
      try {
        await api.submit(signed.bytes);
        return hash;
      } catch (error) {
        const late = error instanceof ProblemError && error.problem.code === "stale-nonce";
        if (!late || tries === TRIES_MAX) throw error;
      }
    }
  }

  #refused(number: number, error: unknown): void {
    if (!(error instanceof ProblemError)) {
      // The bytes may have arrived: whether they did only the chain can say.
      this.#update(number, { progress: "lost", code: "network" });
      const hash = this.submissions.find((submission) => submission.number === number)?.hash;
      if (hash) void this.#awaitReceipt(number, hash);
      return;
    }
    const { code, bound, field } = error.problem;
    this.#update(number, { progress: "refused", code, bound: bound ?? "", field: field ?? "" });
  }

  async #awaitReceipt(number: number, hash: string): Promise<void> {
    const end = performance.now() + RECEIPT_WITHIN_MS;
    while (performance.now() < end) {
      const receipt = await api.receipt(hash).catch(() => null);
      if (receipt && "accepted" in receipt) {
        this.#settle(number, receipt);
        return;
      }
      await pause(RECEIPT_EVERY_MS);
    }
    this.#update(number, { progress: "lost", code: "network" });
  }

  #settle(number: number, receipt: Receipt): void {
    const submission = this.submissions.find((other) => other.number === number);
    if (!submission) return;
    const { height, code } = receipt;
    if (!receipt.accepted) {
      this.#update(number, { progress: "refused", height, code: code ?? "unknown" });
      return;
    }
    // What the member acted on keeps its number; what was made gets that of the receipt.
    const orderId = submission.orderId ?? receipt.subject;
    this.#update(number, { progress: "final", height, orderId });
    if (submission.kind === "submit-order")
      this.#keepTransaction(receipt.subject, receipt.transaction);
    void this.refresh().catch(() => undefined);
  }

  /** The ledger's order does not name its transaction, so this browser remembers its own. */
  #keepTransaction(order: number, hash: string): void {
    const all: Record<string, string> = { ...this.transactions, [order]: hash };
    const entries = Object.entries(all);
    this.transactions = Object.fromEntries(entries.slice(-TRANSACTIONS_KEPT));
    localStorage.setItem(this.#transactionsName(), JSON.stringify(this.transactions));
  }

  #readTransactions(): Record<string, string> {
    try {
      const text = localStorage.getItem(this.#transactionsName());
      return text ? (JSON.parse(text) as Record<string, string>) : {};
    } catch {
      return {};
    }
  }

  #transactionsName(): string {
    return `duet-transactions:${market.channel?.channel ?? ""}`;
  }
}

export const account = new Account();
