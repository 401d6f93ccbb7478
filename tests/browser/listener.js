// listener.js: a browser that plays here, for a test in another language: listener.js LINK SECONDS ALSA_DEVICE. Prints what
// it shows of its own drift, a JSON object a line, until the seconds are over.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const outside = createRequire(join(process.env.TUTTI_BROWSER_DIR, 'package.json'));
const { chromium } = outside('playwright-core');
const [link, seconds, device] = process.argv.slice(2);

const browser = await chromium.launch({
  executablePath: process.env.TUTTI_CHROMIUM ?? '/usr/bin/chromium', headless: true, ignoreDefaultArgs: ['--mute-audio'],
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', `--alsa-output-device=${device}`, '--audio-buffer-size=4096'],
});
const page = await (await browser.newContext({ viewport: { width: 390, height: 844 } })).newPage();
page.on('pageerror', (error) => console.error(String(error)));
page.on('console', (message) => console.error(message.text()));
await page.goto(link);
await page.waitForSelector('.connection.live', { state: 'attached' });
await page.click('button:has-text("Play here")');
const end = Date.now() + 1000 * Number(seconds);
while (Date.now() < end) {
  const { state, drift } = await page.locator('.listen').evaluate((element) => ({ ...element.dataset }));
  console.log(JSON.stringify({ at: process.hrtime.bigint().toString(), state, drift: drift === undefined ? null : Number(drift) }));
  await page.waitForTimeout(500);
}
await page.click('button:has-text("Playing here")');
await browser.close();
