// test_covers.js: the picture that a track brings along is seen wherever the track is, and nothing else is that calls itself one.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Browsers, DESK, Hub, MUSIC, NARROW, PHONE, go, until } from './house.js';
import { apic, picture, withTag } from './covers.js';

const song = readFileSync(join(MUSIC, 'pier.mp3'));
const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>document.title="owned"</script></svg>');
/** It begins like a picture, and is none. */
const TORN = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from('<script>document.title="owned"</script>'.repeat(40))]);
let browsers;

before(async () => { browsers = await new Browsers().start(); });
after(async () => { await browsers.end(); });

const live = (page) => page.waitForSelector('.connection.live', { state: 'attached' });
const described = (hub, session, count) => until(async () => (await hub.call('GET', `/sessions/${session.id}/playlist`, { token: session.token }))
  .json.filter((item) => 'gain_db' in item).length === count, 'the tracks to be looked at');
const drawn = (page, where) => until(() => page.locator(where).evaluateAll((images) => images.some((image) => image.complete && image.naturalWidth === 64
  && getComputedStyle(image).opacity === '1' && image.getBoundingClientRect().width > 20)), `a picture in ${where}`);

async function house(t, tracks, options = {}) {
  const hub = await new Hub(options).start();
  t.after(() => hub.end());
  const session = await hub.session();
  for (const [name, bytes] of tracks) await hub.add(session.id, session.token, name, bytes);
  await described(hub, session, tracks.length);
  return { hub, session };
}

for (const [form, size] of [['narrow', NARROW], ['phone', PHONE], ['desk', DESK]]) {
  for (const locale of ['en', 'de']) {
    test(`it is seen in what plays, the queue and the library (${form}, ${locale})`, async (t) => {
      const music = mkdtempSync(join(tmpdir(), 'tutti-music-'));
      t.after(() => rmSync(music, { recursive: true }));
      mkdirSync(join(music, 'Ferry'));
      writeFileSync(join(music, 'Ferry/Harbour.mp3'), withTag([apic(picture(64, 30), 'image/png')], song));
      const { hub, session } = await house(t, [['With', withTag([apic(picture(64, 200), 'image/png')], song)], ['Without', song]], { library_directories: music });
      await hub.call('POST', `/sessions/${session.id}/playback`, { token: session.token, body: { state: 'paused', position_ms: 1000 } });
      const page = await browsers.open({ size, locale });
      await page.goto(hub.hostLink(session.code));
      await live(page);
      if (form === 'desk') await page.evaluate(() => { document.documentElement.dir = 'rtl'; });
      await page.evaluate(() => { location.hash = 'playing'; });
      await drawn(page, '.cover.pictured > img');
      assert.equal(await page.locator('.cover > img').getAttribute('alt'), locale === 'en' ? 'Cover of \u2068With\u2069' : 'Cover von \u2068With\u2069');
      await page.evaluate(() => { location.hash = 'queue'; });
      await drawn(page, 'ol.queue li:nth-child(1) img');
      assert.equal(await page.locator('ol.queue li:nth-child(2) img').count(), 0, 'what has none shows its number');
      assert.equal(await page.locator('ol.queue li:nth-child(2) .number').textContent(), '2');
      assert.deepEqual(await page.locator('ol.queue img').evaluateAll((images) => images.map((image) => [image.loading, image.alt])), [['lazy', '']]);
      await until(async () => (await hub.call('GET', '/library', { token: session.token })).json.complete, 'the directory to be looked through');
      await page.locator('#library-words').pressSequentially('harb');
      await drawn(page, '.found img');
      const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(wide <= room, `${wide} px wide in ${room}`);
      assert.deepEqual(page.errors, []);
      await page.context().close();
    });
  }
}

test('the next track has its own, or none', async (t) => {
  const { hub, session } = await house(t, [['One', withTag([apic(picture(64, 200), 'image/png')], song)], ['Two', song]]);
  const page = await browsers.open();
  await page.goto(hub.hostLink(session.code));
  await live(page);
  const play = (body) => hub.call('POST', `/sessions/${session.id}/playback`, { token: session.token, body });
  const items = (await hub.call('GET', `/sessions/${session.id}/playlist`, { token: session.token })).json;
  await play({ state: 'paused', position_ms: 0, track_id: items[0].track_id });
  await page.evaluate(() => { location.hash = 'playing'; });
  await drawn(page, '.cover > img');
  await play({ state: 'paused', position_ms: 0, track_id: items[1].track_id });
  await until(async () => (await page.locator('.cover > img').count()) === 0 && !(await page.locator('.cover.pictured').count()), 'the colour of the second');
});

test('what only calls itself a picture is not shown, and runs nothing', async (t) => {
  const { hub, session } = await house(t, [['Svg', withTag([apic(SVG, 'image/svg+xml')], song)], ['Torn', withTag([apic(TORN, 'image/jpeg')], song)]]);
  const items = (await hub.call('GET', `/sessions/${session.id}/playlist`, { token: session.token })).json;
  assert.deepEqual(items.map((item) => 'cover_url' in item), [false, true]);
  const page = await browsers.open();
  await page.goto(hub.hostLink(session.code));
  await live(page);
  await page.evaluate(() => { location.hash = 'queue'; });
  await page.waitForSelector('ol.queue li:nth-child(2) .name');
  await page.locator('ol.queue li:nth-child(2)').scrollIntoViewIfNeeded();
  await until(async () => (await page.locator('ol.queue img').count()) === 0, 'the torn one to be given up');
  assert.equal(await page.locator('.pictured').count(), 0);
  // Opened by itself, it is still nothing but a picture, and no document of the hub's.
  await page.goto(hub.url + items[1].cover_url).catch(() => {});
  assert.notEqual(await page.title(), 'owned');
  assert.equal(await page.locator('script').count(), 0);
});

for (const [form, size] of [['narrow', NARROW], ['phone', PHONE]]) {
  test(`news cover nothing of what plays and what is next (${form})`, async (t) => {
    const { hub, session } = await house(t, [['One', song], ['Two', song]]);
    await hub.call('POST', `/sessions/${session.id}/playback`, { token: session.token, body: { state: 'paused', position_ms: 1000 } });
    const page = await browsers.open({ size });
    await page.goto(hub.hostLink(session.code));
    await live(page);
    await page.evaluate(() => { location.hash = 'playing'; });
    await page.waitForSelector('.following:has-text("Two")');
    await page.evaluate(async () => { (await import('/page/dialog.js')).news('Not now: the host has asked for something else', 'bad'); });
    const overlapping = await page.evaluate(() => {
      const toast = document.querySelector('.toast').getBoundingClientRect();
      return ['.following', '.title', '.place', '.progress', '.controls', 'nav'].filter((name) => {
        const box = document.querySelector(name).getBoundingClientRect();
        return box.top < toast.bottom && toast.top < box.bottom;
      });
    });
    assert.deepEqual(overlapping, []);
  });
}
