// test_pictures.js: every view in every size and colour: nothing for axe to find, nothing too wide, and a picture of it.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { apic, picture, withTag } from './covers.js';
import { AXE, Browsers, DESK, Hub, MUSIC, NARROW, PHONE, Speaker, go, until } from './house.js';

const OUT = process.env.TUTTI_PICTURES ?? join(process.env.TUTTI_BROWSER_DIR, 'pictures');
const song = (name) => readFileSync(join(MUSIC, `${name}.mp3`));
const NAMES = ['Lantern Street – Morning Ferry', 'The Pier Ensemble – Low Tide', 'Meadow Choir – Evening Song, from “Seven Hills”', 'Harbour Lights – Slow Boat'];
const FILES = ['meadow', 'pier', 'harbour', 'lantern'];
/** The last has none, as some have not. */
const HUES = [200, 28, 120];
const track = (i) => (HUES[i] === undefined ? song(FILES[i]) : withTag([apic(picture(480, HUES[i]), 'image/png')], song(FILES[i])));
let browsers;
let hub;
let session;
let speakers;
/** A page at the rooms, from the beginning: its lines become longer while the others are looked at. */
let rooms;

before(async () => {
  mkdirSync(OUT, { recursive: true });
  browsers = await new Browsers().start();
  hub = await new Hub({ limits_pending_requests: 10 }).start();
  session = await hub.session('Kitchen');
  for (const [i, name] of NAMES.entries()) await hub.add(session.id, session.token, name, track(i));
  await until(async () => (await hub.call('GET', `/sessions/${session.id}/playlist`, { token: session.token }))
    .json.filter((item) => item.cover_url).length === HUES.length, 'the covers');
  const anna = await hub.join(session.code, 'Anna');
  const denied = await hub.add(session.id, anna, 'Northern Lights – Long Version', song('pier'));
  await hub.add(session.id, anna, 'Rain on the Roof', song('lantern'));
  await hub.call('POST', `/sessions/${session.id}/playback`, { token: session.token, body: { state: 'playing', position_ms: 21000 } });
  await hub.call('POST', '/pairing', { body: { device_id: 'abcdef0123456789', name: 'Balcony', key: '4'.repeat(32) } });
  await hub.call('PATCH', `/sessions/${session.id}/settings`, { token: session.token, body: { repeat: 'all' } });
  session.denied = denied.id;
  speakers = ['Kitchen', 'Living room', 'Bathroom'].map((name) => new Speaker(hub, session.code, name));
  rooms = await browsers.open();
  await rooms.goto(hub.hostLink(session.code));
  await rooms.waitForSelector('.connection.live', { state: 'attached' });
  await go(rooms, 'Rooms');
  await until(async () => (await rooms.locator('.room[data-standing=known]').count()) === speakers.length, 'the speakers to play');
});
after(async () => {
  await browsers.end();
  for (const speaker of speakers ?? []) await speaker.end();
  await hub.end();
});

async function axe(page, what) {
  // Injected by the browser's own protocol: the page's policy would not let it in otherwise.
  await page.evaluate(readFileSync(AXE, 'utf8'));
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  assert.deepEqual(found.violations.map((one) => [one.id, one.nodes.map((node) => node.html.slice(0, 160))]), [], what);
}

async function fits(page, what) {
  const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(wide <= room, `${what}: ${wide} px wide in ${room}`);
}

