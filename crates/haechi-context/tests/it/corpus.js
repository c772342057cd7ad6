'use strict';
// One same-origin frame for each document, written synchronously: what runs, runs before `write` returns.
// The address of the documents is nobody's: with the address of this page, `<iframe src="?x">` would load this page
// again, with all its frames. The policy stops loads before they wait, and stops no inline script.
const HERE = 'https://corpus.invalid/dir/page';
const HEAD = '<!DOCTYPE html><meta http-equiv=Content-Security-Policy content="default-src \'none\'; '
  + 'script-src \'unsafe-inline\' \'unsafe-eval\'; style-src \'unsafe-inline\'"><base href="' + HERE + '"><body>';
let hits = 0;
let seen = [];
function hit() { hits += 1; }
function found(what) { hits += 1; if (seen.length < 3) seen.push(what); }
function open(html) {
  const frame = document.createElement('iframe');
  document.body.append(frame);
  const inner = frame.contentDocument;
  inner.open();
  try { inner.write(HEAD + html); } catch { /* a script of the document failed */ }
  return frame;
}
// A document that loads and runs nothing.
function parse(html) { return new DOMParser().parseFromString('<!DOCTYPE html><body>' + html, 'text/html'); }
const SCHEMES = ['http:', 'https:', 'mailto:', 'tel:', 'sms:', 'about:'];
const ADDRESSES = ['href', 'xlink:href', 'src', 'action', 'formaction', 'data', 'poster', 'background', 'ping'];
const CODE = ['script', 'link', 'embed', 'object', 'base', 'use', 'feimage'];
// What a browser would do with an address is said by the browser's own parser.
function address(element, text, stays) {
  let url;
  try { url = new URL(text, HERE); } catch { return; }
  const name = element.localName.toLowerCase();
  if (!SCHEMES.includes(url.protocol)) found(`${name} to ${url.href}`);
  else if ((stays || (CODE.includes(name) && !/^(icon|canonical)$/.test(element.rel))) && url.protocol.startsWith('http') && url.host !== 'corpus.invalid') {
    found(`${name} at ${url.host}`);
  }
}
// `inert` is for documents of a hundred frames, each with a process of its own: their addresses say enough.
function measure(html, stays, inert) {
  const before = hits;
  const frame = inert ? null : open(html);
  const inner = inert ? parse(html) : frame.contentDocument;
  const count = { elements: 0, attributes: 0, rules: 0 };
  const roots = [inner];
  let documents = '';
  for (let root; (root = roots.pop());) {
    for (const element of root.querySelectorAll('*')) {
      count.elements += 1;
      if (element.localName === 'template') roots.push(element.content);
      count.attributes += element.attributes.length;
      count.rules += element.style ? element.style.length : 0;
      for (const name of ADDRESSES) if (element.hasAttribute(name)) address(element, element.getAttribute(name), stays);
      for (const name of ['values', 'to', 'from', 'by']) {
        if (element.hasAttribute(name) && /^(set|animate)/.test(element.localName)) {
          for (const text of element.getAttribute(name).split(name === 'values' ? ';' : '\u0000')) address(element, text, stays);
        }
      }
      if (element.localName === 'meta' && /refresh/i.test(element.httpEquiv)) {
        const target = /url\s*=\s*['"]?(.*)/is.exec(element.content);
        if (target) address(element, target[1], stays);
      }
      if (element.srcdoc) documents += element.srcdoc;
      for (const type of ['click', 'mouseover', 'focus']) {
        const listener = element['on' + type];
        if (listener) try { listener.call(element, new Event(type)); } catch { /* its own business */ }
      }
    }
  }
  for (const sheet of inner.styleSheets) {
    try { for (const rule of sheet.cssRules) count.rules += 1 + (rule.style ? rule.style.length : 0); } catch { /* another origin */ }
  }
  if (frame) frame.remove();
  if (documents) {
    const nested = measure(documents, stays, false);
    for (const key of Object.keys(count)) count[key] += nested[key];
  }
  return { hits: hits - before, ...count };
}
function read(kind, html) {
  if (kind === 'js') {
    const frame = open(html);
    const value = frame.contentWindow.v;
    frame.remove();
    return value;
  }
  const target = parse(html).getElementById('t');
  if (!target) return null;
  if (kind === 'text') return target.textContent;
  return kind === 'value' ? target.value : target.getAttribute(kind.slice(5));
}
const report = [];
for (const [name, kind, base, safe, raw, benign] of CASES) {
  const stays = kind === 'here', inert = /^<(iframe|object|embed)/.test(name);
  const expected = measure(base, stays, inert);
  seen = [];
  const escaped = measure(safe, stays, inert);
  const lines = [`hits ${escaped.hits} ${JSON.stringify(seen)}`];
  if (kind !== 'spread') {
    lines.push(`elements ${escaped.elements - expected.elements}`, `attributes ${escaped.attributes - expected.attributes}`);
  }
  lines.push(`rules ${Math.max(0, escaped.rules - expected.rules)}`, `raw ${measure(raw, stays, inert).hits}`);
  const wrong = benign.filter(([value, html]) => read(kind, html) !== value).map(([value]) => JSON.stringify(value));
  lines.push(`benign ${benign.length} wrong ${wrong.length} ${wrong.join(' ')}`);
  report.push(JSON.stringify(name).slice(1, -1).replaceAll('\t', ' ') + '\t' + lines.join('\t'));
}
const result = document.createElement('pre');
result.textContent = 'BEGIN\n' + report.join('\n') + '\nEND';
document.body.replaceChildren(result);
