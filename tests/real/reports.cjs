// Opens pages in Chromium: each is whole without scripts, can be filtered and sorted with them, and axe finds nothing.
"use strict";
const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const [work, executablePath, shots] = process.argv.slice(2);
const address = (folder) => `file://${path.join(work, folder, "gate.html")}`;

async function withoutFaults(page, name) {
  // The page allows no script but its own; the debugger's are not the page's.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const told = violations.map((one) => `${one.id}: ${one.help}\n  ${one.nodes.map((node) => node.html).slice(0, 3).join("\n  ")}`);
  assert.deepStrictEqual(told, [], `axe on ${name}`);
}

const views = [
  { name: "light", colorScheme: "light", width: 1280 },
  { name: "dark", colorScheme: "dark", width: 1280 },
  { name: "narrow", colorScheme: "light", width: 390 },
];

async function look(browser, folder) {
  for (const { name, colorScheme, width } of views) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
    const page = await context.newPage();
    const loaded = [];
    page.on("request", (request) => loaded.push(request.url()));
    page.on("dialog", () => assert.fail("text of others ran as a script"));
    const complaints = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(address(folder));
    assert.deepStrictEqual(loaded, [address(folder)], "nothing is loaded from elsewhere");
    assert.deepStrictEqual(complaints, []);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${folder} ${name}: the page itself scrolls sideways by ${wide}`);
    for (const details of await page.locator("details").all()) await details.evaluate((one) => { one.open = true; });
    await withoutFaults(page, `${folder}, ${name}`);
    if (shots) await page.screenshot({ path: path.join(shots, `${folder}-${name}.png`), fullPage: true });
    await context.close();
  }
}

async function use(browser) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(address("mixed"));
  assert.match(await page.locator("h1").textContent(), /no verdict/);
  const rows = page.locator("#overview tbody tr");
  const shown = () => rows.evaluateAll((all) => all.filter((row) => !row.hidden).map((row) => row.querySelector("a").textContent));
  assert.strictEqual((await shown()).length, 5);
  assert.strictEqual((await shown())[0], "runs/nomodel.json", "the worst first");

  await page.getByLabel("Filter").fill("sure FRAUD");
  assert.deepStrictEqual(await shown(), ["runs/unsure.json"]);
  assert.match(await page.locator("output").textContent(), /^1 of 5/);
  assert.strictEqual(await page.locator("article:visible").count(), 2, "the change stays");
  await page.getByLabel("Filter").fill("");
  await page.getByLabel("Verdict", { exact: true }).selectOption("fail");
  assert.deepStrictEqual((await shown()).sort(), ["runs/fail.json", "runs/unsure.json"]);
  await page.getByLabel("Verdict", { exact: true }).selectOption("");

  // By keyboard alone.
  const run = page.getByRole("button", { name: "Run", exact: true });
  await run.focus();
  await page.keyboard.press("Enter");
  assert.strictEqual(await page.locator("th[aria-sort=ascending]").textContent(), "Run");
  assert.deepStrictEqual(await shown(), [...(await shown())].sort());
  await page.keyboard.press("Enter");
  assert.deepStrictEqual(await shown(), [...(await shown())].sort().reverse());
  await page.getByRole("button", { name: "Closest margin" }).click();
  assert.deepStrictEqual((await shown()).slice(-2), ["runs/nomodel.json", "runs/fail.json"], "what has no margin is last");

  await rows.first().locator("a").click();
  const target = await page.evaluate(() => document.querySelector("article:target h3").textContent);
  assert.ok(target.includes((await shown())[0]), "a row leads to its run");
}

async function withoutScripts(browser) {
  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await page.goto(address("mixed"));
  assert.ok(!(await page.locator("#tools").isVisible()), "no control that does nothing");
  assert.strictEqual(await page.locator("article:visible").count(), 6);
  assert.strictEqual(await page.locator("#overview tbody tr:visible").count(), 5);
}

// The best of a few: what else the machine does is not the page's.
async function opens(browser, folder) {
  let best = Infinity;
  for (let time = 0; time < 5; time++) {
    const page = await (await browser.newContext()).newPage();
    await page.goto(address(folder));
    best = Math.min(best, await page.evaluate(() => performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd));
    await page.context().close();
  }
  return best;
}

async function large(browser) {
  const bytes = fs.statSync(path.join(work, "many", "gate.html")).size;
  const ready = await opens(browser, "many");
  console.log(`   ${bytes} bytes, ready after ${Math.round(ready)} ms`);
  assert.ok(ready < 1000, "a page of a thousand runs opens in less than a second");
  const page = await (await browser.newContext()).newPage();
  await page.goto(address("many"));
  const rows = page.locator("#overview tbody tr");
  assert.strictEqual(await rows.count(), 1000);
  assert.strictEqual(await page.locator("article").count(), 1000, "every run has its details");
  assert.strictEqual(await page.getByRole("columnheader").count() >= 5, true, "it is a table for those who hear it");
  assert.strictEqual(await page.locator("#overview").getByRole("row").nth(1).getByRole("cell").count(), 4);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  assert.match(await rows.first().textContent(), /run-0000/);
  assert.match(await rows.last().textContent(), /run-0999/, "the parts of the table are sorted as one");
  await page.getByLabel("Filter").fill("run-0990");
  assert.match(await page.locator("output").textContent(), /^1 of 1000/);
  assert.strictEqual(await page.locator("#overview tbody:visible").count(), 1, "no room is kept for what is filtered out");
  await page.getByLabel("Filter").fill("");
  assert.match(await page.locator("output").textContent(), /^1000 of 1000/);
}

(async () => {
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    await use(browser);
    await withoutScripts(browser);
    for (const folder of ["mixed", "slices", "ledger", "time", "rules"]) await look(browser, folder);
    await large(browser);
  } finally {
    await browser.close();
  }
})().catch((error) => { console.error(error); process.exit(1); });
