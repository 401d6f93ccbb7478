import assert from 'node:assert/strict';
import test from 'node:test';
import { clipBytes, credits, hue, isolated, tame, trackName } from '../../../src/page/names.js';

test('what steers or turns other text is gone, what people write stays', () => {
  assert.equal(tame('<b>x</b> & "y"'), '<b>x</b> & "y"');
  assert.equal(tame('a\u202eb\u2066c\u0000d\ne'), 'a b c d e');
  assert.equal(tame('שלום عليكم 你好 🎵'), 'שלום عليكم 你好 🎵');
  assert.equal(tame('👨‍👩‍👧'), '👨‍👩‍👧');
  assert.equal(tame(undefined), '');
  assert.equal(tame(17), '17');
  for (const odd of [{ toString: 1 }, ['<b>'], null, NaN, true]) assert.equal(tame(odd), '');
});

test('it has a bound, and no half letters', () => {
  const long = tame('🎵'.repeat(10000));
  assert.equal([...long].length, 301);
  assert.ok(long.isWellFormed?.() ?? true);
  assert.equal(isolated('x'), '\u2068x\u2069');
});

test('names of tracks', () => {
  assert.equal(trackName('01_Some_Song.mp3'), '01 Some Song');
  assert.equal(trackName('Vol. 2 – live.MP3'), 'Vol. 2 – live');
  assert.equal(trackName('.mp3'), '.mp3');
  assert.equal(trackName('\u202e.mp3'), '.mp3');
});

test('whose a track is', () => {
  assert.equal(credits({ artist: 'The Rooms', album: 'House' }), 'The Rooms · House');
  assert.equal(credits({ album: 'House' }), 'House');
  assert.equal(credits({ artist: '\u202e', album: ['x'] }), '');
  assert.equal(credits(null), '');
});

test('bytes are cut between letters', () => {
  assert.equal(clipBytes('aé🎵b', 3), 'aé');
  assert.equal(clipBytes('aé🎵b', 6), 'aé');
  assert.equal(clipBytes('aé🎵b', 7), 'aé🎵');
});

test('a colour for every text', () => {
  for (const text of ['', 'a', '🎵', 'x'.repeat(1000), undefined]) assert.ok(hue(text) >= 0 && hue(text) < 360);
  assert.equal(hue('a'), hue('a'));
});
