// keys.js: what this browser remembers: its memberships, one for each session, and how it likes to look.

const KEY = 'tutti.memberships';

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((one) => one && typeof one.id === 'string' && typeof one.token === 'string') : [];
  } catch {
    return [];
  }
}

function write(memberships) {
  try {
    localStorage.setItem(KEY, JSON.stringify(memberships));
  } catch {
    // A browser that keeps nothing asks again at the next visit.
  }
}

export const memberships = read;

/** The newest first. A host's key is not given up for a guest's. */
export function remember(membership) {
  const others = read().filter((one) => one.id !== membership.id);
  write([membership, ...others].slice(0, 50));
}

export function update(id, change) {
  write(read().map((one) => (one.id === id ? { ...one, ...change } : one)));
}

export function forget(id) {
  write(read().filter((one) => one.id !== id));
}

export function preference(name, fallback = '') {
  try {
    return localStorage.getItem(`tutti.${name}`) ?? fallback;
  } catch {
    return fallback;
  }
}

export function prefer(name, value) {
  try {
    localStorage.setItem(`tutti.${name}`, value);
  } catch {
    // as above
  }
}

/**
 * What a link says behind its #, and takes it out of the address at once, so that it is in no history.
 * { join: code } or { id, token } or null.
 */
export function takeLink() {
  const parts = /^#(?:join=([0-9A-Za-z]{1,16})|host=([0-9a-f]{1,64})\.([0-9a-f]{1,64}))$/.exec(location.hash);
  if (!parts) return null;
  history.replaceState(null, '', location.pathname);
  return parts[1] ? { join: parts[1].toUpperCase() } : { id: parts[2], token: parts[3] };
}
