// Prints, for every snippet on standard input and for the files of npm, where the literals stand.
// Run with --expose-internals: node carries acorn with it.
'use strict';
const acorn = require('internal/deps/acorn/acorn/dist/acorn');
const fs = require('fs');
const path = require('path');

function spans(source, kinds) {
  for (const sourceType of kinds) {
    const out = [];
    const comment = (block, text, start, end) => { if (source[start] === '/') out.push(`${block ? 'b' : 'l'}:${start}:${end}`); };
    const token = (t) => {
      const kind = { string: 's', template: 't', regexp: 'r' }[t.type.label];
      if (kind === 'r') out.push(`r:${t.start}:${t.start + 2 + t.value.pattern.length}`);
      else if (kind) out.push(`${kind}:${t.start}:${t.end}`);
      else if (t.type.label !== '`' && t.type.label !== '${' && t.type.label !== 'eof') out.push(`c:${t.start}:${t.end}`);
    };
    try {
      acorn.parse(source, {
        ecmaVersion: 'latest', sourceType, onToken: token, onComment: comment, allowHashBang: false,
        allowReturnOutsideFunction: true, allowAwaitOutsideFunction: sourceType === 'module',
      });
      return out.join(' ');
    } catch { /* the next kind, or none */ }
  }
  return null;
}

const lines = fs.readFileSync(0, 'utf8').split('\n').filter(Boolean);
const out = [];
for (const line of lines) {
  const found = spans(line.replaceAll('\u0001', '\n'), ['script']);
  out.push(found === null ? '!' : `S ${found}`);
}
const root = path.join(path.dirname(process.execPath), '..', 'lib', 'node_modules', 'npm');
let bytes = 0;
for (const name of fs.existsSync(root) ? fs.readdirSync(root, { recursive: true }).sort() : []) {
  if (!/\.[cm]?js$/.test(name) || bytes > 4e6) continue;
  const file = path.join(root, name);
  const source = fs.readFileSync(file, 'latin1');
  if (/[^\x00-\x7f]/.test(source) || source.startsWith('#!')) continue;
  const found = spans(source, ['script', 'module']);
  if (found === null) continue;
  bytes += source.length;
  out.push(`F ${file}`, `S ${found}`);
}
process.stdout.write(out.join('\n') + '\n');
