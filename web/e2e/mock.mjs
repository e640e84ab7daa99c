// A mock of the node for work on the page's looks without a chain: made-up sessions that open and
// clear every minute. It is never shipped, and what it shows proves nothing about the market.
// Usage: node e2e/mock.mjs [port]
import { createHash, webcrypto } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const PACE = 30;
const PERIOD_MS = 60_000;
const dist = new URL("../dist/", import.meta.url).pathname;
const start = Date.now();
const epoch = Date.UTC(2026, 6, 5, 0, 0);
const now = () => epoch + (Date.now() - start) * PACE;
const sha = (text) => createHash("sha256").update(text).digest("hex");

const names = ["exchange", "dispatch", "generators", "retailers"];
const committee = names.map(sha).sort();
const channel = sha("mock channel");
const organisations = [
  { id: 1, name: "JOINT_EXCHANGE", name_zh: "联合交易中心" },
  { id: 2, name: "RETAILER_1", name_zh: "模拟售电公司一" },
  { id: 3, name: "DT_1", name_zh: "华能国际上安发电厂" },
];
const unit = (id, owner, name, technology, capacity_kw, cost, factor) => ({
  id,
  owner,
  name,
  technology,
  capacity_kw,
  registered_cost_milli_yuan_per_mwh: cost,
  emission_factor_g_per_kwh: factor,
  benchmark_g_per_kwh: 818,
  device: sha(name),
});
const units = [
  unit(1, 2, "RETAILER_1.LOAD", "load", 3_000_000, 0, 0),
  unit(2, 3, "DT_1.A", "coal", 1_240_000, 318_200, 776),
  unit(3, 3, "DT_1.B", "coal", 600_000, 371_400, 986),
];
const operators = [];
for (const [organisation, label] of [
  [2, "交易员"],
  [3, "交易员"],
]) {
  const pair = await webcrypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", pair.privateKey));
  const raw = Buffer.from(await webcrypto.subtle.exportKey("raw", pair.publicKey));
  const seed_hex = pkcs8.subarray(-32).toString("hex");
  operators.push({ organisation, label, seed_hex, public_key: raw.toString("hex") });
}
const nonces = new Map();
const receipts = new Map();
const orders = [];
const log = [];
const readers = new Set();
let height = 18_204;
let waiting = [];

const terms = {
  resolution: "hour",
  floor_milli_yuan_per_mwh: 291_520,
  ceiling_milli_yuan_per_mwh: 437_280,
  tick_milli_yuan_per_mwh: 10,
  lot_kwh: 1_000,
  reference_price_milli_yuan_per_mwh: 364_400,
  carbon_price_fen_per_t: 5_500,
  price_numerator: 1,
  price_denominator: 2,
  rationing: "pro_rata",
  second_stage: "compensation",
  compensation_cap_milli_yuan_per_mwh: 36_440,
  fund_share_bp: 5_000,
  second_stage_chance_bp: 10_000,
  carbon_reference: "notice",
};
const sessions = Array.from({ length: 200 }, (_, index) => ({
  id: index + 1,
  rule: 1,
  mode: { kind: "joint" },
  days: 1,
  settled_days: 0,
  day: new Date(epoch + (index + 1) * 86_400_000).toISOString().slice(0, 10),
  gate_open_ms: epoch + index * PERIOD_MS * PACE,
  gate_close_ms: epoch + (index + 1) * PERIOD_MS * PACE,
  terms,
  phase: index === 0 ? "open" : "announced",
  orders: 0,
  result_hash: null,
}));
// A bilateral session beside them, which the page must not take for the one to trade in.
sessions.push({ ...sessions[0], id: 900, mode: { kind: "bilateral" }, days: 31 });
sessions.unshift({ ...sessions[0], id: 0, day: "2026-07-05", phase: "cleared", orders: 812 });

const clearings = (session) =>
  Array.from({ length: 24 }, (_, period) => {
    const wave = Math.sin(((period - 6) / 24) * 2 * Math.PI) + 0.6 * Math.sin(period / 1.7);
    const price = Math.round((361_000 + 21_000 * wave) / 10) * 10;
    const second = period % 4 === 1 ? 0 : 40_000 + 9_000 * (period % 7);
    return {
      session,
      period,
      price_milli_yuan_per_mwh: price,
      volume_kwh: Math.round(8_400 + 1_900 * wave) * 1_000,
      buyer_price_milli_yuan_per_mwh: second === 0 ? null : price - 3_240,
      seller_price_milli_yuan_per_mwh: second === 0 ? null : price + 6_110,
      second_volume_kwh: second,
      compensation_fen: String(second * 93),
      fund_fen: String(9_000_000 + 1_000 * period),
    };
  });

