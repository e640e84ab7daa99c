import type {
  Block,
  Channel,
  DemoOperator,
  Device,
  Identity,
  Order,
  Organisation,
  OrganisationDetail,
  Page,
  PeriodClearing,
  Problem,
  Receipt,
  ReceiptProof,
  Session,
  Status,
  Submitted,
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

/** All rows of a list, page by page. */
async function all<T>(path: string, query: Record<string, string | number> = {}): Promise<T[]> {
  const rows: T[] = [];
  let next: number | null | undefined = null;
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
      if (error instanceof ProblemError && error.problem.status === 404) return [];
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
