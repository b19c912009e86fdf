// The difference as a page of HTML. It stands by itself: no script, no font to load, no address.

import { diffWordsWithSpace } from 'diff';

const STYLE =
  'body{margin:16px;font:14px/1.5 system-ui,sans-serif;background:#fff;color:#1f2328}table{border-collapse:collapse;width:100%}' +
  'td{padding:0 8px;font:12px/20px ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;vertical-align:top}' +
  'td.n{width:1%;color:#59636e;text-align:right;user-select:none}tr.h td{background:#ddf4ff;color:#59636e}' +
  'tr.d td{background:#ffebe9}tr.a td{background:#dafbe1}tr.d b{background:#ffc1ba}tr.a b{background:#aceebb}b{font-weight:400}';

// Lines that are longer are not compared word by word.
const LONGEST_LINE = 2_000;

export function page(before, after, hunks) {
  const rows = hunks.flatMap(rowsOf);
  const body = rows.length === 0 ? '<p>The texts are equal.</p>' : `<table>${rows.join('')}</table>`;
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escape(before)} and ${escape(after)}</title>` +
    `<style>${STYLE}</style></head><body><h1>${escape(before)} → ${escape(after)}</h1>${body}</body></html>`
  );
}

function rowsOf(hunk) {
  const head = `@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@`;
  const rows = [`<tr class="h"><td class="n"></td><td class="n"></td><td>${head}</td></tr>`];
  let [old, now] = [hunk.oldStart, hunk.newStart];
  for (let at = 0; at < hunk.lines.length; ) {
    const removed = run(hunk.lines, at, '-');
    const added = run(hunk.lines, at + removed.length, '+');
    if (removed.length + added.length === 0) {
      const line = hunk.lines[at++];
      // What stands behind a backslash is about the line before it: that it has no end.
      if (!line.startsWith('\\')) rows.push(row('', old++, now++, escape(line.slice(1))));
      continue;
    }
    at += removed.length + added.length;
    const pairs = removed.length === added.length ? removed.map((line, index) => words(line, added[index])) : undefined;
    removed.forEach((line, index) => rows.push(row('d', old++, '', pairs?.[index][0] ?? escape(line))));
    added.forEach((line, index) => rows.push(row('a', '', now++, pairs?.[index][1] ?? escape(line))));
  }
  return rows;
}

// The lines from here on that begin with this sign, without it.
function run(lines, from, sign) {
  const end = lines.findIndex((line, index) => index >= from && !line.startsWith(sign));
  return lines.slice(from, end === -1 ? undefined : end).map((line) => line.slice(1));
}

// Both lines with what differs between them marked, if they have enough in common for that to help.
function words(before, after) {
  if (before.length > LONGEST_LINE || after.length > LONGEST_LINE) return [escape(before), escape(after)];
  const parts = diffWordsWithSpace(before, after);
  const shared = parts.filter((part) => !part.added && !part.removed).reduce((sum, part) => sum + part.value.length, 0);
  if (shared * 3 < Math.min(before.length, after.length)) return [escape(before), escape(after)];
  const side = (own) => parts.filter((part) => part[own] || (!part.added && !part.removed)).map((part) => mark(part, own)).join('');
  return [side('removed'), side('added')];
}

function mark(part, own) {
  return part[own] ? `<b>${escape(part.value)}</b>` : escape(part.value);
}

function row(kind, old, now, html) {
  return `<tr${kind && ` class="${kind}"`}><td class="n">${old}</td><td class="n">${now}</td><td>${html}</td></tr>`;
}

function escape(text) {
  const names = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  // What HTML cannot hold, and what turns the direction of text, is shown as a sign for something that is not there.
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, '\ufffd').replace(/[&<>"']/g, (sign) => names[sign]);
}
