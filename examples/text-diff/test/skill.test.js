import assert from 'node:assert/strict';
import { test } from 'node:test';

import { applyPatch } from 'diff';

import { api } from '../src/skill.js';

const before = 'one\ntwo words\nthree\n';
const after = 'one\ntwo birds\nthree\nfour\n';

test('a unified diff that can be applied', () => {
  const { added, removed, unified } = api.compare(before, after);
  assert.deepEqual({ added, removed }, { added: 2, removed: 1 });
  assert.match(unified, /^--- before\n\+\+\+ after\n@@ -1,3 \+1,4 @@\n one\n-two words\n\+two birds\n three\n\+four\n$/m);
  assert.equal(applyPatch(before, unified), after);
});

test('what it makes of any texts can be applied', () => {
  let state = 7;
  const next = (below) => (state = (state * 48271) % 2147483647) % below;
  const text = () => Array.from({ length: next(12) }, () => 'abc'[next(3)] + (next(4) ? '' : ' x')).join('\n') + (next(2) ? '\n' : '');
  for (let turn = 0; turn < 500; turn++) {
    const [one, other] = [text(), text()];
    const { unified, added, removed } = api.compare(one, other, { context: next(4) });
    assert.equal(unified === '' ? one : applyPatch(one, unified), other);
    assert.equal(unified === '', added + removed === 0);
  }
});

test('equal texts', () => {
  const { added, removed, unified, html } = api.compare(before, before);
  assert.deepEqual({ added, removed, unified }, { added: 0, removed: 0, unified: '' });
  assert.match(html, /The texts are equal/);
});

test('changed words are marked', () => {
  const { html } = api.compare(before, after);
  assert.match(html, /two <b>words<\/b>/);
  assert.match(html, /two <b>birds<\/b>/);
});

test('nothing of a text is markup, and a name is one line', () => {
  const nasty = `<script>alert("x")</script>\u202e\u0000`;
  const { html, unified } = api.compare('', nasty, { beforeName: `a\n+++ b`, afterName: nasty });
  assert.doesNotMatch(html, /<script|[\u0000\u202e]/);
  assert.equal(unified.split('\n').filter((line) => line.startsWith('+++')).length, 1);
});

test('blanks can be left out of account', () => {
  assert.equal(api.compare('a b \r\n', '\ta b\n', { ignoreBlanks: true }).unified, '');
  assert.notEqual(api.compare('a b \n', 'a b\n').unified, '');
});

test('bounds', () => {
  assert.throws(() => api.compare('\n'.repeat(20_000), ''), { tag: 'too-many-lines', val: 20_001 });
  const lines = (name) => Array.from({ length: 6_000 }, (_, line) => `${name} ${line}`).join('\n');
  assert.throws(() => api.compare(lines('a'), lines('b')), { tag: 'too-different' });
});

test('a mistake comes back with its traceback', () => {
  assert.throws(() => api.compare(null, ''), (error) => error.tag === 'failed' && /TypeError: .*\n.*compare/s.test(error.val));
});
