// order.js: a playlist in another order. Pure.

/** As it is when the item at from has gone to to. */
export function moved(items, from, to) {
  const order = items.slice();
  order.splice(to, 0, ...order.splice(from, 1));
  return order;
}

/** The place where a row ends that was dragged by so many pixels; middles: of all rows, as they were. */
export function placeOf(middles, from, by) {
  const at = middles[from] + by;
  let place = from;
  for (let i = 0; i < middles.length; i++) {
    if (i < from && at < middles[i]) return i;
    if (i > from && at > middles[i]) place = i;
  }
  return place;
}

/** The item that is played: the first with its track. -1: none. */
export function currentIndex(items, track) {
  return track === null ? -1 : items.findIndex((item) => item.track_id === track);
}
