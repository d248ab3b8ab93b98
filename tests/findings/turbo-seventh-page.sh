#!/usr/bin/env bash
# Packages: @hotwired/turbo 8.0.23, htmx-ext-sse 2.2.4 with htmx.org 2.0.11 (npm), seen with Chromium 156.
#
# Both leave their EventSource open when their page is left. Chromium keeps the page for the way back, and
# its connection with it: over HTTP/1.1 the seventh page visited in a tab does not load.
# Playwright hides this, since it switches that cache off.
#
# Output seen:
#   turbo: 6 of 9 pages load
#   htmx: 6 of 9 pages load
#   turbo, closed on pagehide: 9 of 9 pages load
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . @hotwired/turbo@8.0.23 htmx.org@2.0.11 \
    htmx-ext-sse@2.2.4 playwright-core@1.61.1
cat >try.mjs <<'JS'
import {existsSync, readFileSync} from 'node:fs';
import http from 'node:http';
import {chromium} from 'playwright-core';
const use = file => `<script src="/node_modules/${file}"></script>`;
const turbo = `<!doctype html>${use('@hotwired/turbo/dist/turbo.es2017-umd.js')}
  <turbo-stream-source src="/stream"></turbo-stream-source>`;
const pages = {
  turbo,
  htmx: `<!doctype html>${use('htmx.org/dist/htmx.js')}${use('htmx-ext-sse/dist/sse.js')}
    <p hx-ext="sse" sse-connect="/stream" sse-swap="message"></p>`,
  'turbo, closed on pagehide': `${turbo}<script>
    addEventListener("pagehide", () => document.querySelector("turbo-stream-source").remove());
    </script>`,
};
let streams = 0;
const server = http.createServer((req, res) => {
  const url = new URL(req.url, 'http://localhost');
  const name = decodeURIComponent(url.pathname).slice(1);
  if (name === 'stream') {
    ++streams;
    return res.writeHead(200, {'Content-Type': 'text/event-stream'}).write('data: x\n\n');
  }
  if (pages[name]) return res.setHeader('Content-Type', 'text/html').end(pages[name]);
  if (!name.startsWith('node_modules/') || !existsSync(name)) return res.writeHead(404).end();
  res.setHeader('Content-Type', 'text/javascript').end(readFileSync(name));
});
await new Promise(done => server.listen(0, '127.0.0.1', done));
for (const name of Object.keys(pages)) {
  const browser = await chromium.launch({executablePath: '/usr/bin/chromium',
    ignoreDefaultArgs: ['--disable-back-forward-cache']});
  const page = await browser.newPage();
  let loaded = 0;
  streams = 0;
  try {
    for (let visit = 1; visit <= 9; ++visit) {
      await page.goto(`http://127.0.0.1:${server.address().port}/${name}?${visit}`, {timeout: 10_000});
      loaded = visit;
      while (streams < visit) await page.waitForTimeout(20);
    }
  } catch (error) {
    if (error.name !== 'TimeoutError') throw error;
  }
  console.log(`${name}: ${loaded} of 9 pages load`);
  await browser.close();
}
process.exit();
JS
timeout 180 node try.mjs | tee seen
diff seen - <<'SEEN'
turbo: 6 of 9 pages load
htmx: 6 of 9 pages load
turbo, closed on pagehide: 9 of 9 pages load
SEEN
