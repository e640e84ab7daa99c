// The other modes of trading and the other pages, driven against a running demo.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { accessible, chooseOperator, open, PATIENCE, shoot, step, test, url } from "./driver.mjs";

const WITHIN = { timeout: 30_000 };
/** A day is settled after the gate of the next one: longer than anything else. */
const SETTLED = { timeout: 300_000 };

/** Chooses a session on the ticket and waits until it takes orders. */
async function choose(page, session) {
  await page.waitForSelector(`${test("session")} option[value="${session}"]`, {
    state: "attached",
    timeout: PATIENCE,
  });
  await page.selectOption(test("session"), String(session));
  await page.waitForFunction(
    async (id) => {
      const found = await (await fetch(`/v1/sessions/${id}`)).json();
      return found.phase === "open";
    },
    session,
    { timeout: PATIENCE, polling: 500 },
  );
}

/** Fills the ticket and sends it. */
async function order(page, { limit, quantity, period = "3" }) {
  if (period !== null) await page.selectOption(test("period"), period);
  await page.fill(test("limit"), limit);
  await page.fill(test("quantity"), quantity);
  await send(page);
}

async function send(page) {
  await page.locator(`${test("place")}:enabled`).click(WITHIN);
  await page.locator(`${test("send")}:enabled`).click(WITHIN);
}

/** A member with a unit of its own, on a page of its own. */
async function member(side, path = "/trade") {
  const opened = await open({ width: 1440, height: 900 }, { "duet-theme": "dark" }, path);
  await chooseOperator(opened.page, side);
  return opened;
}

/** Sessions of other modes than the joint one; `opened` has the number of each. */
export async function modes(opened) {
  const seller = await member("sell");
  const buyer = await member("buy");
  const sell = seller.page;
  const buy = buyer.page;

  await step("a session is chosen from the list, with its mode, days, gates and rule", async () => {
    await sell.click(test("tab-sessions"));
    const row = sell
      .locator(`${test("sessions-table")} tbody tr`)
      .filter({ has: sell.locator("th", { hasText: new RegExp(`^${opened.rolling}$`) }) });
    await row.waitFor(WITHIN);
    assert.match(await row.innerText(), /滚动撮合.*\d{4}-\d{2}-\d{2}.*HEBEI-SOUTH v\d/s);
    await row.locator(test("trade-in")).click();
    assert.equal(await sell.inputValue(test("session")), String(opened.rolling));
    await accessible(sell);
    await shoot(sell, "sessions-1440-dark");
  });

  await step("a rolling session shows five levels without names, and what traded", async () => {
    await choose(sell, opened.rolling);
    await choose(buy, opened.rolling);
    await order(sell, { limit: "350.00", quantity: "3" });
    const asks = buy.locator(`${test("depth")} tbody tr`, { hasText: "350.00" });
    await buy.selectOption(test("period"), "3");
    await asks.filter({ hasText: "3.000" }).waitFor(WITHIN);
    assert.doesNotMatch(await buy.locator(test("book")).innerText(), /华能|DT_/);
    await order(buy, { limit: "351.00", quantity: "2" });
    const trades = buy.locator(`${test("last-trades")} tbody tr`, { hasText: "350.00" });
    await trades.filter({ hasText: "2.000" }).first().waitFor(WITHIN);
    await asks.filter({ hasText: "1.000" }).waitFor(WITHIN);
    await accessible(buy);
    await shoot(buy, "rolling-1440-dark");
  });

  await step("a listing is posted, and taken from the list", async () => {
    await choose(sell, opened.listing);
    await order(sell, { limit: "360.00", quantity: "4" });
    await choose(buy, opened.listing);
    const row = buy.locator(`${test("listings")} tbody tr`, { hasText: "360.00" }).first();
    await row.waitFor(WITHIN);
    await row.locator(test("take")).click();
    await buy.fill(test("take-quantity"), "2");
    await accessible(buy);
    await buy.locator(test("take-quantity")).press("Enter");
    await row.locator(test("take-state"), { hasText: "已上链" }).waitFor(WITHIN);
    await shoot(buy, "listing-1440-dark");
  });

  await step("a contract is proposed by one and signed by the other over one hash", async () => {
    await choose(sell, opened.bilateral);
    await choose(buy, opened.bilateral);
    const theirs = await buy.inputValue(test("unit"));
    const propose = async (limit) => {
      await sell.selectOption(test("counterparty"), theirs);
      await sell.selectOption(test("to"), "5");
      await order(sell, { limit, quantity: "1", period: null });
    };
    await propose("362.00");
    const mine = (page, limit) =>
      page.locator(`${test("contracts")} tbody tr`, { hasText: limit }).first();
    await mine(buy, "362.00").locator(test("confirm")).click(WITHIN);
    await mine(sell, "362.00").filter({ hasText: "已确认" }).waitFor(WITHIN);
    await accessible(buy);
    await shoot(buy, "bilateral-1440-dark");
    await propose("363.00");
    await mine(sell, "363.00").locator(test("withdraw")).click(WITHIN);
    await mine(buy, "363.00").filter({ hasText: "已撤回" }).waitFor(WITHIN);
  });

  for (const { faults, close } of [seller, buyer]) {
    assert.deepEqual(faults, []);
    await close();
  }
}

