// test_strangers.js: what others write is text; what other pages do is nothing; a token is in no address.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Browsers, DESK, Hub, MUSIC, NARROW, go, until } from './house.js';

const SONG = readFileSync(join(MUSIC, 'pier.mp3'));
const HOSTILE = [
  '<img src=x onerror="window.broken=1">', '<script>window.broken=1</script>', '"><svg onload=window.broken=1>', 'javascript:window.broken=1',
  '{{7*7}} ${7*7} <b>bold</b>', '\u202eevil\u2066 turned', 'שלום עולם – مرحبا بالعالم', 'W'.repeat(250), '🎵'.repeat(60), '&lt;b&gt; &amp;', "' OR 1=1 --",
];
let browsers;
let hub;
before(async () => { browsers = await new Browsers().start(); });
after(async () => { await browsers.end(); });

const live = (page) => page.waitForSelector('.connection.live', { state: 'attached' });
const tamed = (text) => text.replace(/[\u202e\u2066]/g, ' ').replace(/\s+/g, ' ').trim();

async function isWhole(page, what) {
  assert.equal(await page.evaluate(() => window.broken), undefined, what);
  assert.equal(await page.locator('#app img:not([src^="page/"]), #app script, #app b:has-text("bold")').count(), 0, what);
  const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(wide <= room, `${what}: ${wide} px wide in ${room}`);
  assert.deepEqual(page.errors, [], what);
}

test('names, requesters, reasons and whatever else others write are text', async (t) => {
  hub = await new Hub().start();
  t.after(() => hub.end());
  const session = await hub.session('<b>Host</b>');
  const guests = [];
  for (const name of HOSTILE) {
    const token = await hub.join(session.code, name);
    guests.push(token);
    await hub.add(session.id, session.token, name, SONG);
    await hub.add(session.id, token, name, SONG);
  }
  // A payload has room for far longer names, and for what is no text at all.
  const long = '<i>long</i> '.repeat(640);
  for (const payload of [{ name: long }, { name: { toString: 1 } }, { name: ['<b>bold</b>'] }, {}])
    assert.equal((await hub.call('POST', `/sessions/${session.id}/requests`, { token: guests[0], body: { request_type: 'add', payload: { track_id: 'x', media_url: '/static/uploads/x.mp3', ...payload } } })).status, 200);
  const page = await browsers.open({ size: NARROW });
  await page.goto(hub.hostLink(session.code));
  await live(page);
  await until(async () => (await page.locator('.queue li').count()) === HOSTILE.length, 'the queue');
  assert.deepEqual(await page.locator('.queue .name').allTextContents(), HOSTILE.map(tamed));
  await until(async () => (await page.locator('.requests li').count()) === HOSTILE.length + 4, 'the requests');
  const wishes = await page.locator('.requests .wish').allTextContents();
  HOSTILE.forEach((name, i) => assert.equal(wishes[i], `${tamed(name)} would like to hear ${tamed(name)}`));
  assert.ok(wishes[HOSTILE.length].startsWith(`${tamed(HOSTILE[0])} would like to hear <i>long</i> <i>long</i>`));
  assert.ok(wishes[HOSTILE.length].length < 600, 'and has a bound');
  assert.deepEqual(wishes.slice(HOSTILE.length + 1), Array(3).fill(`${tamed(HOSTILE[0])} would like to hear a track`));
  for (const view of ['Playing', 'Queue', 'Requests', 'More']) {
    await go(page, view);
    await isWhole(page, view);
  }
  // Each as the current track: title, tab, mini player.
  for (let i = 0; i < HOSTILE.length; i++) {
    await go(page, 'Queue');
    await page.locator('.queue .open').nth(i).click();
    await until(async () => (await page.locator('h1.title').textContent()) === tamed(HOSTILE[i]), HOSTILE[i]);
    assert.equal(await page.title(), `${tamed(HOSTILE[i])} – tutti`);
    await go(page, 'Playing');
    await isWhole(page, HOSTILE[i]);
  }
  // Each as a reason.
  await go(page, 'Requests');
  for (const reason of HOSTILE) {
    await page.locator('.requests button:has-text("Deny")').first().click();
    await page.fill('dialog input', reason);
    await isWhole(page, `asked for ${reason}`);
    await page.click('dialog button:has-text("Deny")');
    await page.waitForSelector('dialog', { state: 'detached' });
    await until(async () => (await page.locator('.requests .reason').allTextContents()).includes(tamed(reason.slice(0, 200))), `the reason ${reason}`);
    await isWhole(page, `reason ${reason}`);
  }
  // The name of a file, and the hub's refusal of it.
  await go(page, 'Queue');
  await page.setInputFiles('#files', HOSTILE.slice(0, 5).map((name) => ({ name: `${name.replaceAll('/', '')}.mp3`, mimeType: 'audio/mpeg', buffer: Buffer.from('no music'.repeat(100)) })));
  await until(async () => (await page.locator('.upload[data-state=failed]').count()) === 5, 'the refusals');
  await isWhole(page, 'uploads');
  // And what somebody types at the door.
  const door = await browsers.open({ size: NARROW });
  await door.goto(hub.url);
  for (const text of HOSTILE) {
    await door.fill('#code', text);
    await door.fill('#guest-name', text);
    await door.click('button:has-text("Join")');
    await door.waitForSelector('.wrong:not(:empty)');
    await isWhole(door, `door ${text}`);
  }
});

