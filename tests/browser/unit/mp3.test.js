import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import test from 'node:test';
import { readMp3, slice } from '../../../src/page/mp3.js';

const MUSIC = new URL('../../support/music/', import.meta.url);
const load = (name) => new Uint8Array(readFileSync(new URL(name, MUSIC)));
const FRAME = [0xff, 0xfb, 0x90, 0x44]; // MPEG 1, 128 kbit/s, 44.1 kHz: 417 bytes
const SIZE = 417;

function frames(count, first) {
  const bytes = new Uint8Array(count * SIZE);
  for (let i = 0; i < count; i++) bytes.set(FRAME, i * SIZE);
  if (first) bytes.set(first, 36);
  return bytes;
}

test('the frames of real files follow one another to the end', () => {
  for (const name of readdirSync(MUSIC).filter((one) => one.endsWith('.mp3'))) {
    const bytes = load(name);
    const mp3 = readMp3(bytes);
    assert.ok(mp3.offsets.length > 50, name);
    assert.ok([22050, 24000, 32000, 44100, 48000].includes(mp3.rate), name);
    for (let i = 1; i < mp3.offsets.length; i++) assert.ok(mp3.offsets[i] > mp3.offsets[i - 1] && mp3.offsets[i] - mp3.offsets[i - 1] <= 1441, name);
    assert.ok(bytes.length - mp3.offsets.at(-1) < 1441, name);
  }
});

test('tags before and in the first frame', () => {
  assert.deepEqual([readMp3(frames(5)).offsets.length, readMp3(frames(5)).skip], [6, 0]);
  const info = [...'Info'].map((c) => c.charCodeAt(0));
  const lame = [...'LAME3.100'].map((c) => c.charCodeAt(0));
  const tag = [...info, 0, 0, 0, 1, 0, 0, 0, 4, ...lame, ...Array(12).fill(0), 0x24, 0x05, 0x6c];
  const tagged = readMp3(frames(5, tag));
  assert.deepEqual([tagged.offsets.length, tagged.offsets[0], tagged.skip], [5, SIZE, 576 + 529]);
  const id3 = new Uint8Array(20 + 5 * SIZE);
  id3.set([0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 0, 10]);
  id3.set(frames(5), 20);
  assert.equal(readMp3(id3).offsets[0], 20);
});

test('garbage between frames is passed over, and what is no mp3 is none', () => {
  const bytes = new Uint8Array(11 * SIZE + 100);
  bytes.set(frames(5));
  bytes.set(frames(6), 5 * SIZE + 100);
  assert.equal(readMp3(bytes).offsets.length - 1, 10, 'the last before the garbage has nothing behind it');
  for (const none of [new Uint8Array(0), new Uint8Array(5000), new Uint8Array(5000).fill(0xff), new TextEncoder().encode('ID3 no music '.repeat(99))]) assert.equal(readMp3(none), null);
  const lies = new Uint8Array(30);
  lies.set([0x49, 0x44, 0x33, 4, 0, 0, 0x7f, 0x7f, 0x7f, 0x7f]);
  assert.equal(readMp3(lies), null);
});

test('seeded: any bytes are read to their end', () => {
  let state = 7;
  const random = () => { state = (state * 1103515245 + 12345) % 2147483648; return state / 2147483648; };
  for (let run = 0; run < 300; run++) {
    const bytes = load('pier.mp3').slice(0, 6000);
    for (let i = 0; i < 40; i++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    const mp3 = readMp3(bytes.subarray(Math.floor(random() * 400)));
    if (mp3) assert.ok(slice(mp3, 0, 44100));
  }
});

test('a piece begins early enough, and says where the wanted samples are in it', () => {
  const mp3 = { rate: 44100, samples: 1152, skip: 1105, offsets: Array.from({ length: 101 }, (_, i) => i * SIZE) };
  assert.deepEqual(slice(mp3, 0, 1000), { begin: 0, end: 4 * SIZE, lead: 1105 });
  const later = slice(mp3, 50 * 1152, 51 * 1152);
  assert.equal(later.begin, (50 - 12) * SIZE);
  assert.equal(later.lead, 12 * 1152 + 1105);
  assert.equal(slice(mp3, 99 * 1152, 200 * 1152).end, 100 * SIZE);
  assert.equal(slice(mp3, 100 * 1152, 101 * 1152), null);
});