async function views(options, each) {
  const page = await browsers.open(options);
  await page.goto(hub.url);
  await page.waitForSelector('.entry');
  await each(page, 'entry');
  await page.click('summary');
  await each(page, 'host');
  await page.goto(hub.hostLink(session.code));
  await page.waitForSelector('.connection.live', { state: 'attached' });
  await until(async () => (await page.locator('.queue li').count()) === NAMES.length, 'the queue');
  for (const name of ['playing', 'queue', 'rooms', 'requests', 'more']) {
    await page.evaluate((view) => { location.hash = view; }, name);
    await page.waitForSelector(`.shell[data-view=${name}]`);
    await until(() => page.locator('.art').evaluateAll((images) => images.every((image) => {
      const box = image.getBoundingClientRect();
      return box.width === 0 || box.top > innerHeight || image.parentElement.classList.contains('pictured');
    })), 'the covers to be drawn');
    if (name === 'rooms') await until(async () => (await page.locator('.room[data-standing=known]').count()) === speakers.length, 'the rooms');
    await each(page, name);
  }
  assert.deepEqual(page.errors, []);
  await page.context().close();
}

for (const [form, size] of [['narrow', NARROW], ['phone', PHONE], ['desk', DESK]]) {
  for (const scheme of ['light', 'dark']) {
    for (const locale of ['en', 'de']) {
      test(`${form}, ${scheme}, ${locale}: axe finds nothing, and all of it fits`, async () => {
        await views({ size, scheme, locale }, async (page, name) => {
          await axe(page, `${form} ${scheme} ${name}`);
          await fits(page, `${form} ${scheme} ${name}`);
        });
      });
    }
  }
}

test('a question can be answered by keys alone, and axe finds nothing', async () => {
  const page = await browsers.open({ size: PHONE });
  await page.goto(hub.hostLink(session.code));
  await page.waitForSelector('.connection.live', { state: 'attached' });
  await go(page, 'Requests');
  const deny = page.locator('.requests button:has-text("Deny")').first();
  await deny.focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog');
  await axe(page, 'dialog');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
  assert.ok(await deny.evaluate((button) => button === document.activeElement), 'the focus comes back');
  assert.equal(await page.locator('.chip[data-state=pending]').count(), 2, 'nothing was decided');
});

test('every view can be reached and left by Tab', async () => {
  const page = await browsers.open({ size: DESK });
  await page.goto(hub.hostLink(session.code));
  await page.waitForSelector('.connection.live', { state: 'attached' });
  const reached = new Set();
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent));
  }
  for (const label of ['Pause', 'Next track', 'Position', 'Add music', 'Queue', 'More']) assert.ok([...reached].some((one) => one?.startsWith(label)), label);
});

/** One picture of all views beside each other. */
async function sheet(file, shots, height) {
  const page = await browsers.open({ size: { width: 2400, height } });
  await page.setContent(`<body style="margin:0;display:inline-flex;gap:14px;padding:14px;background:#8d9299">${shots.map((shot) =>
    `<img style="height:${height}px;border-radius:14px" src="data:image/png;base64,${shot.toString('base64')}">`).join('')}`);
  await page.locator('img').last().evaluate((image) => image.decode());
  await page.locator('body').screenshot({ path: join(OUT, file) });
  await page.context().close();
}

async function roomsShot(size, scheme) {
  await rooms.setViewportSize(size);
  await rooms.emulateMedia({ colorScheme: scheme });
  return rooms.screenshot();
}

test('pictures', async () => {
  await hub.call('POST', `/requests/${session.denied}/deny`, { token: session.token, body: { reason: 'Too long for tonight' } });
  await hub.call('POST', `/sessions/${session.id}/playback`, { token: session.token, body: { state: 'playing', position_ms: 21000 } });
  for (const [form, size, height] of [['phone', PHONE, 640], ['desk', DESK, 520]]) {
    for (const scheme of ['light', 'dark']) {
      const shots = [];
      await views({ size, scheme }, async (page, name) => {
        if (name === 'host' || (form === 'desk' && name === 'playing')) return;
        shots.push(await (name === 'rooms' ? roomsShot(size, scheme) : page.screenshot()));
      });
      const parts = form === 'phone' ? [['', shots]] : [['_1', shots.slice(0, 2)], ['_2', shots.slice(2, 4)], ['_3', shots.slice(4)]];
      for (const [suffix, some] of parts) await sheet(`page_${form}_${scheme}${suffix}.png`, some, height);
    }
  }
});
