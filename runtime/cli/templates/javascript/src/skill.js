// A skill. What it offers stands in wit/skill.wit; for editors, its types stand in build/types once it has been built.

import { traced } from './skillhall/index.js';

export const api = traced(
  {
    count(text) {
      if (text === '') throw { tag: 'empty' };
      const words = text.split(/\s+/).filter((word) => word !== '');
      const lines = text.split('\n');
      return {
        words: words.length,
        lines: lines.length - (lines.at(-1) === '' ? 1 : 0),
        characters: [...text].length,
        longest: words.reduce((longest, word) => (longest === undefined || word.length >= longest.length ? word : longest), undefined),
      };
    },
  },
  (traceback) => ({ tag: 'failed', val: traceback }),
);
