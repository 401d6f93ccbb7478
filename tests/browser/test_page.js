// test_page.js: an evening at the page, by taps and keys, with a hub that goes and comes back.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { BUILD, Browsers, DESK, Hub, MUSIC, PHONE, go, readQr, until } from './house.js';

const SONG = readFileSync(join(MUSIC, 'pier.mp3'));
const LONG = readFileSync(join(MUSIC, 'harbour.mp3'));
const file = (name, buffer = SONG) => ({ name, mimeType: 'audio/mpeg', buffer });
let browsers;
let hub;

before(async () => { browsers = await new Browsers().start(); });
after(async () => { await browsers.end(); });

async function house(options) {
  hub = await new Hub(options).start();
}

const live = (page) => page.waitForSelector('.connection.live', { state: 'attached' });
const names = (page) => page.locator('.queue .name').allTextContents();
const title = (page) => page.locator('h1.title').textContent();

async function asHost(session, options) {
  const page = await browsers.open(options);
  await page.goto(hub.hostLink(session.code));
  await live(page);
  return page;
}

async function asGuest(code, name, options) {
  const page = await browsers.open(options);
  await page.goto(`${hub.url}/#join=${code}`);
  await page.fill('#guest-name', name);
  await page.click('button:has-text("Join")');
  await live(page);
  return page;
}

async function shown(page, what, wanted) {
  await until(async () => {
    const is = await what(page);
    return JSON.stringify(is) === JSON.stringify(wanted);
  }, `${what.name || 'the page'} to show ${JSON.stringify(wanted)}`).catch(async (error) => {
    throw new Error(`${error.message}; it shows ${JSON.stringify(await what(page))}`);
  });
}

for (const [form, size] of [['phone', PHONE], ['desk', DESK]]) {
  test(`an evening by taps only (${form})`, async (t) => {
    await house();
    t.after(() => hub.end());
    // The host begins a session, on a hub without a password.
    const host = await browsers.open({ size });
    await host.goto(hub.url);
    await host.click('summary');
    await host.fill('#host-name', 'Ada');
    await host.click('button:has-text("Continue")');
    await host.click('button:has-text("Start a new session")');
    await live(host);
    // Three tracks at once.
    await go(host, 'Queue');
    await host.setInputFiles('#files', [file('one_song.mp3'), file('two.mp3'), file('three.mp3')]);
    await shown(host, names, ['one song', 'two', 'three']);
    await until(async () => (await host.locator('.upload').count()) === 0, 'the uploads to be done');
    // A guest, by the code that the host's page shows.
    await go(host, 'More');
    const code = await host.locator('.invite-code').textContent();
    const guest = await asGuest(code, 'Bo', { size });
    await go(guest, 'Queue');
    await shown(guest, names, ['one song', 'two', 'three']);
    assert.equal(await guest.locator('.controls').isVisible(), false);
    // Play the second: both pages show it, and that it goes on.
    await go(host, 'Queue');
    await host.click('.queue .open >> nth=1');
    await shown(host, title, 'two');
    await shown(guest, title, 'two');
    for (const page of [host, guest]) {
      const at = Number(await page.locator('.progress .bar').inputValue());
      await until(async () => Number(await page.locator('.progress .bar').inputValue()) > at, 'the progress to go on');
    }
    // Reorder by the grip's keys; the guest sees it.
    await host.locator('.queue .grip >> nth=2').focus();
    await host.keyboard.press('ArrowUp');
    await shown(guest, names, ['one song', 'three', 'two']);
    await shown(host, names, ['one song', 'three', 'two']);
    // Seek, pause, next, previous.
    if (form === 'phone') await go(host, 'Playing');
    await host.locator('.progress .bar').evaluate((bar) => { bar.value = '2000'; bar.dispatchEvent(new Event('input')); bar.dispatchEvent(new Event('change')); });
    await until(async () => Number(await guest.locator('.progress .bar').inputValue()) >= 2000, 'the guest to see the new place');
    await host.click('.round.play');
    await host.waitForSelector('.round.play[aria-label="Play"]');
    await host.click('.round.previous');
    await shown(guest, title, 'three');
    await host.click('.round.next');
    await shown(guest, title, 'two');
    // The guest asks for a track and for a removal; the host approves one and denies the other.
    await guest.setInputFiles('#files', [file('wish.mp3')]);
    await guest.click('.queue li:has-text("one song") button[aria-label^="Remove"]');
    await guest.click('dialog button:has-text("Ask")');
    await go(host, 'Requests');
    await until(async () => (await host.locator('.chip[data-state=pending]').count()) === 2, 'both requests');
    await host.click('li.card:has-text("wish") button:has-text("Approve")');
    await shown(host, names, ['one song', 'three', 'two', 'wish']);
    await host.click('li.card:has-text("one song") button:has-text("Deny")');
    await host.fill('dialog input', 'We love it');
    await host.keyboard.press('Enter');
    await go(guest, 'Requests');
    await guest.waitForSelector('li.card:has-text("We love it") .chip[data-state=denied]');
    await guest.waitForSelector('li.card:has-text("wish") .chip[data-state=approved]');
    // Remove.
    await go(host, 'Queue');
    await host.click('.queue li:has-text("three") button[aria-label^="Remove"]');
    await host.click('dialog button:has-text("Remove")');
    await shown(guest, names, ['one song', 'two', 'wish']);
    assert.deepEqual([...host.errors, ...guest.errors], []);
  });
}

