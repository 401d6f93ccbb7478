import assert from 'node:assert/strict';
import test from 'node:test';
import { Speakers, UNHEARD_MS, mayChange, standing, takeSpeaker } from '../../../src/page/speakers.js';

const NOON = Date.UTC(2026, 0, 1, 12);
const KITCHEN = {
  device_id: 'ab', name: 'Kitchen', own_name: 'pi', role: 'guest', connected: true, since: '2026-01-01T11:00:00Z', seen_at: '2026-01-01T12:00:00Z',
  version: '0.1.0', volume: 60, muted: false, latency_ms: 0, device: 'playing', device_error: '', drift_ms: -0.012, clock_uncertainty_ms: 0.017,
};
const seconds = (s) => new Date(NOON + 1000 * s).toISOString();

test('what was not told is not known', () => {
  const kitchen = takeSpeaker(KITCHEN);
  assert.deepEqual([kitchen.error, kitchen.within, kitchen.volume, kitchen.seen], [-12, 17, 60, NOON]);
  const bare = takeSpeaker({ device_id: 'ab', connected: false });
  assert.deepEqual([bare.error, bare.within, bare.volume, bare.latency, bare.name, bare.deviceError], [null, null, null, null, '', '']);
  assert.ok(Number.isNaN(bare.seen));
  const odd = takeSpeaker({ ...KITCHEN, name: ['x'], volume: '60', drift_ms: '1', clock_uncertainty_ms: Infinity, muted: 'yes', device: {} });
  assert.deepEqual([odd.name, odd.volume, odd.error, odd.within, odd.muted, odd.device], ['', null, null, null, false, '']);
  for (const none of [{}, { device_id: 1, connected: true }, { device_id: 'ab' }]) assert.equal(takeSpeaker(none), null);
});

test('what is old is not shown as true', () => {
  const plays = takeSpeaker(KITCHEN);
  assert.equal(standing(plays, NOON + 1000), 'known');
  assert.equal(standing(plays, NOON + 5000), 'lost');
  assert.equal(standing(plays, NOON + UNHEARD_MS + 1), 'unheard');
  assert.equal(standing({ ...plays, error: null }, NOON + 9000), 'quiet');
  assert.equal(standing({ ...plays, seen: NaN }, NOON), 'unheard');
  assert.equal(standing({ ...plays, connected: false }, NOON), 'away');
});

test('they are listed by name, and what is forgotten is gone', () => {
  const speakers = new Speakers();
  const names = () => speakers.list.map(({ speaker }) => speaker.name);
  speakers.take(KITCHEN);
  speakers.take({ ...KITCHEN, device_id: 'cd', name: 'Bath' });
  assert.deepEqual(names(), ['Bath', 'Kitchen']);
  const colours = speakers.list.map(({ colour }) => colour);
  speakers.take({ ...KITCHEN, name: 'Attic' });
  assert.deepEqual(names(), ['Attic', 'Bath']);
  assert.deepEqual(speakers.list.map(({ colour }) => colour), colours.reverse(), 'a room keeps its colour');
  speakers.take({ device_id: 'cd', removed: true });
  assert.deepEqual(names(), ['Attic']);
  speakers.takeAll([{ ...KITCHEN, device_id: 'ef', name: 'Den' }, null, 7]);
  assert.deepEqual(names(), ['Den']);
});

test('a list of all does not undo what was told after it', () => {
  const speakers = new Speakers();
  speakers.take({ ...KITCHEN, seen_at: seconds(2), volume: 70 });
  speakers.takeAll([{ ...KITCHEN, seen_at: seconds(1), volume: 60 }]);
  assert.equal(speakers.list[0].speaker.volume, 70);
});

test('what was not connected was not heard', () => {
  const speakers = new Speakers();
  for (const [s, connected] of [[0, true], [1, true], [2, false], [3, true]]) speakers.take({ ...KITCHEN, seen_at: seconds(s), connected });
  assert.deepEqual(speakers.list[0].history.runs(0).map((run) => run.length), [2, 1]);
});

test('there is a bound to how many are kept', () => {
  const speakers = new Speakers();
  for (let i = 0; i < 3000; i++) speakers.take({ ...KITCHEN, device_id: String(i) });
  assert.equal(speakers.list.length, 1000);
});

test('what others may change is what the speaker says, and nothing of one that says nothing', () => {
  const may = (more) => Object.entries(mayChange(takeSpeaker({ ...KITCHEN, ...more }))).filter(([, yes]) => yes).map(([what]) => what);
  assert.deepEqual(may({ remote: 'all' }), ['volume', 'mute', 'latency']);
  assert.deepEqual(may({ remote: 'all', volume: null }), ['mute', 'latency']);
  assert.deepEqual(may({ remote: 'volume' }), ['volume', 'mute']);
  assert.deepEqual(may({ remote: 'volume', volume: null, clicks: false }), ['mute', 'sound']);
  assert.deepEqual(may({ remote: 'none', clicks: true }), []);
  for (const none of [{ remote: 'none' }, {}, { remote: null }, { remote: 'odd' }, { remote: 'all', connected: false }]) assert.deepEqual(may(none), []);
});

test('how a command ended, of those whose last it is', () => {
  const speakers = new Speakers();
  speakers.take({ ...KITCHEN, command: { id: 'x', status: 'refused', reason: 'no' } });
  speakers.take({ ...KITCHEN, device_id: 'cd', command: { id: 'y', status: 'done', reason: null } });
  assert.deepEqual(speakers.ends(['ab', 'cd', 'gone'], 'x').map(({ command }) => command), [{ id: 'x', status: 'refused', reason: 'no' }]);
});
