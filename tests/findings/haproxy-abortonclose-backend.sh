#!/usr/bin/env bash
# Package: haproxy 2.6.12-1+deb12u4 (Debian 12), with the libraries that it needs, unpacked into a folder.
#
# `option abortonclose` is accepted in a backend, where the manual allows it, without a warning, and has no
# effect: whether to look after the client of a running response is decided by the options of its frontend,
# where the manual does not allow it. A stream whose client has left goes on until `timeout server`. Only
# in `defaults`, or in a `listen`, it reaches both (haproxy issue 2344, mended in later versions).
#
# Output seen:
#   in the backend: 1 stream still open 3 s after its client has left
#   in defaults: 0 streams still open 3 s after its client has left
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
apt-get download -qq haproxy=2.6.12-1+deb12u4 liblua5.3-0 libopentracing-c-wrapper0 libopentracing1
for package in *.deb; do dpkg -x "$package" .; done
libraries=$(echo usr/lib/*-linux-*)
cat >try.mjs <<'JS'
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {writeFileSync} from 'node:fs';
import http from 'node:http';
import {setTimeout as sleep} from 'node:timers/promises';
let open = 0;
const origin = http.createServer((req, res) => {
  ++open;
  res.writeHead(200, {'Content-Type': 'text/event-stream'}).write('data: 1\n\n');
  res.on('close', () => --open);
});
await once(origin.listen(0), 'listening');
async function leave(name, inDefaults, inBackend) {
  const finder = http.createServer();
  await once(finder.listen(0), 'listening');
  const {port} = finder.address();
  finder.close();
  writeFileSync('haproxy.cfg', `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  ${inDefaults}
frontend all
  bind 127.0.0.1:${port}
  default_backend news
backend news
  ${inBackend}
  server news 127.0.0.1:${origin.address().port}
`);
  const proxy = spawn('usr/sbin/haproxy', ['-db', '-f', 'haproxy.cfg'], {stdio: 'ignore'});
  let request;
  for (let response; !response;) {
    request = http.get({port, agent: false});
    [response] = await once(request, 'response').catch(() => sleep(50).then(() => []));
    if (response) await once(response.on('error', () => {}), 'data');
  }
  request.destroy();
  await sleep(3000);
  console.log(`${name}: ${open} stream${open === 1 ? '' : 's'} still open 3 s after its client has left`);
  proxy.kill('SIGKILL');
  while (open > 0) await sleep(50);
}
await leave('in the backend', '', 'option abortonclose');
await leave('in defaults', 'option abortonclose', '');
process.exit();
JS
LD_LIBRARY_PATH=$libraries node try.mjs | tee seen
diff seen - <<'SEEN'
in the backend: 1 stream still open 3 s after its client has left
in defaults: 0 streams still open 3 s after its client has left
SEEN
