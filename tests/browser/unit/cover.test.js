// cover.test.js: which address of a picture a page calls.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coverAddress } from '../../../src/page/cover.js';

const GOOD = `/static/covers/${'0123456789abcdef'.repeat(2)}`;

test('that of a picture of the hub', () => {
  assert.equal(coverAddress({ cover_url: GOOD }), GOOD);
});

test('and no other', () => {
  for (const track of [null, undefined, {}, { cover_url: null }, { cover_url: 7 }, { cover_url: [GOOD] }, { cover_url: '' }]) assert.equal(coverAddress(track), null);
  for (const said of [`https://elsewhere.example${GOOD}`, `//elsewhere.example${GOOD}`, `${GOOD}0`, `${GOOD}/..`, `${GOOD}\n`, GOOD.toUpperCase(), `${GOOD}?x`,
    '/static/uploads/x.mp3', 'javascript:alert(1)', 'data:image/svg+xml,<svg/>', '/static/covers/../uploads/0123456789abcdef'])
    assert.equal(coverAddress({ cover_url: said }), null, said);
});
