// The skill: how two texts differ. What it offers stands in wit/skill.wit; for editors, its types stand in build/types once it has been built.

import { FILE_HEADERS_ONLY, formatPatch, structuredPatch } from 'diff';

import { page } from './page.js';
import { traced } from './skillhall/index.js';

// More is more than a call may take.
const MOST_LINES = 20_000;
const MOST_STEPS = 5_000;

export const api = traced({ compare }, (traceback) => ({ tag: 'failed', val: traceback }));

function compare(before, after, options) {
  for (const text of [before, after]) {
    const lines = text.split('\n').length;
    if (lines > MOST_LINES) throw { tag: 'too-many-lines', val: lines };
  }
  const names = [options?.beforeName ?? 'before', options?.afterName ?? 'after'].map(oneLine);
  const patch = structuredPatch(...names, before, after, undefined, undefined, {
    context: options?.context ?? 3,
    ignoreWhitespace: options?.ignoreBlanks ?? false,
    stripTrailingCr: options?.ignoreBlanks ?? false,
    maxEditLength: MOST_STEPS,
  });
  if (patch === undefined) throw { tag: 'too-different' };
  const count = (sign) => patch.hunks.reduce((sum, hunk) => sum + hunk.lines.filter((line) => line.startsWith(sign)).length, 0);
  return {
    added: count('+'),
    removed: count('-'),
    unified: patch.hunks.length === 0 ? '' : formatPatch(patch, FILE_HEADERS_ONLY),
    html: page(...names, patch.hunks),
  };
}

// A name is a part of a line of the patch; what would end it there would begin another.
function oneLine(name) {
  return name.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').slice(0, 200);
}
