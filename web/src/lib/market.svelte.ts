import { api, messageOf } from "./api/client.ts";
import { signersOf } from "./duet/proof.ts";
import { follow, type Message, type StreamListener } from "./api/events.ts";
import type {
  CarbonAccount,
  Channel,
  Device,
  FinalEvent,
  LedgerEvent,
  Organisation,
  OrganisationDetail,
  PeriodClearing,
  PublishedRule,
  Session,
  Status,
  Unit,
} from "./api/types.ts";
import { pause } from "./pause.ts";
import { concerns, isForReaders, ownerOf } from "./facts.ts";
import { clearedOf, jointOf, liveOf, tradingOf } from "./sessions.ts";

/** Without a new block for so long the page says that its data are late. */
const STALE_MS = 5_000;
const STATUS_EVERY_MS = 1_000;
const TICK_MS = 250;
/** The carbon of all members is many requests: not more often than this. */
const CARBON_EVERY_MS = 5_000;
/** Gateways report often: their boards are not read more often than this. */
const DEVICES_EVERY_MS = 3_000;
const LOG_LENGTH = 60;
/** How many blocks later a header vouches for a height at the latest, as far as this page looks. */
const CHECKPOINT_WITHIN = 4;
/** How far back the messages of the market are read when the page opens. */
const RECENT_BLOCKS = 300;

/** The carbon side of all members together. */
export interface CarbonTotals {
  freeT: bigint;
  surrenderedT: bigint;
  emissionsG: bigint;
  certificates: { issued: bigint; transferred: bigint; retired: bigint };
}

/** What a quorum has signed. */
export interface CertifiedBlock {
  height: number;
  /** The height whose execution the header vouches for, and the state's root after it. */
  checkpoint: number;
  stateRoot: string;
  /** Whether this node had the same root at that height; null if it was not asked then. */
  equal: boolean | null;
}

export interface LoggedFact {
  height: number;
  index: number;
  event: LedgerEvent;
}

/** What is known of the market, kept fresh by the stream of final events. */
class Market {
  status: Status | null = $state.raw(null);
  channel: Channel | null = $state.raw(null);
  /** All sessions that the node still has. */
  all: Session[] = $state.raw([]);
  /** Those of the joint market. */
  sessions: Session[] = $derived(jointOf(this.all));
  /** Those that one can trade in now or later. */
  live: Session[] = $derived(liveOf(this.all));
  /** The published rules of the market. */
  rules: PublishedRule[] = $state.raw([]);
  organisations: ReadonlyMap<number, Organisation> = $state.raw(new Map());
  units: ReadonlyMap<number, Unit> = $state.raw(new Map());
  clearings: PeriodClearing[] = $state.raw([]);
  /** The session whose results are shown; null follows the last one that has cleared. */
  chosen: number | null = $state(null);
  /** The session that the member chose to trade in; null follows the joint market. */
  traded: number | null = $state(null);
  carbon: CarbonTotals | null = $state.raw(null);
  /** The gateways that have reported. */
  devices: Device[] = $state.raw([]);
  log: LoggedFact[] = $state.raw([]);
  /** The last block whose certificate this page has read. */
  certified: CertifiedBlock | null = $state.raw(null);
  /** The last such block that each validator signed, in the order of the committee. */
  signed: readonly (number | undefined)[] = $state.raw([]);
  /** How many signed the last certificate that was read. */
  signers = $state(0);
  /** Whether the stream of events is open. */
  connected = $state(false);
  /** The page's clock, a quarter of a second apart. */
  now = $state(performance.now());
  height = $state(0);
  /** When this page saw the last block, on its own clock. */
  blockSeenAt = $state(performance.now());
  /** How fast the market's clock runs: 1 outside a demo. */
  pace = $state(1);
  /** Why the last request failed; empty if it did not. */
  failure = $state("");
  /** The organisation for which this page trades. */
  member: number | null = null;
  /** Counts what may have changed something about the member's own account. */
  ownRevision = $state(0);

