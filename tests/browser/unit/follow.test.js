import assert from 'node:assert/strict';
import test from 'node:test';
import { OutputClock, SEEK_S, steer, trackTime } from '../../../src/page/follow.js';

function random(seed) {
  let state = seed;
  return () => { state = (state * 1103515245 + 12345) % 2147483648; return state / 2147483648; };
}

/** So many seconds of a device that is ppm fast, looked at every 200 ms with so much noise; step(s): what is added to its context's time. */
function watch(clock, { ppm = 0, from = 0, seconds, noise = 0.1, seed = 1, step = () => 0 }) {
  const any = random(seed);
  const truth = (at) => 0.5 + (at / 1000) * (1 + ppm * 1e-6) + step(at / 1000);
  for (let at = 1000 * from; at <= 1000 * (from + seconds); at += 200) clock.add(truth(at) + ((any() - 0.5) * 2 * noise) / 1000, at);
  return truth;
}

test('it knows nothing at first, and odd beginnings do not count', () => {
  const clock = new OutputClock();
  assert.equal(clock.isKnown, false);
  for (let i = 0; i < 4; i++) clock.add(0.5 + i * 0.017, 200 * i);
  assert.equal(clock.isKnown, false);
  const truth = watch(clock, { from: 1, seconds: 3 });
  assert.equal(clock.isKnown, true);
  assert.ok(Math.abs(clock.contextAt(4000) - truth(4000)) < 2e-4);
  clock.add(NaN, 4200);
  clock.add(9, 3000);
  assert.ok(Math.abs(clock.contextAt(4000) - truth(4000)) < 2e-4);
});

test('seeded: any crystal is found within 20 ppm, and the time within half a millisecond', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const ppm = (random(seed * 77)() - 0.5) * 300;
    const clock = new OutputClock();
    const truth = watch(clock, { ppm, seconds: 40, noise: 0.3, seed });
    assert.ok(Math.abs(clock.drift * 1e6 - ppm) < 20, `seed ${seed}: ${clock.drift * 1e6} for ${ppm}`);
    assert.ok(Math.abs(clock.contextAt(40500) - truth(40500)) < 5e-4, `seed ${seed}`);
  }
});

test('a device that ran dry is a step, no drift, and is known again in seconds', () => {
  for (const size of [-0.1, -0.02, 0.005]) {
    const clock = new OutputClock();
    const truth = watch(clock, { ppm: 20, seconds: 60, step: (s) => (s > 30 ? size : 0) });
    assert.ok(Math.abs(clock.drift) < 1e-4, `${size}: ${clock.drift}`);
    assert.ok(Math.abs(clock.contextAt(60000) - truth(60000)) < 5e-4, `${size}`);
    const soon = new OutputClock();
    const known = watch(soon, { ppm: 20, seconds: 34, step: (s) => (s > 30 ? size : 0) });
    assert.ok(Math.abs(soon.contextAt(34000) - known(34000)) < 5e-4, `${size} after 4 s`);
  }
});

test('what is late is played faster, at the device’s pace, and what is far off is joined anew', () => {
  assert.deepEqual(steer(10, 10, 5, 0), { rate: 1 });
  assert.ok(steer(10.005, 10, 5, 0).rate > 1 && steer(9.995, 10, 5, 0).rate < 1);
  assert.ok(Math.abs(steer(10, 10, 5, 1e-4).rate - (1 - 1e-4)) < 1e-12);
  assert.ok(steer(10.019, 10, 1.5, 0).rate <= 1.005 + 1e-12);
  assert.ok(steer(10.19, 10, 1.5, 0).rate <= 1.01 + 1e-12);
  assert.equal(steer(10 + SEEK_S + 1e-6, 10, 5, 0), null);
  assert.equal(steer(10 - SEEK_S - 1e-6, 10, 5, 0), null);
});

test('seeded: segment by segment an error goes, whatever the crystal', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const any = random(seed);
    const drift = (any() - 0.5) * 3e-4;
    const known = drift + (any() - 0.5) * 4e-5; // as well as it is known
    let from = 0;
    let begin = (any() - 0.5) * 0.3;
    for (let i = 0; i < 40; i++) {
      const seconds = i < 10 ? 1.5 : 5;
      const { rate } = steer(begin, from * (1 + drift), seconds, known);
      begin += seconds / rate;
      from += seconds;
    }
    assert.ok(Math.abs(begin - from * (1 + drift)) < 5e-4, `seed ${seed}`);
  }
});

test('where a moment is in the track', () => {
  const segments = [{ from: 0, begin: 10, seconds: 2, rate: 1 }, { from: 2, begin: 12, seconds: 2, rate: 1.01 }];
  assert.equal(trackTime(segments, 9.9), null);
  assert.equal(trackTime(segments, 11), 1);
  assert.ok(Math.abs(trackTime(segments, 13) - 3.01) < 1e-9);
  assert.equal(trackTime(segments, 15), null);
  assert.equal(trackTime([], 1), null);
});
