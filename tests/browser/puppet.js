// puppet.js: a browser at the page, moved by a test in another language: puppet.js LINK. A line of its input is what to do, in
// JavaScript (a JSON string; page is there), a line of its output what that gave: { value } or { error }.
import { createInterface } from 'node:readline';
import { Browsers, until } from './house.js';

const Work = Object.getPrototypeOf(async () => {}).constructor;
const browsers = await new Browsers().start();
const page = await browsers.open();
await page.goto(process.argv[2]);
await page.waitForSelector('.connection.live, .entry form', { state: 'attached' });
console.log(JSON.stringify({ value: null }));
for await (const line of createInterface(process.stdin)) {
  try {
    const value = await new Work('page', 'until', JSON.parse(line))(page, until);
    console.log(JSON.stringify({ value: value ?? null, errors: page.errors }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
await browsers.end();
