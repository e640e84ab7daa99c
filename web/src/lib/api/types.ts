/**
 * The API's JSON shapes. Units are in the names; integers of 128 bits are decimal strings, keys and
 * hashes are hexadecimal digits, instants are milliseconds since the Unix epoch.
 */

export interface Status {
  validator: string;
  channel: string;
  /** The height of the last executed block. */
  height: number;
  /** The time of that block, and the market's clock now. */
  time_ms: number;
  now_ms: number;
  state_root: string;
  receipts_root: string;
  mempool: number;
  committee: string[];
}

export interface Channel {
  channel: string;
  name: string;
  committee: string[];
  validators: string[];
}

export interface Block {
  height: number;
  checkpoint_height: number;
  state_root: string;
  /** None if a later block's certificate makes it final. */
  certificate: string | null;
}

export type Phase = "announced" | "open" | "halted" | "cleared" | "settled" | "void";

export interface SessionTerms {
  resolution: "hour" | "quarter";
  floor_milli_yuan_per_mwh: number;
  ceiling_milli_yuan_per_mwh: number;
  tick_milli_yuan_per_mwh: number;
  lot_kwh: number;
  carbon_price_fen_per_t: number;
  second_stage: boolean;
}

export interface Session {
  id: number;
  day: string;
  gate_open_ms: number;
  gate_close_ms: number;
  terms: SessionTerms;
  phase: Phase;
  orders: number;
  result_hash: string | null;
}

export interface PeriodClearing {
  session: number;
  period: number;
  price_milli_yuan_per_mwh: number | null;
  volume_kwh: number;
  buyer_price_milli_yuan_per_mwh: number | null;
  seller_price_milli_yuan_per_mwh: number | null;
  second_volume_kwh: number;
  compensation_fen: string;
  fund_fen: string;
}

export type OrderStatus =
  | "pending"
  | "matched"
  | "paid"
  | "dispatched"
  | "delivered"
  | "settled"
  | "cancelled"
  | "expired"
  | "defaulted";

export interface Order {
  id: number;
  session: number;
  owner: number;
  unit: number;
  side: "buy" | "sell";
  period: number;
  limit_milli_yuan_per_mwh: number;
  quantity_kwh: number;
  conductivity_bp: number;
  effective_milli_yuan_per_mwh: number;
  accepted_at_ms: number;
  escrow_fen: string;
  filled_kwh: number;
  status: OrderStatus;
}

export interface Organisation {
  id: number;
  name: string;
  name_zh: string;
}

export interface Balance {
  account: "available" | "escrow" | "clearing" | "external";
  amount_fen: string;
}

export interface CarbonAccount {
  free_t: number;
  surrendered_t: number;
  emissions_g: string;
}

export interface CertificateLot {
  id: number;
  unit: number;
  day: string;
  count: number;
  state: "issued" | "transferred" | "retired";
}

export type Technology = "coal" | "gas" | "wind" | "solar" | "load";

export interface Unit {
  id: number;
  owner: number;
  name: string;
  technology: Technology;
  capacity_kw: number;
  registered_cost_milli_yuan_per_mwh: number;
  emission_factor_g_per_kwh: number;
}

export interface OrganisationDetail {
  organisation: Organisation;
  balances: Balance[];
  carbon: CarbonAccount | null;
  certificates: CertificateLot[];
  units: Unit[];
}

export interface Identity {
  public_key: string;
  organisation: number;
  roles: string[];
  label: string;
  last_nonce: number;
}

export interface Receipt {
  transaction: string;
  height: number;
  index: number;
  accepted: boolean;
  number: number;
  code: string | null;
  rule: string | null;
  subject: number;
}

export interface Submitted {
  transaction: string;
  receipt: Receipt | null;
}

export interface Page<T> {
  items: T[];
  next: number | null;
}

/** A refusal, as RFC 9457 problem details. */
export interface Problem {
  title: string;
  status: number;
  detail: string;
  code: string;
  number?: number;
  field?: string;
  value?: string;
  bound?: string;
}

/** A final fact; `kind` says which. Fields beyond `kind` depend on it. */
export interface LedgerEvent {
  kind: string;
  session?: number;
  owner?: number;
  order?: number;
}

export interface FinalEvent {
  height: number;
  index: number;
  time_ms: number;
  event: LedgerEvent | null;
}

/** An operator whom the demo hands out so that a newcomer can trade at once. */
export interface DemoOperator {
  organisation: number;
  label: string;
  seed_hex: string;
  public_key: string;
}
