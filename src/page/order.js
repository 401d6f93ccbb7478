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

/** The item that is played, by its id, else the first with its track. -1: none. */
export function currentIndex(items, { item = null, track }) {
  const named = item === null ? -1 : items.findIndex((one) => one.id === item);
  return named >= 0 || track === null ? named : items.findIndex((one) => one.track_id === track);
}

/**
 * What comes after the item at index, as far as a page can know: { item }, { again: true } (the same one), { chosen: true } (the
 * hub chooses) or {} (nothing). settings: null where the hub told none.
 */
export function following(items, index, settings) {
  if (settings?.advance && settings.repeat === 'one') return { again: true };
  if (settings?.shuffle && items.length > 1) return { chosen: true };
  if (index + 1 < items.length) return { item: items[index + 1] };
  if (settings?.advance && settings.repeat === 'all') return items.length > 1 ? { item: items[0] } : { again: true };
  return {};
}