function emit(event) {
  const index = log.filter((fact) => fact.height === height).length;
  const fact = { height, index, time_ms: now(), event };
  log.push(fact);
  const kind = event === null ? "event: block\n" : "";
  for (const reader of readers) {
    reader.write(`id: ${height}.${index}\n${kind}data: ${JSON.stringify(fact)}\n\n`);
  }
}

function block() {
  height += 1;
  const done = waiting;
  waiting = [];
  for (const act of done) act();
  for (const session of sessions) {
    if (session.phase === "announced" && session.gate_open_ms <= now()) {
      session.phase = "open";
      emit({ kind: "gate_opened", session: session.id });
    }
    if (session.phase === "open" && session.gate_close_ms <= now()) {
      session.phase = "cleared";
      for (const order of orders.filter((o) => o.session === session.id)) {
        if (order.status !== "pending") continue;
        order.status = "matched";
        order.filled_kwh = order.quantity_kwh;
      }
      emit({
        kind: "session_cleared",
        session: session.id,
        trades: 9,
        first_kwh: 1,
        second_kwh: 1,
      });
    }
  }
  if (log.at(-1)?.height !== height) emit(null);
}
setInterval(block, 400);

function problem(status, code, extra = {}) {
  return [status, { type: `/problems/${code}`, title: code, status, detail: code, code, ...extra }];
}

async function submit(bytes) {
  const body = bytes.subarray(0, -64);
  const signer = body.subarray(34, 66);
  const operator = operators.find((row) => row.public_key === signer.toString("hex"));
  if (!operator) return problem(401, "unknown-identity");
  const key = await webcrypto.subtle.importKey("raw", signer, "Ed25519", true, ["verify"]);
  const message = Buffer.concat([Buffer.from("duet/transaction/v1"), body]);
  if (!(await webcrypto.subtle.verify("Ed25519", key, bytes.subarray(-64), message))) {
    return problem(401, "bad-signature");
  }
  const nonce = body.readBigUInt64BE(66);
  if (nonce <= (nonces.get(operator.public_key) ?? 0n)) return problem(409, "stale-nonce");
  nonces.set(operator.public_key, nonce);
  const hash = createHash("sha256").update("duet/transaction-hash/v1").update(bytes).digest("hex");
  const action = body.subarray(74);
  waiting.push(() => {
    const subject = action[0] === 1 ? place(action, operator) : cancel(action);
    receipts.set(hash, {
      transaction: hash,
      height,
      index: 0,
      accepted: true,
      number: 0,
      code: null,
      rule: null,
      subject,
    });
  });
  return [202, { transaction: hash, receipt: null }];
}

function place(action, operator) {
  const order = {
    id: 41_001 + orders.length,
    session: action.readUInt32BE(1),
    sequence: orders.length,
    owner: operator.organisation,
    signer: operator.public_key,
    unit: action.readUInt32BE(5),
    side: action[9] === 0 ? "buy" : "sell",
    period: action[10],
    limit_milli_yuan_per_mwh: Number(action.readBigInt64BE(11)),
    quantity_kwh: Number(action.readBigInt64BE(19)),
    conductivity_bp: Number(action.readBigInt64BE(27)),
    effective_milli_yuan_per_mwh: Number(action.readBigInt64BE(11)) + 27_740,
    registered_ask_milli_yuan_per_mwh: 0,
    rent_milli_yuan_per_mwh: 0,
    reference: 1,
    accepted_at_ms: now(),
    escrow_fen: "0",
    filled_kwh: 0,
    status: "pending",
  };
  orders.push(order);
  emit({ kind: "order_accepted", order: order.id, session: order.session, owner: order.owner });
  return order.id;
}

function cancel(action) {
  const id = Number(action.readBigUInt64BE(1));
  const order = orders.find((row) => row.id === id);
  if (order) order.status = "cancelled";
  emit({ kind: "order_cancelled", order: id, session: order?.session, owner: order?.owner });
  return id;
}

/** Two gateways that report every quarter of an hour of the market, the second one with an alarm. */
function devices() {
  const seen_at_ms = now() - (now() % 900_000);
  const channel = (name, measures, value, level = "normal") => ({ name, measures, value, level });
  return [2, 3].map((organisation) => {
    const hot = organisation === 3;
    const owned = units.filter((row) => row.owner === organisation);
    const channels = [
      channel("board", "temperature", hot ? 86_500 : 41_250, hot ? "alarm" : "normal"),
      channel("vccint", "voltage", 1_002),
      channel("vccaux", "voltage", hot ? null : 1_803, hot ? "sensor_fault" : "normal"),
    ];
    return {
      public_key: owned[0].device,
      organisation,
      label: `gateway of ${owned[0].name}`,
      units: owned.map((row) => row.id),
      batches: 12,
      readings: 288,
      last_sequence: 12,
      seen_at_ms,
      health: {
        sampled_at_ms: seen_at_ms,
        light: hot ? "alarm" : "running",
        link: "up",
        channels,
        stations_up: owned.length,
        stations_down: 0,
        backlog: 0,
        backlog_limit: 4_096,
        alarms: hot ? 3 : 0,
      },
    };
  });
}