  /** The chosen session, or the joint one that takes orders or will next. */
  trading: Session | null = $derived(
    this.all.find((session) => session.id === this.traded) ?? tradingOf(this.sessions),
  );

  /** The last session that has cleared. */
  cleared: Session | null = $derived(clearedOf(this.sessions));

  /** The session whose results are shown. */
  shown: Session | null = $derived.by(() => {
    const chosen = this.all.find((session) => session.id === this.chosen);
    return chosen ?? this.cleared ?? this.trading;
  });

  finalityAgeMs = $derived(Math.max(0, this.now - this.blockSeenAt));
  stale = $derived(!this.connected || this.failure !== "" || this.finalityAgeMs > STALE_MS);

  /** The market's time now, carried forward from the last status. */
  clockMs = $derived.by(() => {
    if (!this.status) return null;
    return this.status.now_ms + Math.min(this.now - this.#statusAt, STALE_MS) * this.pace;
  });

  #statusAt = $state(performance.now());
  #dirty = new Set<"sessions" | "clearings" | "carbon" | "members" | "devices" | "rules">();
  #carbonAt = -CARBON_EVERY_MS;
  #devicesAt = -DEVICES_EVERY_MS;
  #earlier: { height: number; stateRoot: string } | null = null;
  #shownId: number | null = null;
  #observed: { wall: number; chain: number }[] = [];

  /** Reads everything, then follows the chain until `signal` aborts. */
  start(signal: AbortSignal): void {
    this.#dirty = new Set(["members", "sessions", "rules", "clearings", "carbon", "devices"]);
    const listener = {
      connected: (yes: boolean) => {
        if (yes && !this.connected) this.#dirty.add("sessions").add("clearings");
        this.connected = yes;
      },
      message: (message: Message) => this.#heard(message),
    };
    void this.#followFromRecent(listener, signal);
    const timer = setInterval(() => (this.now = performance.now()), TICK_MS);
    signal.addEventListener("abort", () => clearInterval(timer));
    void this.#keepFresh(signal);
  }

  /** Begins a little in the past, so that the messages of the last minutes are there, too. */
  async #followFromRecent(listener: StreamListener, signal: AbortSignal): Promise<void> {
    while (this.height === 0 && !signal.aborted) {
      await pause(TICK_MS);
    }
    const from = Math.max(0, this.height - RECENT_BLOCKS);
    await follow(`/v1/events?blocks=true&after=${from}.0`, listener, signal);
  }

