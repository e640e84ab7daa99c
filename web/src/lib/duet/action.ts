import { Encoder } from "./codec.ts";
import { domainHash } from "./hash.ts";

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

export interface CurvePoint {
  period: number;
  energyKwh: bigint;
}

/** What two members agree on: the bytes whose hash both sign. */
export interface ContractTerms {
  session: number;
  /** The proposer's unit. */
  unit: number;
  /** The other party's unit. */
  counterparty: number;
  /** What the proposer does. */
  side: Side;
  priceMilliYuanPerMwh: bigint;
  /** In order of periods. */
  curve: readonly CurvePoint[];
  /** Allowances that go with the contract, and the price of a tonne. */
  allowances: { allowancesT: bigint; priceFenPerT: bigint } | null;
  /** Certificates that go with the contract, and the price of one. */
  certificates: { lot: bigint; count: bigint; priceFen: bigint } | null;
  reference: bigint;
}

export interface ListingTake {
  listing: bigint;
  unit: number;
  quantityKwh: bigint;
  reference: bigint;
}

/** What this page can ask for; tags and fields are those of the ledger's actions. */
export type Action =
  | { kind: "submit-order"; order: OrderRequest }
  | { kind: "cancel-order"; order: bigint }
  | { kind: "contract-propose"; terms: ContractTerms }
  | { kind: "contract-confirm"; proposal: bigint; hash: Uint8Array }
  | { kind: "contract-withdraw"; proposal: bigint }
  | { kind: "listing-take"; take: ListingTake }
  | { kind: "carbon-list"; side: Side; allowancesT: bigint; priceFenPerT: bigint }
  | { kind: "carbon-take"; side: Side; allowancesT: bigint; limitFenPerT: bigint }
  | { kind: "carbon-withdraw"; order: bigint }
  | { kind: "carbon-bid"; bidding: bigint; allowancesT: bigint; priceFenPerT: bigint }
  | { kind: "carbon-cover"; year: number; allowancesT: bigint }
  | {
      kind: "certificate-offer";
      lot: bigint;
      count: bigint;
      priceFen: bigint;
      /** Who alone may buy; null is everybody. */
      buyer: number | null;
    }
  | { kind: "certificate-take"; offer: bigint; count: bigint }
  | { kind: "certificate-withdraw"; offer: bigint }
  | { kind: "certificate-claim"; lot: bigint; count: bigint; beneficiary: number; year: number }
  | {
      kind: "statement-object";
      /** Months since 1970-01. */
      month: number;
      session: number;
      place: number;
      reason: string;
    };

/** Writes an action: its tag, then its fields. */
export function encodeAction(out: Encoder, action: Action): void {
  switch (action.kind) {
    case "submit-order":
      return encodeOrder(out.u8(1), action.order);
    case "cancel-order":
      out.u8(2).u64(action.order);
      return;
    case "contract-propose":
    case "contract-confirm":
    case "contract-withdraw":
    case "listing-take":
      return encodeContract(out.u8(18), action);
    case "statement-object":
      out.u8(21).u8(1).i32(action.month).u32(action.session).u32(action.place).text(action.reason);
      return;
    case "certificate-offer":
    case "certificate-take":
    case "certificate-withdraw":
    case "certificate-claim":
      return encodeCertificate(out.u8(20), action);
    default:
      return encodeCarbon(out.u8(19), action);
  }
}

/** What both parties of a contract sign. */
export async function contractHash(terms: ContractTerms): Promise<Uint8Array<ArrayBuffer>> {
  const out = new Encoder();
  encodeTerms(out, terms);
  return domainHash("duet/contract/v1", out.finish());
}

const sideCode = (side: Side): number => (side === "buy" ? 0 : 1);

function encodeOrder(out: Encoder, order: OrderRequest): void {
  out
    .u32(order.session)
    .u32(order.unit)
    .u8(sideCode(order.side))
    .u8(order.period)
    .i64(order.limitMilliYuanPerMwh)
    .i64(order.quantityKwh)
    .i64(order.conductivityBp)
    .u64(order.reference)
    // Until the session ends.
    .u8(0);
}

function encodeTerms(out: Encoder, terms: ContractTerms): void {
  out
    .u32(terms.session)
    .u32(terms.unit)
    .u32(terms.counterparty)
    .u8(sideCode(terms.side))
    .i64(terms.priceMilliYuanPerMwh)
    .list(terms.curve, (point) => out.u8(point.period).i64(point.energyKwh))
    .option(terms.allowances, (leg) => out.i64(leg.allowancesT).i64(leg.priceFenPerT))
    .option(terms.certificates, (leg) => out.u64(leg.lot).u64(leg.count).i128(leg.priceFen))
    .u64(terms.reference);
}

type Of<Kind extends string> = Extract<Action, { kind: Kind }>;

function encodeContract(
  out: Encoder,
  action: Of<"contract-propose" | "contract-confirm" | "contract-withdraw" | "listing-take">,
): void {
  switch (action.kind) {
    case "contract-propose":
      encodeTerms(out.u8(0), action.terms);
      return;
    case "contract-confirm":
      out.u8(1).u64(action.proposal).fixed(action.hash, 32);
      return;
    case "contract-withdraw":
      out.u8(2).u64(action.proposal);
      return;
    case "listing-take": {
      const { listing, unit, quantityKwh, reference } = action.take;
      out.u8(3).u64(listing).u32(unit).i64(quantityKwh).u64(reference);
    }
  }
}

function encodeCarbon(
  out: Encoder,
  action: Of<"carbon-list" | "carbon-take" | "carbon-withdraw" | "carbon-bid" | "carbon-cover">,
): void {
  switch (action.kind) {
    case "carbon-list":
      out.u8(2).u8(sideCode(action.side)).i64(action.allowancesT).i64(action.priceFenPerT);
      return;
    case "carbon-take":
      out.u8(3).u8(sideCode(action.side)).i64(action.allowancesT).i64(action.limitFenPerT);
      return;
    case "carbon-withdraw":
      out.u8(4).u64(action.order);
      return;
    case "carbon-bid":
      out.u8(8).u64(action.bidding).i64(action.allowancesT).i64(action.priceFenPerT);
      return;
    case "carbon-cover":
      out.u8(12).u16(action.year).i64(action.allowancesT);
  }
}

function encodeCertificate(
  out: Encoder,
  action: Of<
    "certificate-offer" | "certificate-take" | "certificate-withdraw" | "certificate-claim"
  >,
): void {
  switch (action.kind) {
    case "certificate-offer":
      out.u8(1).u64(action.lot).u64(action.count).i128(action.priceFen);
      out.option(action.buyer, (buyer) => out.u32(buyer));
      return;
    case "certificate-take":
      out.u8(2).u64(action.offer).u64(action.count);
      return;
    case "certificate-withdraw":
      out.u8(3).u64(action.offer);
      return;
    case "certificate-claim":
      out.u8(4).u64(action.lot).u64(action.count).u32(action.beneficiary).i32(action.year);
  }
}