test('a browser is one member, however often it comes', async (t) => {
  await house();
  t.after(() => hub.end());
  const session = await hub.session();
  const members = () => Number(/^\S+ +(\d+)/m.exec(hub.run('session', 'list').stdout.split('\n')[1])[1]);
  const page = await asGuest(session.code, 'Anna');
  const before = members();
  await page.reload();
  await live(page);
  await page.goto('about:blank');
  await page.goto(`${hub.url}/#join=${session.code}`);
  await live(page);
  await go(page, 'More');
  await page.click('button:has-text("Another session")');
  await page.fill('#code', session.code.toLowerCase());
  await page.click('button:has-text("Join")');
  await live(page);
  assert.equal(members(), before);
});

test('who knows the password of the house is host of what there is', async (t) => {
  await house({ house_password: 'open sesame' });
  t.after(() => hub.end());
  const { json: { token } } = await hub.call('POST', '/auth/login', { body: { name: 'Kitchen', role: 'host', password: 'open sesame' } });
  const { json: made } = await hub.call('POST', '/sessions', { token, body: { host_name: 'Kitchen', session_name: 'Evening' } });
  const page = await browsers.open();
  await page.goto(hub.url);
  await page.click('summary');
  await page.fill('#host-name', 'Ada');
  await page.fill('#password', 'wrong');
  await page.click('button:has-text("Continue")');
  await page.waitForSelector('.wrong:has-text("password")');
  await page.fill('#password', 'open sesame');
  await page.click('button:has-text("Continue")');
  await page.click('.choice:has-text("Evening")');
  await live(page);
  await until(async () => (await page.locator('.top .chip').textContent()) === 'Host', 'to be the host');
  assert.equal((await hub.call('GET', `/sessions/${made.session_id}`, { token })).json.code, made.code, 'the speaker is host still');
});

test('what is lost is said, and what is shown is never old without saying so', async (t) => {
  await house();
  t.after(() => hub.end());
  const session = await hub.session();
  await hub.add(session.id, session.token, 'A song', LONG);
  const page = await asHost(session);
  await page.click('.round.play');
  await page.waitForSelector('.round.play[aria-label="Pause"]');
  // The hub falls silent without a word: within seconds the page knows.
  hub.process.kill('SIGSTOP');
  await page.waitForSelector('.banner:has-text("Connection lost")');
  assert.equal(await page.locator('.round.play').isDisabled(), true);
  const at = await page.locator('.progress .bar').inputValue();
  await page.waitForTimeout(1200);
  assert.equal(await page.locator('.progress .bar').inputValue(), at, 'a progress that nobody vouches for stands still');
  hub.process.kill('SIGCONT');
  await live(page);
  await page.waitForSelector('.banner', { state: 'hidden' });
  await until(async () => Number(await page.locator('.progress .bar').inputValue()) > Number(at), 'the progress to go on');
  // It goes and comes back: with what it knew.
  await hub.stop('SIGKILL');
  await page.waitForSelector('.banner:has-text("Connection lost")');
  await hub.start();
  await live(page);
  assert.equal(await title(page), 'A song');
  assert.deepEqual(page.errors, []);
});

