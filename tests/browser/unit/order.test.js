import assert from 'node:assert/strict';
import test from 'node:test';
import { currentIndex, following, moved, placeOf } from '../../../src/page/order.js';

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

test('the item that plays is the one that is named, else the first of its track', () => {
  const items = [{ id: '1', track_id: 'a' }, { id: '2', track_id: 'b' }, { id: '3', track_id: 'a' }];
  assert.equal(currentIndex(items, { track: 'a' }), 0);
  assert.equal(currentIndex(items, { track: 'a', item: '3' }), 2);
  assert.equal(currentIndex(items, { track: 'a', item: 'gone' }), 0);
  assert.equal(currentIndex(items, { track: 'x', item: null }), -1);
  assert.equal(currentIndex(items, { track: null, item: null }), -1);
});

test('what comes next, as far as it can be known', () => {
  const items = [{ id: '1' }, { id: '2' }];
  const settings = { advance: true, repeat: 'off', shuffle: false };
  assert.deepEqual(following(items, 0, null), { item: items[1] });
  assert.deepEqual(following(items, 1, null), {});
  assert.deepEqual(following(items, 1, settings), {});
  assert.deepEqual(following(items, 1, { ...settings, repeat: 'all' }), { item: items[0] });
  assert.deepEqual(following(items, 1, { ...settings, repeat: 'all', advance: false }), {});
  assert.deepEqual(following([items[0]], 0, { ...settings, repeat: 'all' }), { again: true });
  assert.deepEqual(following(items, 0, { ...settings, repeat: 'one' }), { again: true });
  assert.deepEqual(following(items, 0, { ...settings, repeat: 'one', advance: false }), { item: items[1] });
  assert.deepEqual(following(items, 0, { ...settings, shuffle: true }), { chosen: true });
  assert.deepEqual(following([items[0]], 0, { ...settings, shuffle: true }), {});
});
