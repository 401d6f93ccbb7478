import assert from 'node:assert/strict';
import test from 'node:test';
import { currentIndex, moved, placeOf } from '../../../src/page/order.js';

test('moving keeps all others in their order', () => {
  assert.deepEqual(moved(['a', 'b', 'c', 'd'], 0, 2), ['b', 'c', 'a', 'd']);
  assert.deepEqual(moved(['a', 'b', 'c', 'd'], 3, 0), ['d', 'a', 'b', 'c']);
  assert.deepEqual(moved(['a', 'b'], 1, 1), ['a', 'b']);
});

test('a dragged row ends where its middle is', () => {
  const middles = [28, 84, 140, 196];
  const to = (from, by) => placeOf(middles, from, by);
  assert.deepEqual([to(0, 0), to(0, 55), to(0, 57), to(0, 120), to(0, 900)], [0, 0, 1, 2, 3]);
  assert.deepEqual([to(3, -55), to(3, -57), to(3, -900), to(2, 10), to(2, 60)], [3, 2, 0, 2, 3]);
});

test('the first item of a track is the one that plays', () => {
  const items = [{ track_id: 'a' }, { track_id: 'b' }, { track_id: 'a' }];
  assert.equal(currentIndex(items, 'a'), 0);
  assert.equal(currentIndex(items, 'x'), -1);
  assert.equal(currentIndex(items, null), -1);
});