test('a command is pending until the hub confirms it, and says so when it does not', async (t) => {
  await house();
  t.after(() => hub.end());
  const session = await hub.session();
  await hub.add(session.id, session.token, 'A song', LONG);
  const page = await asHost(session);
  hub.process.kill('SIGSTOP');
  await page.click('.round.play');
  await page.waitForSelector('.round.play.busy');
  assert.equal(await page.locator('.round.play').getAttribute('aria-label'), 'Play', 'nothing is shown that is not confirmed');
  await page.waitForSelector('.toast.bad:has-text("Not confirmed")');
  hub.process.kill('SIGCONT');
  await live(page);
});

test('repeat, shuffle and back: everybody is shown them, the host changes them', async (t) => {
  await house();
  t.after(() => hub.end());
  const session = await hub.session();
  // The same track three times: only the item's id tells them apart.
  for (const name of ['a', 'b', 'c']) await hub.add(session.id, session.token, name, LONG, 'one');
  const host = await asHost(session, { size: DESK });
  const guest = await asGuest(session.code, 'Bo', { size: DESK });
  await shown(host, names, ['a', 'b', 'c']);
  const next = (page) => page.locator('.following').textContent();
  const settings = async () => (await hub.call('GET', `/sessions/${session.id}/settings`, { token: session.token })).json;
  await host.click('.queue .open >> nth=2');
  await shown(host, title, 'c');
  await shown(guest, next, 'The last track of the queue');
  await host.click('.round.repeat[aria-label="Repeat: off"]');
  await shown(guest, next, 'Next: a');
  await host.click('.round.repeat[aria-label="Repeat: all"]');
  await shown(guest, next, 'Next: this one again');
  assert.equal((await settings()).repeat, 'one');
  await host.click('.round.repeat[aria-label="Repeat: this track"]');
  await host.waitForSelector('.round.repeat[aria-label="Repeat: off"]');
  // After the last one there is none, and that is said; back there is.
  await host.click('.round.next');
  await host.waitForSelector('.toast.bad:has-text("Not done")');
  await host.click('.round.previous');
  await shown(host, title, 'b');
  await host.click('.round.shuffle[aria-pressed=false]');
  await host.waitForSelector('.round.shuffle[aria-pressed=true]');
  await shown(guest, next, 'Next: shuffled');
  await host.click('.round.next');
  await until(async () => (await title(host)) !== 'b', 'another one');
  await host.click('.round.previous');
  await shown(host, title, 'b');
  assert.equal((await settings()).shuffle, true);
  // What the hub does not confirm is not shown, and said.
  await hub.stop('SIGKILL');
  await host.waitForSelector('.banner:has-text("Connection lost")');
  assert.equal(await host.locator('.round.shuffle').isDisabled(), true);
  await hub.start();
  await live(host);
  await host.click('.round.shuffle[aria-pressed=true]');
  await host.waitForSelector('.round.shuffle[aria-pressed=false]');
  assert.deepEqual([...host.errors, ...guest.errors], []);
});

/** What a camera would read of it. */
async function scan(locator) {
  const picture = (await locator.screenshot()).toString('base64');
  const page = await browsers.open();
  const { data, width, height } = await page.evaluate(async (source) => {
    const image = new Image();
    image.src = `data:image/png;base64,${source}`;
    await image.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.width, image.height];
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    return { data: [...context.getImageData(0, 0, image.width, image.height).data], width: image.width, height: image.height };
  }, picture);
  return readQr(Uint8ClampedArray.from(data), width, height)?.data;
}

