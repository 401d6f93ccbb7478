// cover.js: the picture that a track brings along, where it has one; whatever else is shown there stays beneath it.
import { h } from './dom.js';

/** Only what the hub keeps itself: nobody's track makes a browser call elsewhere. */
const ADDRESS = /^\/static\/covers\/[0-9a-f]{32}$/;

/** Of its picture; null: it has none. */
export function coverAddress(track) {
  const said = track?.cover_url;
  return typeof said === 'string' && ADDRESS.test(said) ? said : null;
}

/** In an element that is pictured while it shows one. */
export class Cover {
  #element; #address = null; #image = null;

  constructor(element) {
    this.#element = element;
  }

  /** text: what it is, for who does not see it; '': a title beside it says that. */
  show(track, text = '') {
    const address = coverAddress(track);
    if (address !== this.#address) this.#change(address);
    if (this.#image && this.#image.alt !== text) this.#image.alt = text;
  }

  #change(address) {
    this.#address = address;
    this.#drop();
    if (!address) return;
    const image = h('img', { loading: 'lazy', decoding: 'async', alt: '', draggable: 'false', class: 'art' });
    image.addEventListener('load', () => { if (image === this.#image) this.#element.classList.add('pictured'); });
    image.addEventListener('error', () => { if (image === this.#image) this.#drop(); });
    image.src = address;
    this.#image = image;
    this.#element.append(image);
  }

  #drop() {
    this.#image?.remove();
    this.#image = null;
    this.#element.classList.remove('pictured');
  }
}
