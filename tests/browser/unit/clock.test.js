import assert from 'node:assert/strict';
import test from 'node:test';
import { ServerClock } from '../../../src/page/clock.js';

/** An echo over a network that takes there and back milliseconds; the server is at local + offset. */
const echo = (at, offset, there, back) => ({
  sent: at, serverReceived: at + there + offset, serverSent: at + there + offset + 0.1, received: at + there + 0.1 + back,
});

test('it knows nothing before the first echo', () => {
  const clock = new ServerClock();
  assert.ok(Number.isNaN(clock.at(5)));
  assert.equal(clock.uncertainty(5), Infinity);
});

test('the quickest echo is believed, and says how far off it can be', () => {
  const clock = new ServerClock();
  clock.add(echo(0, 1e12, 40, 2));
  clock.add(echo(100, 1e12, 1, 2));
  clock.add(echo(200, 1e12, 3, 90));
  assert.ok(Math.abs(clock.at(300) - (300 + 1e12)) <= clock.uncertainty(300));
  assert.ok(Math.abs(clock.uncertainty(300) - 1.5) < 1e-3);
});

test('old echoes make way, and what makes no sense is not taken', () => {
  const clock = new ServerClock();
  clock.add(echo(0, 500, 1, 1));
  clock.add(echo(200000, 700, 5, 5));
  assert.ok(Math.abs(clock.at(200010) - 200710) < 1e-6);
  assert.equal(clock.add({ sent: 10, serverReceived: 1, serverSent: 90, received: 20 }), false);
  assert.equal(clock.add({ sent: 10, serverReceived: NaN, serverSent: 12, received: 20 }), false);
  clock.forget();
  assert.ok(Number.isNaN(clock.at(200010)));
});

test('seeded: within its uncertainty on any network', () => {
  let seed = 12345;
  const random = () => { seed = (seed * 1103515245 + 12345) % 2147483648; return seed / 2147483648; };
  for (let run = 0; run < 500; run++) {
    const clock = new ServerClock();
    const offset = 1e12 * random();
    let at = 0;
    for (let i = 0; i < 30; i++) {
      at += 100 * random();
      clock.add(echo(at, offset, 30 * random() ** 3, 200 * random() ** 5));
    }
    at += 300;
    assert.ok(Math.abs(clock.at(at) - at - offset) <= clock.uncertainty(at) + 1e-3, `run ${run}`);
  }
});
