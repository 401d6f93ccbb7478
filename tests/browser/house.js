// house.js: a real hub, and browsers at its page.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const outside = createRequire(join(process.env.TUTTI_BROWSER_DIR, 'package.json'));
const { chromium } = outside('playwright-core');
export const readQr = outside('jsqr');

export const BUILD = process.env.TUTTI_BUILD_DIR;
export const ROOT = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..');
export const MUSIC = join(ROOT, 'tests/support/music');
export const AXE = outside.resolve('axe-core/axe.min.js');
export const PHONE = { width: 390, height: 844 };
export const NARROW = { width: 320, height: 640 };
export const DESK = { width: 1280, height: 800 };

/** Waits until condition() gives something, for as long as it may take on a busy machine. */
export async function until(condition, what, patience = 20000) {
  const end = Date.now() + patience;
  for (;;) {
    const value = await condition();
    if (value) return value;
    assert.ok(Date.now() < end, `waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

export class Hub {
  constructor(options = {}) {
    this.directory = mkdtempSync(join(tmpdir(), 'tutti-page-'));
    this.log = '';
    this.options = { server_names: 'house.test', limits_share_percent: 100, limits_joins_per_minute: 100000, ...options };
    this.port = 0;
    mkdirSync(join(this.directory, 'hub'));
    this.config = join(this.directory, 'tutti-hub.conf');
    const sections = {};
    for (const [name, value] of Object.entries(this.options)) {
      const [section, ...key] = name.split('_');
      (sections[section] ??= []).push(`${key.join('_')} = ${value}`);
    }
    writeFileSync(this.config, Object.entries(sections).map(([name, lines]) => `[${name}]\n${lines.join('\n')}\n`).join(''), { mode: 0o600 });
  }

  #arguments() {
    return ['--config', this.config, '--data', join(this.directory, 'hub'), '--listen', `127.0.0.1:${this.port}`];
  }

  async start() {
    this.process = spawn(join(BUILD, 'bin/tutti-hub'), this.#arguments(), { stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stderr.on('data', (bytes) => { this.log += bytes; });
    const ended = once(this.process, 'exit').then(([code]) => assert.fail(`the hub did not start (${code}): ${this.log}`));
    const [line] = await Promise.race([once(createInterface(this.process.stdout), 'line'), ended]);
    ended.catch(() => {}); /* it ends one day */
    this.url = /https?:\/\/\S+/.exec(line)[0];
    this.port = Number(new URL(this.url).port);
    return this;
  }

  async stop(how = 'SIGTERM') {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill(how);
    await once(this.process, 'exit');
  }

  async end() {
    await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** A command on its data: { status, stdout, stderr }. */
  run(...words) {
    return spawnSync(join(BUILD, 'bin/tutti-hub'), [...this.#arguments(), ...words], { encoding: 'utf8' });
  }

  async call(method, path, { token, body, headers } = {}) {
    const answer = await fetch(this.url + path, {
      method, body: body === undefined ? undefined : JSON.stringify(body),
      headers: { ...(token ? { 'X-User-Token': token } : {}), ...headers },
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, json: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : null };
  }

  /** A session with a host who is no browser: { id, code, token }. */
  async session(name = 'Speaker') {
    const { json: { token } } = await this.call('POST', '/auth/login', { body: { name, role: 'host' } });
    const { json } = await this.call('POST', '/sessions', { token, body: { host_name: name } });
    return { id: json.session_id, code: json.code, token };
  }

  async join(code, name) {
    return (await this.call('POST', `/sessions/${code}/join`, { body: { guest_name: name } })).json.guest_token;
  }

  /** A track as the host's item or a guest's request. */
  async add(session, token, name, bytes, track = crypto.randomUUID()) {
    const query = new URLSearchParams({ track_id: track, name });
    const answer = await fetch(`${this.url}/sessions/${session}/playlist?${query}`, {
      method: 'PUT', body: bytes, headers: { 'X-User-Token': token, 'Content-Type': 'audio/mpeg' },
    });
    assert.equal(answer.status, 200, await answer.clone().text());
    return answer.json();
  }

  hostLink(code) {
    const done = this.run('session', 'link', code);
    assert.equal(done.status, 0, done.stderr);
    return done.stdout.trim();
  }
}

/** A tuttid with a virtual sound card. */
export class Speaker {
  constructor(hub, code, name) {
    this.directory = mkdtempSync(join(tmpdir(), 'tutti-speaker-'));
    const inside = (file) => join(this.directory, file);
    writeFileSync(inside('asound.conf'), `pcm_type.tutti_vcard {\n lib "${join(BUILD, 'tests/libasound_module_pcm_tutti_vcard.so')}"\n}\n`
      + `pcm.card {\n type tutti_vcard\n record "${inside('card.vcrd')}"\n control "${inside('card.control')}"\n}\n`);
    writeFileSync(inside('card.control'), '');
    writeFileSync(inside('tuttid.conf'), `[backend]\nurl = ${hub.url}\nname = ${name}\njoin_code = ${code}\n[audio]\ndevice = card\nvolume = 100\nmixer = software\n`
      + `[paths]\nstate_dir = ${inside('state')}\ncache_dir = ${inside('cache')}\n[control]\nsocket = ${inside('control.sock')}\n`, { mode: 0o600 });
    this.process = spawn(join(BUILD, 'bin/tuttid'), ['--config', inside('tuttid.conf')],
      { stdio: 'ignore', env: { ...process.env, ALSA_CONFIG_PATH: inside('asound.conf') } });
  }

  async end() {
    this.process.kill();
    if (this.process.exitCode === null) await once(this.process, 'exit');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** One Chromium; each page of people() has storage of its own. */
export class Browsers {
  async start() {
    this.profile = mkdtempSync(join(tmpdir(), 'tutti-chromium-'));
    this.browser = await chromium.launch({
      executablePath: process.env.TUTTI_CHROMIUM ?? '/usr/bin/chromium', headless: true,
      args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
      ignoreDefaultArgs: ['--mute-audio'],
    });
    return this;
  }

  /** A page that fails the test for each error and each refused policy; errors: those it had. */
  async open(options = {}) {
    const { size = PHONE, scheme = 'light', locale = 'en', ...rest } = options;
    const context = await this.browser.newContext({
      viewport: size, colorScheme: scheme, locale, hasTouch: size.width < 800, isMobile: size.width < 800, reducedMotion: 'reduce', ...rest,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(15000);
    page.errors = [];
    page.on('pageerror', (error) => page.errors.push(String(error)));
    page.on('console', (message) => { if (/Content Security Policy|TrustedHTML/.test(message.text())) page.errors.push(message.text()); });
    return page;
  }

  async end() {
    await this.browser?.close();
    rmSync(this.profile, { recursive: true, force: true });
  }
}

export const seen = (page, selector) => page.locator(selector).filter({ visible: true });

export async function go(page, view) {
  await page.locator(`nav button:has-text("${view}")`).click();
}
