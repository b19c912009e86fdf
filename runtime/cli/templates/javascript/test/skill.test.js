import assert from 'node:assert/strict';
import { test } from 'node:test';

import { api } from '../src/skill.js';

test('words, lines and characters are counted', () => {
  assert.deepEqual(api.count('one three\ntwo\n'), { words: 3, lines: 2, characters: 14, longest: 'three' });
});

test('an empty text is an error', () => {
  assert.throws(() => api.count(''), { tag: 'empty' });
});

test('a mistake comes back with its traceback', () => {
  assert.throws(() => api.count(null), (error) => error.tag === 'failed' && /TypeError: .*\n.*count/s.test(error.val));
});
