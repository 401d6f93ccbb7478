// test_library.js: the tracks of the house, found as one types, and added by a tap.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Browsers, DESK, Hub, MUSIC, PHONE, go, until } from './house.js';

const HOSTILE = '<img src=x onerror="document.title=1"> ‮dlrow';
let browsers;

before(async () => { browsers = await new Browsers().start(); });
after(async () => { await browsers.end(); });

function shelf(files) {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-music-'));
  for (const file of files) {
    mkdirSync(join(directory, file, '..'), { recursive: true });
    copyFileSync(join(MUSIC, 'pier.mp3'), join(directory, file));
  }
  return directory;
}

const live = (page) => page.waitForSelector('.connection.live', { state: 'attached' });
const queued = (page) => page.locator('ol.queue .name').allTextContents();
const found = (page) => page.locator('.found .name').evaluateAll((names) => names.map((name) => name.firstChild.textContent));

async function shows(page, what, wanted) {
  await until(async () => JSON.stringify(await what(page)) === JSON.stringify(wanted), `${JSON.stringify(wanted)}`);
}

const looked = (hub, { token }) => until(async () => (await hub.call('GET', '/library', { token })).json.complete, 'the directory to be looked through');

async function search(page, words) {
  await page.fill('#library-words', '');
  await page.locator('#library-words').pressSequentially(words);
}

for (const [form, size] of [['phone', PHONE], ['desk', DESK]]) {
  test(`found as one types, added by a tap (${form})`, async (t) => {
    const music = shelf(['Ferry/Harbour/01 - Tide.mp3', 'Ferry/Harbour/02 - Rope.mp3', 'Night.mp3', `${HOSTILE.replaceAll('/', '')}.mp3`]);
    const hub = await new Hub({ library_directories: music }).start();
    t.after(async () => { await hub.end(); rmSync(music, { recursive: true }); });
    const session = await hub.session();
    const host = await browsers.open({ size });
    await host.goto(hub.hostLink(session.code));
    await live(host);
    await go(host, 'Queue');
    await looked(hub, session);
    await search(host, 'harb');
    await shows(host, found, ['Tide', 'Rope']);
    assert.equal(await host.locator('.found small').first().textContent(), 'Harbour');
    await host.click('.found button[aria-label*="Rope"]');
    await shows(host, queued, ['Rope']);
    // What is typed next is what is shown, and nothing of it is markup.
    await search(host, 'img');
    await shows(host, found, [HOSTILE.replace('‮', '?')]);
    assert.equal(await host.locator('.found img').count(), 0);
    await search(host, 'nowhere');
    await host.waitForSelector('.library .hint:has-text("Nothing was found.")');
    await host.fill('#library-words', '');
    await shows(host, found, []);
    // A guest asks, until everybody may add.
    const guest = await browsers.open({ size });
    await guest.goto(`${hub.url}/#join=${session.code}`);
    await guest.fill('#guest-name', 'Bath');
    await guest.click('button:has-text("Join")');
    await live(guest);
    await go(guest, 'Queue');
    await search(guest, 'night');
    await guest.click('.found button[aria-label^="Ask for"]');
    await go(host, 'Requests');
    await host.click('button:has-text("Approve")');
    await shows(guest, queued, ['Rope', 'Night']);
    assert.deepEqual([...host.errors, ...guest.errors], []);
  });
}

test('many are shown a page at a time', async (t) => {
  const music = shelf(Array.from({ length: 70 }, (_, n) => `Many/${String(n).padStart(2, '0')} - Song ${n}.mp3`));
  const hub = await new Hub({ library_directories: music }).start();
  t.after(async () => { await hub.end(); rmSync(music, { recursive: true }); });
  const session = await hub.session();
  const page = await browsers.open({ size: PHONE });
  await page.goto(hub.hostLink(session.code));
  await live(page);
  await go(page, 'Queue');
  const more = page.locator('.library button:has-text("Show more")');
  await looked(hub, session);
  await search(page, 'song');
  for (const shown of [30, 60, 70]) {
    await until(async () => (await found(page)).length === shown, `${shown} of them`);
    assert.equal(await more.isVisible(), shown < 70);
    if (shown < 70) await more.click();
  }
});
