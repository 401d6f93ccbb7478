// icons.js: drawn on a grid of 24, as strokes in the colour of the text.
const SVG = 'http://www.w3.org/2000/svg';

const SHAPES = {
  play: ['M8 5.5v13l11-6.5z', true],
  pause: ['M7 5h3.5v14H7zM13.5 5H17v14h-3.5z', true],
  next: ['M6 6l9 6-9 6zM16.5 6H19v12h-2.5z', true],
  previous: ['M18 6l-9 6 9 6zM7.5 6H5v12h2.5z', true],
  shuffle: ['M4 7h3c5 0 5 10 10 10h3M4 17h3c1.6 0 2.7-.9 3.5-2.2M13.5 9.2C14.3 7.9 15.4 7 17 7h3M17.5 4.5L20 7l-2.5 2.5M17.5 14.5L20 17l-2.5 2.5'],
  repeat: ['M5 11V9.5A2.5 2.5 0 0 1 7.5 7H19M16.5 4.5L19 7l-2.5 2.5M19 13v1.5a2.5 2.5 0 0 1-2.5 2.5H5M7.5 14.5L5 17l2.5 2.5'],
  note: ['M9 18V6l10-2v12M9 18a2.5 2.5 0 1 1-2.5-2.5H9M19 16a2.5 2.5 0 1 1-2.5-2.5H19'],
  add: ['M12 5v14M5 12h14'],
  list: ['M4 7h12M4 12h12M4 17h7M19 13v6M16 16h6'],
  hand: ['M5 12h4l2-7 3 14 2-7h3'],
  more: ['M5 7h14M5 12h14M5 17h14'],
  close: ['M6 6l12 12M18 6L6 18'],
  grip: ['M8 9h8M8 15h8'],
  upload: ['M12 16V5M7 10l5-5 5 5M5 19h14'],
  check: ['M5 12.5l4.5 4.5L19 7.5'],
  again: ['M19 12a7 7 0 1 1-2.3-5.2M19 4v4h-4'],
  share: ['M12 15V4M8 7.5L12 4l4 3.5M6 11v8h12v-8'],
  speaker: ['M5 9.5v5h3.5L13 18V6L8.5 9.5zM16 9a4.5 4.5 0 0 1 0 6M18.5 6.5a8 8 0 0 1 0 11'],
  copy: ['M9 9h10v11H9zM5 15V4h10'],
};

export function icon(name) {
  const [path, filled] = SHAPES[name];
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', filled ? 'icon filled' : 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const shape = document.createElementNS(SVG, 'path');
  shape.setAttribute('d', path);
  svg.append(shape);
  return svg;
}
