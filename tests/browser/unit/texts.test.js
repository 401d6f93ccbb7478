import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import test from 'node:test';

const PAGE = new URL('../../../src/page/', import.meta.url);
const source = readFileSync(new URL('texts.js', PAGE), 'utf8');
// The table alone: the module needs a browser.
const table = source.slice(source.indexOf('TABLE = {') + 8, source.indexOf('\n};') + 2);
const TABLE = new Function(`return ${table}`)();
const others = readdirSync(PAGE).filter((name) => name.endsWith('.js') && name !== 'texts.js').map((name) => readFileSync(new URL(name, PAGE), 'utf8')).join('\n');

const holes = (text) => [...text.matchAll(/\{(\w+)\}/g)].map((hole) => hole[1]).sort().join();

test('each text is there in each language, with the same holes', () => {
  for (const [key, texts] of Object.entries(TABLE)) {
    assert.equal(texts.length, 2, key);
    for (const text of texts) assert.ok(text.trim(), key);
    assert.equal(holes(texts[0]), holes(texts[1]), key);
  }
});

test('each text that is asked for is there, and none is left over', () => {
  const asked = new Set([...others.matchAll(/\btt?\(\s*'(\w+)'/g)].map((one) => one[1]));
  for (const one of others.matchAll(/\btt?\((?:[^()']|\([^()]*\))*\?\s*'(\w+)'\s*:\s*'(\w+)'/g)) asked.add(one[1]).add(one[2]);
  for (const key of asked) assert.ok(key in TABLE, key);
  for (const key of Object.keys(TABLE)) assert.ok(asked.has(key) || new RegExp(`['"\`]?\\b${key}\\b`).test(others), `nobody asks for ${key}`);
});
