#!/usr/bin/env bash
# Packages: eventsource 4.1.1 and 5.1.5, launchdarkly-eventsource 2.2.0, eventsource-client 1.2.0 (npm),
# seen with Node.js 20.20.2.
#
# A block that has an id and nothing else sets the last event ID (HTML, 9.2.6, "dispatch the event",
# step 1: before it is looked at whether there is data). Three of these four libraries, of which one has
# mended it in its next major version, take an id only from a block with data. A stream that begins with
# the id to come back with, and is cut before its first event, is then resumed from nowhere.
#
# Output seen:
#   eventsource 4.1.1 comes back with: nothing
#   eventsource 5.1.5 comes back with: 7
#   launchdarkly-eventsource 2.2.0 comes back with: nothing
#   eventsource-client 1.2.0 comes back with: nothing
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix . eventsource-4@npm:eventsource@4.1.1 \
    eventsource-5@npm:eventsource@5.1.5 launchdarkly-eventsource@2.2.0 eventsource-client@1.2.0
cat >try.mjs <<'JS'
import http from 'node:http';
import {createEventSource} from 'eventsource-client';
import {EventSource as EventSource4} from 'eventsource-4';
import {EventSource as EventSource5} from 'eventsource-5';
import LaunchDarkly from 'launchdarkly-eventsource';
const open = {
  'eventsource 4.1.1': url => new EventSource4(url),
  'eventsource 5.1.5': url => new EventSource5(url),
  'launchdarkly-eventsource 2.2.0': url => new LaunchDarkly.EventSource(url),
  'eventsource-client 1.2.0': url => createEventSource({url}),
};
const secondId = name => new Promise(done => {
  let requests = 0;
  const server = http.createServer((req, res) => {
    if (++requests === 2) {
      source.close();
      done(req.headers['last-event-id'] ?? 'nothing');
    }
    res.writeHead(200, {'Content-Type': 'text/event-stream'});
    res.end('id: 7\n\nretry: 100\n\n');
  });
  let source;
  server.listen(0, () => {
    source = open[name](`http://127.0.0.1:${server.address().port}/`);
    source.onerror = () => {};
  });
});
for (const name of Object.keys(open)) {
  console.log(`${name} comes back with: ${await secondId(name)}`);
}
process.exit();
JS
node try.mjs | tee seen
diff seen - <<'SEEN'
eventsource 4.1.1 comes back with: nothing
eventsource 5.1.5 comes back with: 7
launchdarkly-eventsource 2.2.0 comes back with: nothing
eventsource-client 1.2.0 comes back with: nothing
SEEN
