// timeline.js: where the music is. Pure: the server's time is a parameter, in milliseconds since 1970.

const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/;

/** ISO 8601, to fractions of a millisecond; without a zone it is UTC. NaN: it is none. */
export function parseStamp(text) {
  const parts = STAMP.exec(String(text));
  if (!parts) return NaN;
  return Date.parse(parts[1] + (parts[3] ?? 'Z')) + (parts[2] ? Number(parts[2]) * 1000 : 0);
}

/** What the backend said of the playback, or null if it makes no sense. */
export function takePlayback(payload) {
  const stamp = parseStamp(payload.updated_at);
  const position = payload.position_ms;
  if (!Number.isFinite(stamp) || !Number.isFinite(position) || position < 0) return null;
  if (payload.state !== 'playing' && payload.state !== 'paused') return null;
  return { track: payload.track_id ?? null, item: payload.item_id ?? null, position, playing: payload.state === 'playing', stamp };
}

export function duration(item) {
  return Number.isFinite(item?.duration_seconds) && item.duration_seconds > 0 ? item.duration_seconds * 1000 : null;
}

/** Milliseconds into the track. At its end it stays. */
export function positionAt(playback, now, length) {
  const since = playback.playing && Number.isFinite(now) ? Math.max(0, now - playback.stamp) : 0;
  const position = playback.position + since;
  return length === null ? position : Math.min(position, length);
}

/** 3:07, or 1:02:09. */
export function clockText(ms) {
  const seconds = Math.floor(ms / 1000);
  const two = (number) => String(number).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes}:${two(seconds % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}
