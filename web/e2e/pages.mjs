// The other modes of trading and the other pages, driven against a running demo.
import assert from "node:assert/strict";
import { accessible, chooseOperator, open, PATIENCE, shoot, step, test, url } from "./driver.mjs";

const WITHIN = { timeout: 30_000 };

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

async function trade(opened) {
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

/** Everything that the joint session does not show; `opened` has a session of each mode. */
export async function pages(opened) {
  await trade(opened);
}
