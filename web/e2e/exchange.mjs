// What an exchange does ahead of its members' trading, signed with the demo's own keys, which
// everybody knows: it announces the terms of the allowance market, and sessions of other modes
// whose gates stay open while the page is driven. The registry publishes the rules of the year, and
// the regulator halts a session and lets it go on.
import { createHash, webcrypto } from "node:crypto";
import { createServer } from "vite";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

/** The page's own code for canonical bytes. */
async function codec() {
  const root = new URL("..", import.meta.url).pathname;
  const vite = await createServer({
    root,
    configFile: false,
    logLevel: "error",
    appType: "custom",
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    optimizeDeps: { noDiscovery: true },
  });
  const { Encoder, fromHex } = await vite.ssrLoadModule("/src/lib/duet/codec.ts");
  await vite.close();
  return { Encoder, fromHex };
}

/** Somebody of the demo who signs. */
async function signer(url, label) {
  const { Encoder, fromHex } = await codec();
  const seed = createHash("sha256").update("duet/demo-key/v1").update(label).digest();
  const pkcs8 = Buffer.concat([PKCS8_HEAD, seed]);
  const subtle = webcrypto.subtle;
  const key = await subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
  const { x } = await subtle.exportKey("jwk", key);
  const publicKey = Buffer.from(x, "base64url");
  const get = async (path) => (await fetch(`${url}${path}`)).json();
  const { channel } = await get("/v1/channel");

  /**
   * Signs and sends, some times if need be: the demo's own exchange uses the same key, so a nonce
   * can come too late, and the demo's clock can leap past a time that a notice names.
   */
  async function act(write) {
    for (let tries = 1; ; tries += 1) {
      const identity = await get(`/v1/identities/${publicKey.toString("hex")}`);
      const out = new Encoder().u8(1).u8(1).fixed(fromHex(channel), 32).fixed(publicKey, 32);
      const { now_ms: now } = await get("/v1/status");
      write(out.u64(BigInt(identity.last_nonce) + 1n), now);
      const body = out.finish();
      const message = Buffer.concat([Buffer.from("duet/transaction/v1"), body]);
      const signature = new Uint8Array(await subtle.sign("Ed25519", key, message));
      const answer = await fetch(`${url}/v1/transactions?wait=20`, {
        method: "POST",
        headers: { "content-type": "application/octet-stream" },
        body: Buffer.concat([body, signature]),
      });
      const said = await answer.json();
      const code = said.code ?? said.receipt?.code ?? null;
      if (answer.ok && code === null) return said.receipt;
      if (tries === 5) throw new Error(JSON.stringify(said));
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
  return { act, get };
}

/** Hours of every day, so that the test may come at any time of the market. */
function announceTerms(out, closeFenPerT) {
  out.u8(19).u8(1);
  for (const [from, until] of [
    [0, 720],
    [720, 1_440],
    [0, 1_440],
  ]) {
    out.u16(from).u16(until);
  }
  out.i64(1_000n).i64(3_000n).flag(false);
  out.option(closeFenPerT, (price) => out.i64(price));
}

function wholeDay({ terms, next_terms: next }) {
  const { morning, afternoon } = next ?? terms;
  return morning.from_minute === 0 && afternoon.until_minute === 1_440;
}

const PERIODS = { hour: 24, quarter: 96 };
const RATIONING = { pro_rata: 0, time: 1, green_first: 2 };
const DESIGNS = { none: 0, compensation: 1, uplift: 2 };
const CARBON_REFERENCES = { notice: 0, last_close: 1 };

/** The notice of a session; `terms` are as the API gives them. */
export function openSession(out, { rule, mode, day, days = 1, opens, closes, terms }) {
  out.u8(3).u32(rule);
  mode(out);
  out.i32(day).u16(days).i64(opens).i64(closes);
  out.u8(PERIODS[terms.resolution]).i64(BigInt(terms.floor_milli_yuan_per_mwh));
  out.i64(BigInt(terms.ceiling_milli_yuan_per_mwh)).i64(BigInt(terms.tick_milli_yuan_per_mwh));
  out.i64(BigInt(terms.lot_kwh)).i64(BigInt(terms.reference_price_milli_yuan_per_mwh));
  out.i64(BigInt(terms.carbon_price_fen_per_t));
  out.u32(terms.price_numerator).u32(terms.price_denominator);
  out.u8(RATIONING[terms.rationing]).u8(DESIGNS[terms.second_stage]);
  out.i64(BigInt(terms.compensation_cap_milli_yuan_per_mwh)).i64(BigInt(terms.fund_share_bp));
  out.i64(BigInt(terms.second_stage_chance_bp)).u8(CARBON_REFERENCES[terms.carbon_reference]);
}

const MODES = {
  rolling: (out) => out.u8(6),
  // The earlier taker first, and sellers list.
  listing: (out) => out.u8(4).u8(0).flag(true).u8(1),
  bilateral: (out) => out.u8(5),
};

/** A plant offers allowances at a uniform price; bids are taken soon, and for ten market days. */
function openBidding(out, now) {
  out.u8(19).u8(7).u8(1).i64(1_000n).i64(5_300n).u8(1);
  out.i64(BigInt(now + MINUTE_MS)).i64(BigInt(now + 10 * DAY_MS));
}

/** The rules of a compliance year: one benchmark, 70 % ahead, 5 % credits, due a year later. */
function publishPeriod(out, year) {
  const dueDay = Math.floor(Date.UTC(year + 1, 11, 31) / DAY_MS);
  out.u8(19).u8(9).u16(year);
  out.list([0, 1, 2, 3], (type) => out.u8(type).i64(8_177n).i64(1_105n));
  out
    .i64(7_000n)
    .option(2_000n, (cap) => out.i64(cap))
    .flag(false);
  out.i64(500n).i64(10_000n).i64(15_000n).i32(dueDay);
}

/** Prepares a running demo; returns the number of the session of each mode. */
export async function prepare(url) {
  const { act, get } = await signer(url, "EXCHANGE");
  const allowances = await fetch(`${url}/v1/carbon/market`);
  if (allowances.status === 404) {
    await act((out) => announceTerms(out, 5_500n));
  } else if (!wholeDay(await allowances.json())) {
    // They hold from the next day.
    await act((out) => announceTerms(out, null));
  }
  const year = new Date((await get("/v1/status")).now_ms).getUTCFullYear();
  if ((await fetch(`${url}/v1/carbon/periods/${year}`)).status === 404) {
    const registry = await signer(url, "REGISTRY");
    await registry.act((out) => publishPeriod(out, year));
  }
  await (await signer(url, "DT_2")).act(openBidding);
  const { items } = await get("/v1/sessions?limit=1000");
  const joint = items.find((session) => session.mode.kind === "joint");
  const opened = {};
  for (const [kind, mode] of Object.entries(MODES)) {
    // Far from the days of the demo, which it would otherwise take for its own.
    const first = Math.floor(Date.parse(joint.day) / DAY_MS) + 60;
    const receipt = await act((out, now) =>
      openSession(out, {
        rule: joint.rule,
        mode,
        day: first + Object.keys(opened).length,
        opens: BigInt(now + MINUTE_MS),
        closes: BigInt(now + 30 * DAY_MS),
        terms: joint.terms,
      }),
    );
    opened[kind] = receipt.subject;
  }
  // An open session is halted, and goes on.
  for (let waits = 0; waits < 240; waits += 1) {
    if ((await get(`/v1/sessions/${opened.bilateral}`)).phase === "open") break;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const regulator = await signer(url, "REGULATOR");
  for (const [intervention, reason] of ["fire drill", "fire drill is over"].entries()) {
    await regulator.act((out) => out.u8(15).u32(opened.bilateral).u8(intervention).text(reason));
  }
  return opened;
}

if (import.meta.filename === process.argv[1]) {
  console.log(await prepare(process.env.DUET_URL ?? "http://127.0.0.1:8080"));
}