  async #keepFresh(signal: AbortSignal): Promise<void> {
    let statusDue = 0;
    while (!signal.aborted) {
      try {
        if (statusDue <= performance.now()) {
          statusDue = performance.now() + STATUS_EVERY_MS;
          await this.#readStatus();
        }
        await this.#readDirty();
        this.failure = "";
      } catch (error) {
        this.failure = messageOf(error);
      }
      await pause(TICK_MS);
    }
  }

  async #readStatus(): Promise<void> {
    const status = await api.status();
    const wall = performance.now();
    this.#observed = [...this.#observed.slice(-9), { wall, chain: status.now_ms }];
    const first = this.#observed[0];
    if (first && wall - first.wall > 2_000) {
      this.pace = Math.max(0, (status.now_ms - first.chain) / (wall - first.wall));
    }
    this.status = status;
    this.#statusAt = wall;
    this.#saw(status.height);
    if (!this.channel) this.channel = await api.channel();
    await this.#compareRoots();
    this.#earlier = { height: status.height, stateRoot: status.state_root };
  }

  /**
   * Holds the state root that this node had a moment ago to the one that a quorum has signed since:
   * the header of one of the next blocks vouches for it.
   */
  async #compareRoots(): Promise<void> {
    const own = this.#earlier;
    if (!own || own.height === this.certified?.checkpoint) return;
    for (let height = own.height + 1; height <= own.height + CHECKPOINT_WITHIN; height += 1) {
      if (height > this.height) return;
      const block = await api.block(height);
      this.#readSigners(height, block.certificate);
      if (block.checkpoint_height < own.height) continue;
      const equal =
        block.checkpoint_height === own.height ? block.state_root === own.stateRoot : null;
      const { checkpoint_height: checkpoint, state_root: stateRoot } = block;
      this.certified = { height, checkpoint, stateRoot, equal };
      return;
    }
  }

  #readSigners(height: number, certificate: string | null | undefined): void {
    if (!certificate) return;
    const signed = [...this.signed];
    const signers = signersOf(certificate);
    for (const signer of signers) signed[signer] = height;
    this.signed = signed;
    this.signers = signers.length;
  }

  #saw(height: number): void {
    if (height <= this.height) return;
    this.height = height;
    this.blockSeenAt = performance.now();
    this.now = this.blockSeenAt;
  }

  #heard(message: Message): void {
    if (message.event === "gap") {
      this.#dirty.add("sessions").add("clearings").add("carbon");
      this.ownRevision += 1;
      return;
    }
    let fact: FinalEvent;
    try {
      fact = JSON.parse(message.data) as FinalEvent;
    } catch {
      return;
    }
    this.#saw(fact.height);
    if (!fact.event) return;
    this.#note(fact);
    const event = fact.event;
    for (const what of concerns(event)) {
      if (what !== "account") this.#dirty.add(what);
      else if ((ownerOf(event) ?? this.member) === this.member) this.ownRevision += 1;
    }
  }

  #note(fact: FinalEvent): void {
    const event = fact.event;
    if (!event || !isForReaders(event)) return;
    this.log = [{ height: fact.height, index: fact.index, event }, ...this.log].slice(
      0,
      LOG_LENGTH,
    );
  }

  async #readDirty(): Promise<void> {
    if (this.#dirty.delete("members")) {
      const [organisations, units] = await Promise.all([api.organisations(), api.units()]);
      this.organisations = new Map(organisations.map((row) => [row.id, row]));
      this.units = new Map(units.map((row) => [row.id, row]));
    }
    if (this.#dirty.delete("sessions")) this.all = await api.sessions();
    if (this.#dirty.delete("rules")) this.rules = await api.rules();
    const shown = this.shown?.id ?? null;
    if (this.#dirty.delete("clearings") || shown !== this.#shownId) {
      this.#shownId = shown;
      this.clearings = shown === null ? [] : await api.clearings(shown);
    }
    if (this.#dirty.has("devices") && performance.now() > this.#devicesAt + DEVICES_EVERY_MS) {
      this.#dirty.delete("devices");
      this.#devicesAt = performance.now();
      this.devices = (await api.devices()).filter((device) => device.seen_at_ms != null);
    }
    if (this.#dirty.has("carbon") && performance.now() > this.#carbonAt + CARBON_EVERY_MS) {
      this.#dirty.delete("carbon");
      this.#carbonAt = performance.now();
      await this.#readCarbon();
    }
  }

  async #readCarbon(): Promise<void> {
    const ids = [...this.organisations.keys()];
    this.carbon = carbonTotals(await Promise.all(ids.map((id) => api.organisation(id))));
  }
}

/** Adds up the carbon accounts and certificates of members. */
export function carbonTotals(members: readonly OrganisationDetail[]): CarbonTotals {
  const accounts = members.map((m) => m.carbon).filter((c): c is CarbonAccount => c !== null);
  const lots = members.flatMap((member) => member.certificates);
  const total = (numbers: (number | string)[]) =>
    numbers.reduce<bigint>((sum, number) => sum + BigInt(number), 0n);
  const inState = (state: string) =>
    total(lots.filter((lot) => lot.state === state).map((lot) => lot.count));
  return {
    freeT: total(accounts.map((account) => account.free_t)),
    surrenderedT: total(accounts.map((account) => account.surrendered_t)),
    emissionsG: total(accounts.map((account) => account.emissions_g)),
    certificates: {
      issued: inState("issued"),
      transferred: inState("transferred"),
      retired: inState("retired"),
    },
  };
}

export const market = new Market();
