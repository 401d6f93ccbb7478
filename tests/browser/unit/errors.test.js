import assert from 'node:assert/strict';
import test from 'node:test';
import { GAP_MS, History, paths, scaleOf, spanOf } from '../../../src/page/errors.js';

const point = (at, error, within = 10) => ({ at, error, within });
const BOX = { from: 0, to: 1000, most: 100, width: 100, height: 200 };

test('a gap is where nothing was known, and nothing is drawn across it', () => {
  const history = new History();
  for (const one of [point(0, 1), point(1000, 2), point(1000 + GAP_MS + 1, 3), point(6000, null), point(7000, 4)]) history.add(one);
  assert.deepEqual(history.runs(0).map((run) => run.map(({ error }) => error)), [[1, 2], [3], [4]]);
  assert.deepEqual(history.runs(500).map((run) => run.map(({ error }) => error)), [[2], [3], [4]]);
});

test('what was told twice, late or without a time counts once or not at all', () => {
  const history = new History();
  for (const one of [point(1000, 1), point(1000, 2), point(500, 3), point(NaN, 4)]) history.add(one);
  assert.deepEqual(history.runs(0), [[point(1000, 1)]]);
});

test('it has a bound', () => {
  const history = new History();
  for (let i = 0; i < 10000; i++) history.add(point(1000 * i, i));
  assert.equal(history.runs(0)[0].length, 400);
  assert.equal(history.runs(0)[0].at(-1).error, 9999);
});

test('the scale has room for nearly all with their uncertainty, and no single jump flattens the rest', () => {
  assert.equal(scaleOf([]), 50);
  assert.equal(scaleOf([[point(0, 3)]]), 50);
  assert.equal(scaleOf([[point(0, -95, 10)]]), 200);
  assert.equal(scaleOf([[point(0, 90, null)]]), 100);
  assert.equal(scaleOf([[point(0, 12000, null)]]), 20000);
  const calm = Array.from({ length: 99 }, (_, i) => point(i, 30));
  assert.equal(scaleOf([[...calm, point(99, 50000)]]), 50);
});

test('ahead is up, behind is down, and what is beyond the scale stays at its edge and is marked', () => {
  const drawn = paths([[point(0, 0), point(500, 100), point(1000, -50)]], BOX);
  assert.equal(drawn.line, 'M0 100L50 0L100 150');
  assert.equal(drawn.beyond, '');
  assert.equal(drawn.band, 'M0 90L50 0L100 140L100 160L50 10L0 110z');
  const beyond = paths([[point(0, 5000), point(500, -5000)]], BOX);
  assert.equal(beyond.line, 'M0 0L50 200');
  assert.equal(beyond.beyond, 'M0 0l-3 6h6zM50 200l-3 -6h6z');
});

test('one point alone is a dot, and no certainty is drawn where none is known', () => {
  assert.equal(paths([[point(500, 0)]], BOX).line, 'M50 100h.1');
  assert.equal(paths([[point(0, 0, null), point(500, 0, null)]], BOX).band, '');
  assert.deepEqual(paths([], BOX), { line: '', band: '', beyond: '' });
});

test('it shows whole minutes, as many as there is something of, and five at most', () => {
  const now = 1e7;
  assert.equal(spanOf([], now), 60000);
  assert.equal(spanOf([[point(now - 1000, 0)]], now), 60000);
  assert.equal(spanOf([[point(now - 61000, 0)], [point(now - 1000, 0)]], now), 120000);
  assert.equal(spanOf([[point(now - 900000, 0)]], now), 300000);
});