const page = (items) => [200, { items, next: null }];

function detail(id) {
  return {
    organisation: organisations.find((row) => row.id === id),
    balances: [
      { account: "available", amount_fen: "300000000000" },
      { account: "escrow", amount_fen: "1234567" },
    ],
    carbon: { free_t: 2_732_940, surrendered_t: 12_000, emissions_g: "1843200123456" },
    certificates: [{ id: 1, unit: 2, day: "2026-07-05", count: 8_412, state: "issued" }],
    units: units.filter((row) => row.owner === id),
  };
}

function answer(path, query) {
  const [, , kind, id, rest] = path.split("/");
  switch (kind) {
    case "status":
      return [
        200,
        {
          validator: names[0],
          channel,
          height,
          time_ms: now(),
          now_ms: now(),
          state_root: sha(`root ${height}`),
          receipts_root: sha(`receipts ${height}`),
          mempool: waiting.length,
          committee,
        },
      ];
    case "channel": {
      const validators = committee.map((key) => names.find((name) => sha(name) === key));
      return [200, { channel, name: "mock", committee, validators }];
    }
    case "blocks": {
      const at = Number(id);
      const head = `01${"00".repeat(24)}${"ab".repeat(32)}`;
      const votes = [0, 1, 3].map((n) => `0000000${n}${"cd".repeat(64)}`).join("");
      const state_root = sha(`root ${at - 1}`);
      const certificate = `${head}0003${votes}`;
      return [200, { height: at, checkpoint_height: at - 1, state_root, certificate }];
    }
    case "sessions":
      return rest === "clearings"
        ? [
            200,
            sessions.find((s) => s.id === Number(id))?.phase === "cleared" ? clearings(+id) : [],
          ]
        : page(sessions.filter((s) => s.gate_open_ms - now() < 2 * PERIOD_MS * PACE));
    case "orders": {
      const fits = (order) =>
        ["session", "owner", "status"].every(
          (field) => !query.has(field) || String(order[field]) === query.get(field),
        );
      return page(orders.filter(fits));
    }
    case "organisations":
      return id === undefined ? page(organisations) : [200, detail(Number(id))];
    case "units":
      return page(units);
    case "devices":
      return [200, devices()];
    case "identities": {
      const operator = operators.find((row) => row.public_key === id);
      if (!operator) return problem(404, "not-found");
      const roles = operator.organisation === 2 ? ["retailer"] : ["generator"];
      const last_nonce = Number(nonces.get(id) ?? 0n);
      const { organisation, label } = operator;
      return [200, { public_key: id, organisation, roles, label, last_nonce }];
    }
    case "transactions":
      return receipts.has(id) && rest === undefined
        ? [200, receipts.get(id)]
        : problem(404, "not-final");
    case "demo":
      return [200, operators];
    default:
      return problem(404, "not-found");
  }
}

async function file(path) {
  const kinds = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
  const name = extname(path) === "" ? "index.html" : normalize(path);
  return [await readFile(join(dist, name)), kinds[extname(name)] ?? "text/html; charset=utf-8"];
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://localhost");
  response.setHeader("content-security-policy", "default-src 'self'");
  if (url.pathname === "/v1/events") {
    response.writeHead(200, { "content-type": "text/event-stream" });
    readers.add(response);
    request.on("close", () => readers.delete(response));
    return;
  }
  if (url.pathname.startsWith("/v1/")) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const [status, body] =
      request.method === "POST"
        ? await submit(Buffer.concat(chunks))
        : answer(url.pathname, url.searchParams);
    const kind = status < 400 ? "application/json" : "application/problem+json";
    response.writeHead(status, { "content-type": kind });
    response.end(JSON.stringify(body));
    return;
  }
  if (url.pathname.startsWith("/study/")) {
    // Without the header that says so, this is no study, and the page shows no link to one.
    response.writeHead(200, { "content-type": "text/plain" }).end();
    return;
  }
  try {
    const [body, kind] = await file(url.pathname);
    response.writeHead(200, { "content-type": kind });
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
});
server.listen(Number(process.argv[2] ?? 8099), "127.0.0.1", () => {
  console.log(`mock at http://127.0.0.1:${server.address().port}`);
});
