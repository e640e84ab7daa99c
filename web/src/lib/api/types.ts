import type { components } from "./schema.js";

/**
 * The API's JSON shapes, as the node describes them: `npm run types` makes `schema.d.ts` from the
 * committed OpenAPI file. Units are in the names of fields; integers of 128 bits are decimal
 * strings.
 */
type Schemas = components["schemas"];

export type Block = Schemas["Block"];
export type CarbonAccount = Schemas["CarbonAccount"];
export type CarbonAccountDetail = Schemas["CarbonAccountDetail"];
export type CarbonBidding = Schemas["CarbonBidding"];
export type CarbonDeal = Schemas["CarbonDeal"];
export type CarbonMarket = Schemas["CarbonMarket"];
export type CarbonOrder = Schemas["CarbonOrder"];
export type Certificate = Schemas["Certificate"];
export type CertificateLot = Schemas["CertificateLot"];
export type CertificateOffer = Schemas["CertificateOffer"];
export type Channel = Schemas["Channel"];
export type CompliancePeriod = Schemas["CompliancePeriod"];
export type CreditLot = Schemas["CreditLot"];
export type Depth = Schemas["Depth"];
export type DepthLevel = Schemas["DepthLevel"];
export type Device = Schemas["Device"];
export type FinalEvent = Schemas["FinalEvent"];
export type GapForecast = Schemas["GapForecast"];
export type Identity = Schemas["Identity"];
export type InterventionRecord = Schemas["InterventionRecord"];
export type LaterLine = Schemas["LaterLine"];
export type LedgerEvent = Schemas["Event"];
export type LineItem = Schemas["LineItem"];
export type LineTrace = Schemas["LineTrace"];
export type Mode = Schemas["Mode"];
export type MonthStatement = Schemas["MonthStatement"];
export type Objection = Schemas["Objection"];
export type Obligation = Schemas["Obligation"];
export type Order = Schemas["Order"];
export type OrderStatus = Schemas["OrderStatus"];
export type Organisation = Schemas["Organisation"];
export type OrganisationDetail = Schemas["OrganisationDetail"];
export type PeriodClearing = Schemas["PeriodClearing"];
export type Phase = Schemas["Phase"];
export type Problem = Schemas["Problem"];
export type Proposal = Schemas["Proposal"];
export type PublishedRule = Schemas["PublishedRule"];
export type Receipt = Schemas["Receipt"];
export type ReceiptProof = Schemas["ReceiptProof"];
export type Seal = Schemas["Seal"];
export type Session = Schemas["Session"];
export type StatementLine = Schemas["StatementLine"];
export type Status = Schemas["Status"];
export type Submitted = Schemas["Submitted"];
export type Technology = Schemas["Technology"];
export type Trade = Schemas["Trade"];
export type Unit = Schemas["Unit"];

/** A part of a list; `next` is what to give as `after` for the next part. */
export interface Page<T> {
  items: T[];
  next?: number | null;
}

/** An operator whom the demo hands out so that a newcomer can trade at once; no part of the API. */
export interface DemoOperator {
  organisation: number;
  label: string;
  seed_hex: string;
  public_key: string;
}
