// SPDX-License-Identifier: MIT
// The EventSource of Chromium, without a window: a page opens the URL, and posts each event here.
import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {createServer} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {print} from './print.mjs';

const page = `<!doctype html><link rel="icon" href="data:,"><script>
let sent = Promise.resolve();
const source = new EventSource(${JSON.stringify(process.argv[2])});
for (const type of ${process.env.SSE_EVENT_TYPES}) {
    source.addEventListener(type, (event) => {
        if (typeof event.data !== 'string') return;
        const body = JSON.stringify([event.type, event.data, event.lastEventId]);
        sent = sent.then(() => fetch('/event', {method: 'POST', body}));
    });
}
</script>`;

const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
        let body = '';
        for await (const part of request.setEncoding('utf8')) body += part;
        print(...JSON.parse(body));
    }
    response.setHeader('Content-Type', 'text/html').end(request.url === '/' ? page : '');
});
server.listen(0, '127.0.0.1', () => {
    const profile = mkdtempSync(join(tmpdir(), 'conformance-'));
    const url = `http://127.0.0.1:${server.address().port}/`;
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${profile}`];
    spawn(process.env.CHROMIUM ?? 'chromium', [...flags, url], {stdio: 'ignore'});
    process.on('exit', () => rmSync(profile, {recursive: true, force: true}));
});
