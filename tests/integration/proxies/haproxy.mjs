// SPDX-License-Identifier: MIT
//
// HAProxy. Without http-no-delay it tells the kernel with each event that there is more to come, and
// the kernel waits 200 ms for it; without abortonclose it looks after the client only when it writes.
// Both stand in defaults: in a backend abortonclose does nothing before that is mended (issue 2344).
import {heartbeatsAfterLeaving, lateness, least, openWhole, startBehind, startNews, testProxy} from
    "../support/proxies.mjs";

import assert from "node:assert/strict";
import {test} from "node:test";

const haproxy = (...options) => ({
    program: "haproxy",
    noticed: 0,
    cuts: true,
    recovers: true,
    args: ({folder}) => ["-db", "-f", `${folder}/haproxy.cfg`],
    files: ({port, origin, idle, folder}) => ({
        "haproxy.cfg": `
            defaults
                mode http
                ${options.join("\n")}
                timeout connect 5s
                timeout client 60s
                timeout server ${idle}s
            frontend all
                bind 127.0.0.1:${port}
                default_backend news
            backend news
                errorfile 503 ${folder}/later.http
                server news ${origin}
        `,
        "later.http": "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" +
            "Cache-Control: no-store\r\nConnection: close\r\n\r\nretry: 2000\n\n",
    }),
});
const needed = ["option http-no-delay", "option abortonclose"];

testProxy(haproxy(...needed));

test("without http-no-delay events are late", async t => {
    const news = await startNews(t);
    const url = await startBehind(t, haproxy("option abortonclose"), news);
    const median = await lateness(t, url, news, 5);
    assert.ok(median > 100, `${median} ms`);
});

test("without abortonclose a leaver is noticed at the second heartbeat", async t => {
    const news = await startNews(t, 500);
    const url = await startBehind(t, haproxy("option http-no-delay"), news);
    assert.equal(await least(2, () => heartbeatsAfterLeaving(t, url, news)), 2);
});

test("it does not compress what must not be transformed", async t => {
    const compression = ["compression algo gzip", "compression type text/event-stream"];
    const news = await startNews(t);
    const url = await startBehind(t, haproxy(...needed, ...compression), news);
    const stream = await openWhole(t, url, {gzip: true});
    await news.publish("the only one");
    await stream.untilText("the only one");
    assert.equal(stream.encoding, undefined);
});
