import type {
  Block,
  CarbonAccountDetail,
  CarbonBidding,
  CarbonDeal,
  CarbonMarket,
  Certificate,
  CertificateLot,
  CertificateOffer,
  Channel,
  CompliancePeriod,
  CreditLot,
  DemoOperator,
  Depth,
  Device,
  GapForecast,
  Identity,
  InterventionRecord,
  LaterLine,
  LineTrace,
  MonthStatement,
  Objection,
  Obligation,
  Order,
  Organisation,
  OrganisationDetail,
  Page,
  PeriodClearing,
  Problem,
  Proposal,
  PublishedRule,
  Receipt,
  ReceiptProof,
  Seal,
  Session,
  StatementLine,
  Status,
  Submitted,
  Trade,
  Unit,
} from "./types.ts";

/** A request that the node refused; `problem.code` is stable and has a translation. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** Whether a request failed because there is no such thing. */
export const isAbsent = (error: unknown): boolean =>
  error instanceof ProblemError && error.problem.status === 404;

/** Why something failed, as far as it says. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

async function read<T>(response: Response): Promise<T> {
  if (response.ok) return (await response.json()) as T;
  const kind = response.headers.get("content-type") ?? "";
  if (kind.includes("json")) {
    throw new ProblemError((await response.json()) as Problem);
  }
  const { status, statusText } = response;
  const code = `http-${status}`;
  const type = `/problems/${code}`;
  throw new ProblemError({ type, title: statusText, status, detail: statusText, code });
}

async function get<T>(path: string, query: Record<string, string | number> = {}): Promise<T> {
  const text = new URLSearchParams(
    Object.entries(query).map(([name, value]) => [name, String(value)]),
  ).toString();
  const answer = await fetch(text ? `${path}?${text}` : path, {
    headers: { accept: "application/json" },
  });
  return read<T>(answer);
}

/** All rows of a list, page by page, or those behind `after`. */
async function all<T>(
  path: string,
  query: Record<string, string | number> = {},
  after: number | null = null,
): Promise<T[]> {
  const rows: T[] = [];
  let next: number | null | undefined = after;
  do {
    const place: Record<string, number> = next == null ? {} : { after: next };
    const page: Page<T> = await get<Page<T>>(path, {
      ...query,
      limit: 1000,
      ...place,
    });
    rows.push(...page.items);
    next = page.next;
  } while (next != null);
  return rows;
}

export const api = {
  status: () => get<Status>("/v1/status"),
  channel: () => get<Channel>("/v1/channel"),
  sessions: () => all<Session>("/v1/sessions"),
  clearings: (session: number) => get<PeriodClearing[]>(`/v1/sessions/${session}/clearings`),
  orders: (query: Record<string, string | number>) => all<Order>("/v1/orders", query),
  /** The best five levels of each side, where orders match on arrival. */
  depth: (session: number, period: number) =>
    get<Depth>(`/v1/sessions/${session}/depth`, { period }),
  /** Trades of a session, behind the trade `after`. */
  trades: (session: number, after?: number) => all<Trade>("/v1/trades", { session }, after),
  contracts: (session: number, party: number) => all<Proposal>("/v1/contracts", { session, party }),
  rules: () => all<PublishedRule>("/v1/rules"),
  interventions: () => all<InterventionRecord>("/v1/interventions"),
  seals: () => all<Seal>("/v1/seals"),
  carbonMarket: () => get<CarbonMarket>("/v1/carbon/market"),
  carbonAccount: (id: number) => get<CarbonAccountDetail>(`/v1/carbon/accounts/${id}`),
  carbonDeals: (after?: number) => all<CarbonDeal>("/v1/carbon/deals", {}, after),
  carbonBiddings: () => all<CarbonBidding>("/v1/carbon/biddings"),
  credits: (owner: number) => all<CreditLot>("/v1/carbon/credits", { owner }),
  compliancePeriod: (year: number) => get<CompliancePeriod>(`/v1/carbon/periods/${year}`),
  obligation: (year: number, id: number) => get<Obligation>(`/v1/carbon/obligations/${year}/${id}`),
  gap: (year: number, id: number) => get<GapForecast>(`/v1/carbon/gap/${year}/${id}`),
  certificates: (owner: number) => all<CertificateLot>("/v1/certificates", { owner }),
  certificate: (number: string) => get<Certificate>(`/v1/certificates/${number}`),
  certificateOffers: () => all<CertificateOffer>("/v1/certificate-offers"),
  months: (organisation: number) => all<MonthStatement>("/v1/months", { organisation }),
  objections: (organisation: number) => all<Objection>("/v1/objections", { organisation }),
  laterLines: (organisation: number) => all<LaterLine>("/v1/later-lines", { organisation }),
  statement: (session: number, organisation: number) =>
    all<StatementLine>("/v1/statements", { session, organisation }),
  trace: (session: number, place: number) =>
    get<LineTrace>(`/v1/statement-lines/${session}/${place}/trace`),
  organisations: () => all<Organisation>("/v1/organisations"),
  organisation: (id: number) => get<OrganisationDetail>(`/v1/organisations/${id}`),
  identity: (key: string) => get<Identity>(`/v1/identities/${key}`),
  units: () => all<Unit>("/v1/units"),
  devices: () => get<Device[]>("/v1/devices"),
  block: (height: number) => get<Block>(`/v1/blocks/${height}`),
  receipt: (hash: string) => get<Receipt>(`/v1/transactions/${hash}`),
  proof: (hash: string) => get<ReceiptProof>(`/v1/transactions/${hash}/proof`),

  /** Demo operators; none outside a demo. */
  async demoOperators(): Promise<DemoOperator[]> {
    try {
      return await get<DemoOperator[]>("/v1/demo/operators");
    } catch (error) {
      if (isAbsent(error)) return [];
      throw error;
    }
  },

  async submit(bytes: Uint8Array<ArrayBuffer>): Promise<Submitted> {
    const answer = await fetch("/v1/transactions", {
      method: "POST",
      headers: { "content-type": "application/octet-stream", accept: "application/json" },
      body: bytes,
    });
    return read<Submitted>(answer);
  },
};