/** Goes to another page by the navigation, as a reader would. */
async function visit(page, name) {
  await page.click(test(`page-${name}`));
  await page.waitForSelector(`${test(`page-${name}`)}[aria-current="page"]`);
  assert.equal(new URL(page.url()).pathname, `/${name}`);
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "MAIN");
}

async function pickOperator(page, label) {
  const options = page.locator(`${test("operator")} option`);
  await options
    .filter({ hasText: label })
    .first()
    .waitFor({ state: "attached", ...WITHIN });
  const texts = await options.allInnerTexts();
  await page.selectOption(test("operator"), { index: texts.findIndex((t) => t.startsWith(label)) });
}

async function allowance(page, { way, side, quantity, limit }) {
  await page.selectOption(test("way"), way);
  await page.check(`input[name="allowance-side"][value="${side}"]`, { force: true });
  await page.fill(test("allowances"), quantity);
  await page.fill(test("allowance-price"), limit);
  await send(page);
}

/** Allowances, compliance and certificates; needs a settled day. */
export async function carbon() {
  const seller = await member("sell");
  const buyer = await member("buy");
  const sell = seller.page;
  const buy = buyer.page;
  await visit(sell, "carbon");
  await visit(buy, "carbon");

  await step("allowances are listed, taken and withdrawn", async () => {
    const own = sell.locator(`${test("allowance-orders")} tbody tr`, { hasText: "55.10" });
    const level = buy.locator(`${test("allowance-depth")} tbody tr`, { hasText: "55.10" });
    const deal = buy.locator(`${test("deals")} tbody tr`, { hasText: "55.10" });
    const hours = sell.locator(test("allowance-market"), { hasText: "00:00–12:00" });
    await hours.waitFor({ timeout: PATIENCE });
    // At the end of a market day listings end: then once more.
    for (let attempt = 0; (await deal.count()) === 0 && attempt < 3; attempt += 1) {
      const list = { way: "carbon-list", side: "sell", quantity: "100", limit: "55.10" };
      await allowance(sell, list);
      if (!(await appears(own)) || !(await appears(level))) continue;
      await allowance(buy, { way: "carbon-take", side: "buy", quantity: "40", limit: "56" });
      await appears(deal);
    }
    assert.match(await deal.first().innerText(), /挂牌协议.*55\.10.*40/s);
    await accessible(sell);
    await shoot(sell, "carbon-1440-dark");
    const withdraw = own.locator(test("withdraw")).first();
    if ((await withdraw.count()) > 0) await withdraw.click();
    await own.first().waitFor({ state: "detached", ...WITHIN });
    await sell.waitForFunction(
      (s) => document.querySelector(s)?.textContent === "0",
      test("locked"),
    );
  });

  await step("a bid is placed in a bidding", async () => {
    await buy.locator(test("bid")).first().click(WITHIN);
    await buy.fill(test("bid-quantity"), "10");
    await buy.fill(test("bid-price"), "54.20");
    await buy.locator(test("bid-price")).press("Enter");
    // A bid is in no list before the award; the chain has it.
    await buy.locator(test("bid-state"), { hasText: "已上链" }).first().waitFor(WITHIN);
  });

  await step("the compliance of a plant is shown with its forecast", async () => {
    await sell.locator(test("compliance"), { hasText: "清缴截止" }).waitFor(WITHIN);
    await sell.waitForSelector(test("gap"), SETTLED);
    assert.match(await sell.locator(test("obligation")).innerText(), /年度进行中/);
    assert.match(await sell.locator(test("gap")).innerText(), /缺口预测/);
  });

  await step("certificates are claimed, and anybody checks one by its number", async () => {
    const lot = buy.locator(`${test("my-certificates")} tbody tr`, { hasText: "已转让" }).first();
    await lot.waitFor(SETTLED);
    const number = /(\d+)–\d+/.exec(await lot.innerText())?.[1];
    await lot.locator(test("claim")).click();
    await buy.fill(test("claim-quantity"), "1");
    await buy.locator(test("claim-quantity")).press("Enter");
    const latest = buy.locator(test("latest"), { hasText: "核销绿证" });
    await latest.filter({ hasText: "已上链" }).waitFor(WITHIN);
    await buy.fill(test("check-number"), number);
    await buy.locator(test("check-number")).press("Enter");
    await buy.locator(test("checked"), { hasText: "已核销" }).waitFor(WITHIN);
    await buy.fill(test("check-number"), "999999999");
    await buy.locator(test("check-number")).press("Enter");
    await buy.getByText("没有该编号的绿证").waitFor(WITHIN);
    await accessible(buy);
    await shoot(buy, "certificates-1440-dark");
  });
  for (const { faults, close } of [seller, buyer]) {
    assert.deepEqual(faults, []);
    await close();
  }
}