for (const scheme of ['light', 'dark']) {
  test(`the invitation is a link, and a code that cameras read (${scheme})`, async (t) => {
    await house();
    t.after(() => hub.end());
    const session = await hub.session();
    const page = await asHost(session, { scheme });
    await go(page, 'More');
    const link = await page.locator('.address').textContent();
    assert.equal(link, `${hub.url}/#join=${session.code}`);
    if (existsSync(join(BUILD, 'share/tutti/page/qrcode.js'))) assert.equal(await scan(page.locator('.qr')), link);
    else {
      t.diagnostic('this build has no encoder of QR codes');
      assert.equal(await page.locator('.qr').count(), 0);
    }
    const guest = await browsers.open();
    await guest.goto(link);
    await guest.fill('#guest-name', 'Anna');
    await guest.click('button:has-text("Join")');
    await live(guest);
    assert.deepEqual([...page.errors, ...guest.errors], []);
  });
}

test('a membership that is gone is said, and forgotten', async (t) => {
  await house();
  t.after(() => hub.end());
  const session = await hub.session();
  const page = await asGuest(session.code, 'Anna');
  assert.equal(hub.run('--yes', 'session', 'delete', session.code).status, 0);
  await page.waitForSelector('.notice:has-text("does not know this browser")');
  await page.reload();
  await page.waitForSelector('#code');
});

test('an upload that is refused or interrupted is said, and nothing is lost', async (t) => {
  await house();
  t.after(() => hub.end());
  const session = await hub.session();
  const page = await asHost(session);
  await go(page, 'Queue');
  await page.setInputFiles('#files', [file('no music.mp3', Buffer.from('This is no music. '.repeat(500))), file('music.mp3')]);
  await page.waitForSelector('.upload[data-state=failed]');
  await shown(page, names, ['music']);
  assert.match(await page.locator('.upload .state').textContent(), /not added: /);
  await page.click('.upload button[aria-label^="Cancel"]');
  await until(async () => (await page.locator('.upload').count()) === 0, 'it to be put away');
  // The hub dies in the middle of an upload; it is sent again when the hub is back.
  hub.process.kill('SIGSTOP');
  await page.setInputFiles('#files', [file('interrupted.mp3', LONG)]);
  await page.waitForSelector('.upload');
  await hub.stop('SIGKILL');
  await page.waitForSelector('.upload[data-state=interrupted]');
  await hub.start();
  await shown(page, names, ['music', 'interrupted']);
  // Cancelled, with more yet to send than sockets keep: what has arrived whole is added.
  const large = join(hub.directory, 'cancelled.mp3'); /* on disk: what is given as bytes goes to the browser in base64 */
  writeFileSync(large, Buffer.concat(Array(30).fill(LONG)));
  hub.process.kill('SIGSTOP');
  await page.setInputFiles('#files', large);
  await page.click('.upload button[aria-label^="Cancel"]');
  await until(async () => (await page.locator('.upload').count()) === 0, 'it to be gone');
  hub.process.kill('SIGCONT');
  await live(page);
  await hub.add(session.id, session.token, 'after it', SONG);
  await shown(page, names, ['music', 'interrupted', 'after it']);
  assert.deepEqual(page.errors, []);
});

test('rows are dragged by their grip', async (t) => {
  await house();
  t.after(() => hub.end());
  const session = await hub.session();
  for (const name of ['a', 'b', 'c', 'd']) await hub.add(session.id, session.token, name, SONG);
  const page = await asHost(session, { size: DESK });
  const middle = async (name) => {
    const box = await page.locator(`.queue li:has(.name:text-is("${name}")) .grip`).boundingBox();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const [x, y] = await middle('a');
  const [, below] = await middle('c');
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x, (y + below) / 2, { steps: 4 });
  await page.mouse.move(x, below + 4, { steps: 4 });
  await page.mouse.up();
  await shown(page, names, ['b', 'c', 'a', 'd']);
  await until(async () => (await hub.call('GET', `/sessions/${session.id}/playlist`, { token: session.token })).json.map((item) => item.name).join('') === 'bcad',
    'the hub to have that order');
});
