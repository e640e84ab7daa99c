// Chromium, and what every step of the end-to-end run needs.
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const url = process.env.DUET_URL ?? "http://127.0.0.1:8080";
const shots = process.env.DUET_SHOTS ?? "";
const axeSource = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"));
export const test = (name) => `[data-test="${name}"]`;
export const PATIENCE = 120_000;

export const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});

export let passed = 0;
export async function step(name, act) {
  const from = performance.now();
  await act();
  passed += 1;
  console.log(`ok   ${name} (${Math.round(performance.now() - from)} ms)`);
}

export async function open(size, settings = {}, path = "/trade") {
  const context = await browser.newContext({ viewport: size, reducedMotion: "reduce" });
  await context.addInitScript((stored) => {
    for (const [name, value] of Object.entries(stored)) {
      if (localStorage.getItem(name) === null) localStorage.setItem(name, value);
    }
  }, settings);
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    // A receipt that is not final yet and a demo endpoint outside a demo are plain 404s.
    const text = message.text();
    if (message.type() === "error" && !text.includes("404")) faults.push(text);
  });
  await page.goto(`${url}${path}`);
  await page.waitForFunction(
    (selector) => Number(document.querySelector(selector)?.textContent?.replace(/\D/g, "")) > 0,
    test("height"),
    { timeout: PATIENCE },
  );
  return { page, faults, close: () => context.close() };
}

export async function shoot(page, name) {
  if (shots === "") return;
  await mkdir(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: name.includes("390") });
}

/** Nothing that axe calls a violation; the page's policy forbids injected scripts, so evaluate. */
export async function accessible(page) {
  await page.evaluate(axeSource.toString());
  const { violations } = await page.evaluate(() =>
    // eslint-disable-next-line no-undef
    axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] }),
  );
  const found = violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map((node) => `${node.html} ${node.any[0]?.message ?? ""}`)}`,
  );
  assert.deepEqual(found, []);
}

/** Waits until the gate of a session is open. */
export async function openForOrders(page) {
  const end = performance.now() + PATIENCE;
  let [orders, since] = [-1, 0];
  while (performance.now() < end) {
    const placed = await page.evaluate(async () => {
      const { items } = await (await fetch("/v1/sessions?limit=1000")).json();
      const { now_ms: now } = await (await fetch("/v1/status")).json();
      const open = (row) => row.mode.kind === "joint" && row.phase === "open";
      return items.find((row) => open(row) && now < row.gate_close_ms)?.orders ?? 0;
    });
    if (placed !== orders) [orders, since] = [placed, performance.now()];
    // Simulated members sign with the keys that a visitor borrows, so that each could take the
    // other's nonce: they place their orders first.
    if (orders > 0 && performance.now() - since > 4_000) return;
    await page.waitForTimeout(500);
  }
  throw new Error("no gate opened");
}

/** Chooses the first operator whose units use (or deliver) energy. */
export async function chooseOperator(page, side) {
  const options = page.locator(`${test("operator")} option`);
  await page.waitForFunction(
    (s) => document.querySelectorAll(s).length > 1,
    `${test("operator")} option`,
  );
  // Generators come first in the list, consumers last.
  const places = Array.from({ length: (await options.count()) - 1 }, (_, index) => index + 1);
  for (const index of side === "buy" ? places.toReversed() : places) {
    await page.selectOption(test("operator"), { index });
    await page.waitForSelector(test("unit"), { timeout: 5_000 }).catch(() => undefined);
    await page.waitForTimeout(300);
    const radio = page.locator(`input[name="side"][value="${side}"]`);
    if ((await radio.count()) === 1 && (await radio.isChecked())) return;
  }
  throw new Error(`no demo operator can ${side}`);
}
