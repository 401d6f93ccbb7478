// names.js: texts that others wrote, made fit to be shown. Pure.

const SHOWN = 300;
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2028\u2029\u2060-\u206f\ufeff]/g;

/** One line of usual length, without what steers a terminal or turns the text that follows. */
export function tame(text) {
  const said = typeof text === 'string' ? text : Number.isFinite(text) ? String(text) : '';
  const clean = said.slice(0, 8 * SHOWN).replace(UNSEEN, ' ').replace(/\s+/g, ' ').trim();
  const letters = [...clean];
  return letters.length > SHOWN ? `${letters.slice(0, SHOWN).join('')}…` : clean;
}

/** For texts without elements (labels, titles): its direction stays its own. */
export function isolated(text) {
  return `\u2068${tame(text)}\u2069`;
}

/** Whose a track is, and what it is from, as far as its file tells; '' where it does not. */
export function credits(item) {
  return [item?.artist, item?.album].map(tame).filter(Boolean).join(' · ');
}

/** A track's name from that of its file. */
export function trackName(file) {
  return tame(file.replace(/\.[A-Za-z0-9]{2,4}$/, '').replace(/_/g, ' ')) || tame(file) || '?';
}

/** As many bytes of UTF-8 as may be, and no half letter. */
export function clipBytes(text, most) {
  const encoder = new TextEncoder();
  let clipped = '';
  let used = 0;
  for (const letter of text) {
    used += encoder.encode(letter).length;
    if (used > most) break;
    clipped += letter;
  }
  return clipped;
}

/** A number from 0 to 359 that belongs to a text: its colour. */
export function hue(text) {
  let sum = 7;
  for (const letter of tame(text)) sum = (sum * 31 + letter.codePointAt(0)) % 7919;
  return (sum * 47) % 360;
}
