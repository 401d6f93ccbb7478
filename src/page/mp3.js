// mp3.js: where the frames of an mp3 are, and which sample is its first. Pure. As src/core/mp3_frame.c has it: position 0
// is where libavformat puts it, which browsers use.

const KBPS_1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const KBPS_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const RATES = [44100, 48000, 32000];
/** Every decoder's filter bank is late by so much, which encoders' delay fields leave out. */
const FILTER_DELAY = 529;
const BELIEVED = ['LAME', 'Lavf', 'Lavc'];

function header(bytes, at) {
  if (at + 4 > bytes.length || bytes[at] !== 0xff || bytes[at + 1] < 0xe0) return null;
  const version = (bytes[at + 1] >> 3) & 3;
  const layer = (bytes[at + 1] >> 1) & 3;
  const bitrate = bytes[at + 2] >> 4;
  const rate = (bytes[at + 2] >> 2) & 3;
  if (version === 1 || layer !== 1 || bitrate === 0 || bitrate === 15 || rate === 3) return null;
  const samples = version === 3 ? 1152 : 576;
  const hz = RATES[rate] >> (version === 3 ? 0 : version === 2 ? 1 : 2);
  const kbps = (version === 3 ? KBPS_1 : KBPS_2)[bitrate];
  const size = Math.floor((samples / 8 * 1000 * kbps) / hz) + ((bytes[at + 2] >> 1) & 1);
  return { version, hz, samples, size, mono: bytes[at + 3] >> 6 === 3 };
}

const alike = (a, b) => Boolean(a && b && a.version === b.version && a.hz === b.hz);

/** A header here, and one where its frame ends (or the end of the file). */
function isFrame(bytes, at, like) {
  const one = header(bytes, at);
  if (!one || (like && !alike(one, like))) return null;
  const end = at + one.size;
  return end === bytes.length || alike(one, header(bytes, end)) ? one : null;
}

function afterId3(bytes) {
  let at = 0;
  while (bytes[at] === 0x49 && bytes[at + 1] === 0x44 && bytes[at + 2] === 0x33 && at + 10 <= bytes.length) {
    const size = (bytes[at + 6] << 21) | (bytes[at + 7] << 14) | (bytes[at + 8] << 7) | bytes[at + 9];
    at += 10 + size + (bytes[at + 5] & 0x10 ? 10 : 0);
  }
  return at;
}

const text = (bytes, at) => String.fromCharCode(...bytes.subarray(at, at + 4));

/** Is this frame a tag, and how many samples at the beginning are not played? */
function readTag(bytes, at, first) {
  const side = first.version === 3 ? (first.mono ? 17 : 32) : (first.mono ? 9 : 17);
  let field = at + 4 + side;
  if (text(bytes, at + 36) === 'VBRI') return { isTag: true, skip: 0 };
  if (!['Xing', 'Info'].includes(text(bytes, field))) return { isTag: false, skip: 0 };
  const has = bytes[field + 7];
  field += 8 + (has & 1 ? 4 : 0) + (has & 2 ? 4 : 0) + (has & 4 ? 100 : 0) + (has & 8 ? 4 : 0);
  const believed = field + 24 <= at + first.size && BELIEVED.includes(text(bytes, field));
  const delay = (bytes[field + 21] << 4) | (bytes[field + 22] >> 4);
  return { isTag: (has & 3) !== 0, skip: believed ? delay + FILTER_DELAY : 0 };
}

/**
 * { rate, samples (of a frame), skip (samples before position 0), offsets (of each frame of music, and the end) };
 * null: no mp3.
 */
export function readMp3(bytes) {
  let at = afterId3(bytes);
  const begin = at;
  let first = null;
  const offsets = [];
  let skip = 0;
  while (at + 4 <= bytes.length) {
    const one = isFrame(bytes, at, first);
    if (!one) {
      at++;
      continue;
    }
    if (!first) {
      first = one;
      const tag = at - begin < 65536 ? readTag(bytes, at, one) : { isTag: false, skip: 0 };
      skip = tag.skip;
      if (!tag.isTag) offsets.push(at);
    } else {
      offsets.push(at);
    }
    at += one.size;
  }
  if (!first || offsets.length === 0) return null;
  offsets.push(Math.min(at, bytes.length));
  return { rate: first.hz, samples: first.samples, skip, offsets };
}

/** So many frames before a place are decoded for what they leave in the decoder. */
const WARM_UP = 12;

/**
 * What to decode for the samples from..to of the track: bytes begin..end, whose decoded samples have the wanted ones from
 * `lead` on. null: there is nothing more.
 */
export function slice(mp3, from, to) {
  const frames = mp3.offsets.length - 1;
  const firstWanted = Math.floor((from + mp3.skip) / mp3.samples);
  if (firstWanted >= frames) return null;
  const first = Math.max(0, firstWanted - WARM_UP);
  const last = Math.min(frames, Math.ceil((to + mp3.skip) / mp3.samples) + 2);
  return { begin: mp3.offsets[first], end: mp3.offsets[last], lead: from + mp3.skip - first * mp3.samples };
}
