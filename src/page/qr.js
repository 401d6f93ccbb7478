// qr.js: a text as a QR code. The encoder is a file of its own, fetched when it is wanted; a build without it has no codes.
import { s } from './dom.js';

const MARGIN = 4;

/** As runs of dark fields in each row: a path of an SVG. */
function path(code, count) {
  let d = '';
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < count; column++) {
      const from = column;
      while (column < count && code.isDark(row, column)) column++;
      if (column > from) d += `M${from + MARGIN} ${row + MARGIN}h${column - from}v1h${from - column}z`;
    }
  }
  return d;
}

/** An SVG, or null where there is no encoder. label: what it is, in words. */
export async function qr(text, label) {
  let encoder;
  try {
    encoder = (await import('./qrcode.js')).qrcode;
  } catch {
    return null;
  }
  const code = encoder(0, 'M');
  code.addData(text);
  code.make();
  const count = code.getModuleCount();
  const size = count + 2 * MARGIN;
  return s('svg', { class: 'qr', viewBox: `0 0 ${size} ${size}`, role: 'img', 'aria-label': label }, s('path', { d: path(code, count) }));
}
