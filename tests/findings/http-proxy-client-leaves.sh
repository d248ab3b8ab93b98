#!/usr/bin/env bash
# Package: http-proxy 1.18.1 (npm; lib/http-proxy/passes/web-incoming.js), which the development
# servers of several tools build on; seen with Node.js 20.20.2.
#
# A client that leaves an event stream is not told to the server behind the proxy: the proxy waits for
# the request's "aborted", which does not come once the request has been read. The stream goes on
# into nowhere, heartbeats included, and its connection stays open. A proxy that listens to "close" of the
# response instead ends it at once (the second line is plain Node.js).
#
# Output seen:
#   http-proxy: 1 stream still open 2 s after its client has left
#   by hand: 0 streams still open 2 s after its client has left
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . http-proxy@1.18.1
cat >try.js <<'JS'
const http = require('http');
const httpProxy = require('http-proxy');
const listen = server => new Promise(done => server.listen(0, () => done(server.address().port)));
async function leave(name, makeProxy) {
  let open = 0;
  const origin = http.createServer((req, res) => {
    ++open;
    res.writeHead(200, {'Content-Type': 'text/event-stream'});
    res.write('data: 1\n\n');
    const timer = setInterval(() => res.write(':\n\n'), 100);
    res.on('close', () => { --open; clearInterval(timer); });
  });
  const port = await listen(makeProxy(await listen(origin)));
  await new Promise(done => {
    const req = http.get({port}, res => {
      res.on('error', () => {});
      res.once('data', () => { req.destroy(); setTimeout(done, 2000); });
    });
  });
  console.log(`${name}: ${open} stream${open === 1 ? '' : 's'} still open 2 s after its client has left`);
}
const byPackage = port => {
  const proxy = httpProxy.createProxyServer({target: `http://127.0.0.1:${port}`});
  return http.createServer((req, res) => proxy.web(req, res, () => {}));
};
const byHand = port => http.createServer((req, res) => {
  const onward = http.get({port}, answer => {
    res.writeHead(answer.statusCode, answer.headers);
    answer.on('error', () => {});
    answer.pipe(res);
  });
  res.on('close', () => onward.destroy());
});
leave('http-proxy', byPackage).then(() => leave('by hand', byHand)).then(() => process.exit());
JS
node --no-deprecation try.js | tee seen
diff seen - <<'SEEN'
http-proxy: 1 stream still open 2 s after its client has left
by hand: 0 streams still open 2 s after its client has left
SEEN