/** Sockets of speakers that say anything of themselves: from a page of the hub's own, for node has no WebSocket. */
async function reports(session, tokens, names) {
  const page = await browsers.open();
  await page.goto(hub.url);
  await page.evaluate(({ id, all, keys }) => Promise.all(all.map((name, i) => new Promise((resolve) => {
    const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/ws/sessions/${id}`, ['tutti-hub', `token.${keys[i]}`]);
    const speaker = { device_key: String(i).padStart(32, '0'), name, version: name, volume: 60, muted: false, device: name, device_error: name };
    socket.onopen = () => socket.send(JSON.stringify({ type: 'sync_ack', payload: { client_time: new Date().toISOString(), drift_ms: 0.01, sequence: 1, speaker } }));
    socket.onmessage = (event) => { if (JSON.parse(event.data).type === 'sync_ack') resolve(); };
  }))), { id: session.id, all: names, keys: tokens });
  return page;
}

test('what speakers say of themselves is text', async (t) => {
  hub = await new Hub().start();
  t.after(() => hub.end());
  const session = await hub.session();
  const tokens = [];
  for (const name of HOSTILE) tokens.push(await hub.join(session.code, name));
  const page = await browsers.open({ size: NARROW });
  await page.goto(hub.hostLink(session.code));
  await live(page);
  await reports(session, tokens, HOSTILE);
  await go(page, 'Rooms');
  await until(async () => (await page.locator('.rooms .room').count()) === HOSTILE.length, 'the speakers');
  const shown = async (part) => (await page.locator(`.rooms ${part}`).allTextContents()).map((text) => text.replace(/[\u2068\u2069]/g, '')).sort();
  // The hub says what a speaker's name may be, and cuts what is too long; no word of it is markup.
  const told = (await hub.call('GET', `/sessions/${session.id}/speakers`, { token: session.token })).json.speakers;
  assert.deepEqual(await shown('.name'), told.map(({ name }) => tamed(name)).sort());
  assert.deepEqual(await shown('.wrong'), told.map((one) => `Sound device: ${tamed(one.device_error)}`).sort());
  assert.deepEqual(await shown('.chip'), told.map(({ device }) => tamed(device)).sort());
  assert.ok(told.some(({ name }) => name.includes('<img')), 'and hostile ones are among them');
  await isWhole(page, 'rooms');
  // And those who ask to be let in.
  for (const [i, name] of HOSTILE.entries()) {
    const body = { device_id: `abcdef0${i}`.padEnd(16, '0'), name, key: crypto.randomUUID().replaceAll('-', '') };
    assert.equal((await hub.call('POST', '/pairing', { body })).status, 200, name);
  }
  await until(async () => (await page.locator('.sign').count()) === HOSTILE.length, 'those who ask');
  const asking = (await hub.call('GET', `/sessions/${session.id}/pairing`, { token: session.token })).json.map((one) => `${tamed(one.name)} wants to join. 127.0.0.1`);
  assert.deepEqual((await page.locator('.requests[aria-label="Want to join"] .wish').allTextContents()).sort(), asking.sort());
  await isWhole(page, 'asking');
  for (const name of HOSTILE) {
    await page.locator('.rooms button:has-text("Rename")').first().click();
    await page.fill('dialog input', name);
    await isWhole(page, `asked for ${name}`);
    await page.click('dialog button:has-text("Rename")');
    await page.waitForSelector('dialog', { state: 'detached' });
    await page.waitForTimeout(50);
    await isWhole(page, `renamed to ${name}`);
  }
});

test('a page of another origin can do nothing', async (t) => {
  hub = await new Hub().start();
  t.after(() => hub.end());
  const session = await hub.session();
  const item = await hub.add(session.id, session.token, 'A song', SONG);
  const other = createServer((request, answer) => answer.end('<!doctype html><title>other</title>')).listen(0, '127.0.0.1');
  t.after(() => other.close());
  const page = await browsers.open({ size: DESK });
  await page.goto(`http://127.0.0.1:${other.address().port}/`);
  const tried = await page.evaluate(async ({ url, id, token }) => {
    const call = async (method, path, body, headers) => {
      try {
        const answer = await fetch(url + path, { method, body, headers });
        return answer.status;
      } catch {
        return 'refused';
      }
    };
    const socket = (protocols, query = '') => new Promise((resolve) => {
      const ws = new WebSocket(`${url.replace('http', 'ws')}/ws/sessions/${id}${query}`, protocols);
      ws.onopen = () => resolve('open');
      ws.onerror = () => resolve('refused');
    });
    const frame = await new Promise((resolve) => {
      const element = document.createElement('iframe');
      element.onload = () => { try { resolve(element.contentDocument?.title ?? 'refused'); } catch { resolve('refused'); } };
      element.src = url;
      document.body.append(element);
    });
    const script = await new Promise((resolve) => {
      const element = document.createElement('script');
      element.onload = () => resolve('run');
      element.onerror = () => resolve('refused');
      element.src = `${url}/page/main.js`;
      document.body.append(element);
    });
    return {
      frame, script,
      login: await call('POST', '/auth/login', '{"name":"x","role":"host"}', { 'Content-Type': 'text/plain' }),
      read: await call('GET', `/sessions/${id}`, undefined, { 'X-User-Token': token }),
      play: await call('POST', `/sessions/${id}/playback`, '{"state":"playing"}', { 'X-User-Token': token }),
      socket: await socket(['tutti-hub', `token.${token}`]), query: await socket(undefined, `?token=${token}`),
    };
  }, { url: hub.url, id: session.id, token: session.token });
  assert.deepEqual(tried, { frame: 'refused', script: 'refused', login: 'refused', read: 'refused', play: 'refused', socket: 'refused', query: 'refused' });
  const glance = (await hub.call('GET', `/sessions/${session.id}`, { token: session.token })).json;
  assert.equal(glance.playback_state.state, 'paused');
  assert.deepEqual(glance.playlist.map((one) => one.id), [item.id]);
  // Not even under the hub's own address, when its name leads elsewhere.
  assert.equal((await hub.call('POST', '/auth/login', { body: { name: 'x', role: 'host' }, headers: { Origin: 'http://evil.example' } })).status, 403);
});

test('a token is in no address, no history, no log and no referrer', async (t) => {
  hub = await new Hub({ log_level: 'debug' }).start();
  t.after(() => hub.end());
  const session = await hub.session();
  const link = hub.hostLink(session.code);
  const token = link.split('.').at(-1);
  const page = await browsers.open({ size: DESK });
  const addresses = [];
  const referrers = [];
  page.on('request', (request) => { addresses.push(request.url()); referrers.push(request.headers().referer ?? ''); });
  page.on('websocket', (socket) => addresses.push(socket.url()));
  await page.goto(link);
  await live(page);
  await page.setInputFiles('#files', [{ name: 'song.mp3', mimeType: 'audio/mpeg', buffer: SONG }]);
  await until(async () => (await page.locator('.queue li').count()) === 1, 'the upload');
  await page.reload();
  await live(page);
  // The first is the link itself, whose # browsers keep to themselves.
  assert.ok(addresses.length > 20 && addresses.some((address) => address.startsWith('ws:')));
  for (const address of addresses) assert.ok(!address.split('#')[0].includes(token), address);
  assert.deepEqual([...new Set(referrers)], ['']);
  assert.ok(!page.url().includes(token));
  assert.equal(await page.evaluate(() => performance.getEntriesByType('navigation')[0].name.includes('host=')), false);
  await hub.stop();
  assert.ok(hub.log.length > 0 && !hub.log.includes(token) && !hub.log.includes(session.token));
  assert.deepEqual(page.errors, []);
});
