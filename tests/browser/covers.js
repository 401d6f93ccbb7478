// covers.js: tracks with pictures, made here.
import * as zlib from 'node:zlib';

const TABLE = Array.from({ length: 256 }, (_, n) => { for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1; return n >>> 0; });

/** Of PNG's chunks; node's own came with 22.2. */
function sum(bytes) {
  if (zlib.crc32) return zlib.crc32(bytes);
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function chunk(name, content) {
  const body = Buffer.concat([Buffer.from(name), content]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(content.length, 0);
  ends.writeUInt32BE(sum(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

/** A colour of the circle, as red, green and blue. */
function colour(hue, light) {
  const at = (n) => { const k = (n + hue / 30) % 12; return Math.round(255 * (light - 0.32 * Math.max(-1, Math.min(k - 3, 9 - k, 1)))); };
  return [at(0), at(8), at(4)].map((value) => Math.max(0, Math.min(255, value)));
}

/** A PNG of a square: rings about a place, in the colours around a hue. */
export function picture(size, hue) {
  const rows = Buffer.alloc(size * (1 + 3 * size));
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const far = Math.hypot(x / size - 0.3, y / size - 0.72);
      const ring = Math.floor(far * 7);
      const rgb = colour((hue + ring * 14) % 360, ring % 2 ? 0.36 : 0.56 - 0.18 * far);
      rows.set(rgb, y * (1 + 3 * size) + 1 + 3 * x);
    }
  }
  const about = Buffer.alloc(13);
  about.writeUInt32BE(size, 0);
  about.writeUInt32BE(size, 4);
  about.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', about), chunk('IDAT', zlib.deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

/** ID3's frame with a picture, of version 2.3. */
export function apic(content, type) {
  const body = Buffer.concat([Buffer.from(`\0${type}\0\x03\0`, 'latin1'), content]);
  const head = Buffer.alloc(10);
  head.write('APIC');
  head.writeUInt32BE(body.length, 4);
  return Buffer.concat([head, body]);
}

/** An mp3 behind a tag of these frames. */
export function withTag(frames, mp3) {
  const body = Buffer.concat(frames);
  const size = [21, 14, 7, 0].map((shift) => (body.length >> shift) & 127);
  return Buffer.concat([Buffer.from([0x49, 0x44, 0x33, 3, 0, 0, ...size]), body, mp3]);
}
