#!/usr/bin/env bash
# Package: htmx.org 4.0.1 (npm; dist/ext/hx-sse.js, handleSSEResponse), seen with Chromium 156.
#
# A reconnection time counts only in a block that also has data or a type. Alone, as a server sends it
# that says when to come back and then ends, it is dropped: the page is back after half a second, again
# and again. An EventSource waits in both cases.
#
# Output seen:
#   htmx, with data: waits
#   htmx, alone: is back at once
#   EventSource, with data: waits
#   EventSource, alone: waits
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . htmx.org@4.0.1 playwright-core@1.61.1
cat >try.mjs <<'JS'
import {readFileSync} from 'node:fs';
import http from 'node:http';
import {chromium} from 'playwright-core';
const script = name => readFileSync(`node_modules/htmx.org/dist/${name}.js`);
const pages = {
  htmx: stream => `<!doctype html><script src="/htmx"></script><script src="/ext/hx-sse"></script>
    <p hx-sse:connect="${stream}"></p>`,
  EventSource: stream => `<!doctype html><script>new EventSource("${stream}")</script>`,
};
const streams = {'with data': 'retry: 6000\ndata: x\n\n', alone: 'data: x\n\nretry: 6000\n\n'};
const times = {};
const server = http.createServer((req, res) => {
  const [path, stream] = decodeURIComponent(req.url).split('?');
  const [, kind, how] = path.split('/');
  if (streams[how]) {
    (times[kind + how] ??= []).push(performance.now());
    res.writeHead(200, {'Content-Type': 'text/event-stream'}).end(streams[how]);
  } else if (kind === 'page') {
    res.setHeader('Content-Type', 'text/html').end(pages[how](stream));
  } else if (path === '/htmx' || path === '/ext/hx-sse') {
    res.setHeader('Content-Type', 'text/javascript').end(script(path.slice(1)));
  } else {
    res.writeHead(404).end();
  }
});
await new Promise(done => server.listen(0, '127.0.0.1', done));
const origin = `http://127.0.0.1:${server.address().port}`;
const browser = await chromium.launch({executablePath: '/usr/bin/chromium'});
for (const kind of Object.keys(pages)) {
  for (const how of Object.keys(streams)) {
    const page = await browser.newPage();
    await page.goto(`${origin}/page/${kind}?/${kind}/${how}`);
    while ((times[kind + how] ?? []).length < 2) await page.waitForTimeout(50);
    const [first, second] = times[kind + how];
    console.log(`${kind}, ${how}: ${second - first > 4000 ? 'waits' : 'is back at once'}`);
    await page.close();
  }
}
await browser.close();
process.exit();
JS
timeout 120 node try.mjs | tee seen
diff seen - <<'SEEN'
htmx, with data: waits
htmx, alone: is back at once
EventSource, with data: waits
EventSource, alone: waits
SEEN
