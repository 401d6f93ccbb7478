import assert from 'node:assert/strict';
import test from 'node:test';
import { clockText, duration, parseStamp, positionAt, takePlayback } from '../../../src/page/timeline.js';

const NOON = Date.UTC(2026, 0, 1, 12);

test('stamps are UTC, with or without a zone, to fractions of a millisecond', () => {
  for (const text of ['2026-01-01T12:00:00', '2026-01-01T12:00:00Z', '2026-01-01T13:30:00+01:30', '2026-01-01T12:00:00+00:00'])
    assert.equal(parseStamp(text), NOON, text);
  assert.equal(parseStamp('2026-01-01T12:00:00.000250Z'), NOON + 0.25);
  assert.equal(parseStamp('2026-01-01T12:00:00.5'), NOON + 500);
  for (const text of ['', 'yesterday', null, 12, '2026-01-01', '2026-99-01T12:00:00Z']) assert.ok(Number.isNaN(parseStamp(text)), text);
});

test('odd states are not taken', () => {
  const good = { track_id: 'a', position_ms: 5, state: 'playing', updated_at: '2026-01-01T12:00:00Z' };
  assert.deepEqual(takePlayback(good), { track: 'a', item: null, position: 5, playing: true, stamp: NOON });
  for (const odd of [{ position_ms: null }, { position_ms: '5' }, { position_ms: -1 }, { position_ms: Infinity }, { state: null }, { state: 'stopped' }, { updated_at: 'x' }])
    assert.equal(takePlayback({ ...good, ...odd }), null, JSON.stringify(odd));
});

test('what plays goes on, and ends at its end', () => {
  const playback = { track: 'a', position: 1000, playing: true, stamp: NOON };
  assert.equal(positionAt(playback, NOON + 500, 60000), 1500);
  assert.equal(positionAt(playback, NOON - 500, 60000), 1000, 'a stamp of the future is now');
  assert.equal(positionAt(playback, NOON + 90000, 60000), 60000);
  assert.equal(positionAt(playback, NOON + 90000, null), 91000);
  assert.equal(positionAt(playback, NaN, 60000), 1000, 'no clock, no progress');
  assert.equal(positionAt({ ...playback, playing: false }, NOON + 500, 60000), 1000);
});

test('lengths and times', () => {
  assert.equal(duration({ duration_seconds: 75.5 }), 75500);
  for (const odd of [null, 0, -1, 'x', Infinity]) assert.equal(duration({ duration_seconds: odd }), null);
  assert.equal(duration(undefined), null);
  assert.deepEqual([0, 59999, 61000, 3600000, 3729000].map(clockText), ['0:00', '0:59', '1:01', '1:00:00', '1:02:09']);
});