async function appears(locator) {
  return locator
    .first()
    .waitFor({ timeout: 8_000 })
    .then(
      () => true,
      () => false,
    );
}

/** Statements, rules, sealed books, interventions; needs a settled day. */
export async function records() {
  const { page, faults, close } = await open(
    { width: 1440, height: 900 },
    { "duet-theme": "light", "duet-locale": "en" },
    "/statements",
  );

  await step("a month's statement is read down to the meters and blocks of a line", async () => {
    await pickOperator(page, "DT_1");
    await page.waitForSelector(`${test("items")} tbody tr`, SETTLED);
    assert.match(await page.locator(test("month-statement")).innerText(), /Draft/);
    await page
      .locator(`${test("item")} option`)
      .nth(1)
      .waitFor({ state: "attached", ...WITHIN });
    await page.selectOption(test("item"), "deviation");
    const line = page.locator(`${test("lines")} tbody tr`, { hasText: "Deviation" }).first();
    await line.waitFor(WITHIN);
    await line.locator(test("trace")).click();
    await page.waitForSelector(`${test("readings")} tbody tr`, WITHIN);
    const blocks = page.locator(`${test("trace-blocks")} tbody tr`);
    assert.ok((await blocks.count()) >= 2, "the readings and the settlement are there");
    assert.match(await page.locator(test("traced")).innerText(), /HEBEI-SOUTH v\d/);
    await accessible(page);
    await shoot(page, "statements-1440-light-en");
  });

  await step("a day's lines are downloaded, and an objection waits for its window", async () => {
    const [file] = await Promise.all([page.waitForEvent("download"), page.click(test("csv"))]);
    const text = await readFile(await file.path(), "utf8");
    assert.match(text, /^line,period,item,unit,trade,payer,payee,kWh,yuan\/MWh,yuan\n\d+\//);
    await page.fill(test("reason"), "the meter was read twice");
    assert.equal(await page.isDisabled(test("object")), true);
    assert.match(await page.innerText(test("object-hint")), /taken from \d{4}-\d{2}-\d{2}/);
  });

  await step("rules, sealed books and interventions are listed", async () => {
    await visit(page, "rules");
    const rule = page.locator(`${test("rules")} tbody tr`, { hasText: "HEBEI-SOUTH" }).first();
    await rule.waitFor(WITHIN);
    assert.match(await rule.innerText(), /In force/);
    const link = page.locator(test("download")).first();
    await link.waitFor(SETTLED);
    const [book] = await Promise.all([page.waitForEvent("download"), link.click()]);
    const sealed = JSON.parse(await readFile(await book.path(), "utf8"));
    assert.equal(sealed.version, 1);
    const halt = page.locator(`${test("interventions")} tbody tr`, { hasText: "Halt" }).first();
    assert.match(await halt.innerText(), /fire drill.*REGULATOR/s);
    await accessible(page);
    await shoot(page, "rules-1440-light-en");
  });
  assert.deepEqual(faults, []);
  await close();
}

/** The pages on a phone: nothing wider than the screen. */
export async function phone() {
  const size = { width: 390, height: 844 };
  const { page, faults, close } = await open(size, { "duet-theme": "dark" }, "/carbon");
  await step("the other pages fit a phone", async () => {
    await pickOperator(page, "DT_1");
    for (const name of ["carbon", "statements", "rules"]) {
      if (name !== "carbon") await visit(page, name);
      await page.waitForTimeout(1_000);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.equal(overflow, 0, name);
      await accessible(page);
      await shoot(page, `${name}-390-dark`);
    }
  });
  assert.deepEqual(faults, []);
  await close();
}
