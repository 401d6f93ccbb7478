// clock.js: the server's time, from echoes of our own messages. Pure: the local clock is a parameter.

const KEPT = 24;
const AGE_MS = 120000;

/**
 * Of an echo we know four times: sent and received (local), and both at the server. The one that travelled for the
 * shortest time is the best witness; it cannot be wrong by more than half of that time.
 */
export class ServerClock {
  #echoes = [];

  add({ sent, serverReceived, serverSent, received }) {
    const trip = received - sent - (serverSent - serverReceived);
    if (![sent, serverReceived, serverSent, received].every(Number.isFinite) || trip < 0) return false;
    const offset = (serverReceived + serverSent - sent - received) / 2;
    this.#echoes.push({ offset, trip, at: received });
    if (this.#echoes.length > KEPT) this.#echoes.shift();
    return true;
  }

  #best(now) {
    let best = null;
    for (const echo of this.#echoes) {
      if (now - echo.at > AGE_MS) continue;
      if (!best || echo.trip < best.trip) best = echo;
    }
    return best ?? this.#echoes.at(-1) ?? null;
  }

  /** The server's time when it is now here; NaN before the first echo. */
  at(now) {
    const best = this.#best(now);
    return best ? now + best.offset : NaN;
  }

  /** In milliseconds; Infinity before the first echo. */
  uncertainty(now) {
    const best = this.#best(now);
    return best ? best.trip / 2 : Infinity;
  }

  forget() {
    this.#echoes = [];
  }
}
