// positions.js: what <audio> plays of files, for a test in another language: positions.js DIRECTORY < orders. An order is a line
// { file, rate, at }: play it from second `at` to its end. The answer is a line { duration, context } when FILE.AT.f32 holds what came out
// from the first sample that is not silence on: stereo floats at the context's rate.
import { createReadStream, existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const outside = createRequire(join(process.env.TUTTI_BROWSER_DIR, 'package.json'));
const { chromium } = outside('playwright-core');
const directory = process.argv[2];
const TYPES = { mp3: 'audio/mpeg', mp4: 'audio/mp4', flac: 'audio/flac', ogg: 'audio/ogg', opus: 'audio/ogg', wav: 'audio/wav' };

const server = createServer((request, answer) => {
  const name = decodeURIComponent(request.url.slice(1));
  if (!name) {
    answer.setHeader('Content-Type', 'text/html');
    answer.end('<!doctype html><title>positions</title>');
    return;
  }
  const path = join(directory, name);
  if (!existsSync(path)) {
    answer.writeHead(404).end();
    return;
  }
  const { size } = statSync(path);
  const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '');
  const [from, to] = range ? [Number(range[1]), range[2] ? Number(range[2]) : size - 1] : [0, size - 1];
  answer.writeHead(range ? 206 : 200, {
    'Content-Type': TYPES[name.split('.').pop()], 'Accept-Ranges': 'bytes', 'Content-Length': to - from + 1,
    ...(range ? { 'Content-Range': `bytes ${from}-${to}/${size}` } : {}),
  });
  createReadStream(path, { start: from, end: to }).pipe(answer);
});
await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });

const browser = await chromium.launch({
  executablePath: process.env.TUTTI_CHROMIUM ?? '/usr/bin/chromium', headless: true,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
});
const page = await (await browser.newContext()).newPage();
page.on('pageerror', (error) => console.error(String(error)));
await page.goto(`http://127.0.0.1:${server.address().port}/`);

/** In the page: the sound of an <audio>, as its context gets it. */
async function hear({ file, rate, at }) {
  const BLOCK = 8192;
  const context = new AudioContext({ sampleRate: rate });
  const audio = document.createElement('audio');
  const ready = new Promise((resolve, reject) => {
    audio.addEventListener('canplaythrough', resolve, { once: true });
    audio.addEventListener('error', () => reject(new Error(audio.error.message)), { once: true });
  });
  audio.preload = 'auto';
  audio.src = file;
  await ready;
  if (at > 0) {
    const there = new Promise((resolve) => { audio.addEventListener('seeked', resolve, { once: true }); });
    audio.currentTime = at;
    await there;
  }
  const ear = context.createScriptProcessor(BLOCK, 2, 2); // where this was tried, loading a worklet did not end
  const blocks = [];
  ear.onaudioprocess = ({ inputBuffer }) => { blocks.push([inputBuffer.getChannelData(0).slice(), inputBuffer.getChannelData(1).slice()]); };
  context.createMediaElementSource(audio).connect(ear).connect(context.destination);
  await context.resume();
  const ended = new Promise((resolve) => { audio.addEventListener('ended', resolve, { once: true }); });
  await audio.play();
  await ended;
  const heard = blocks.length;
  while (blocks.length < heard + 3) await new Promise((resolve) => { setTimeout(resolve, 50); });
  const silent = (block) => block.every((channel) => channel.every((sample) => sample === 0));
  const first = blocks.findIndex((block) => !silent(block));
  const last = blocks.findLastIndex((block) => !silent(block));
  const frames = new Float32Array(2 * BLOCK * Math.max(0, last + 1 - first));
  blocks.slice(first, last + 1).forEach(([left, right], i) => {
    left.forEach((sample, j) => {
      frames[2 * (BLOCK * i + j)] = sample;
      frames[2 * (BLOCK * i + j) + 1] = right[j];
    });
  });
  await context.close();
  const bytes = new Uint8Array(frames.buffer);
  let text = '';
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return { duration: audio.duration, context: context.sampleRate, frames: btoa(text) };
}

for await (const line of createInterface(process.stdin)) {
  const order = JSON.parse(line);
  try {
    const { frames, ...about } = await page.evaluate(hear, order);
    writeFileSync(join(directory, `${order.file}.${order.at}.f32`), Buffer.from(frames, 'base64'));
    console.log(JSON.stringify(about));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
await browser.close();
server.close();
