// SPDX-License-Identifier: MIT
//
// A stream on its way through nginx, which holds responses back unless it is told otherwise. Every
// stream tells it so: X-Accel-Buffering is among its headers, and nothing has to be configured.
import {assertUnbroken, breakThreeTimes, connected, eventsThrough, forgetVerdict, hasEvents, lookAt,
    noticesOf, openEmptyPage, openPage, openStream, resumed, shows, startBrowser, untilOpened} from
    "../support/pages.mjs";
import {startLive, startNginx, until} from "../support/servers.mjs";

import assert from "node:assert/strict";
import {after, before, test} from "node:test";

let browser;
before(async () => { browser = await startBrowser(); });
after(() => browser.close());

test("each event arrives before the next is published", async t => {
    const live = await startLive(t);
    const nginx = await startNginx(t, live.url);
    const page = await openEmptyPage(t, browser, nginx.url);
    await openStream(page, "stream", "/events?topics=notice");
    await untilOpened(page, "stream", 1);
    for (let i = 1; i <= 20; ++i) {
        await live.notify(`notice ${i}`);
        await eventsThrough(page, "stream", `notice ${i}`);
    }
    const server = await page.evaluate(async () => (await fetch("/")).headers.get("Server"));
    assert.match(server, /^nginx/);
});

test("nginx that is made not to listen holds events back", async t => {
    const live = await startLive(t);
    const nginx = await startNginx(t, live.url, "proxy_ignore_headers X-Accel-Buffering;");
    const direct = await openEmptyPage(t, browser, live.url);
    const held = await openEmptyPage(t, browser, nginx.url);
    await openStream(direct, "stream", "/events");
    await openStream(held, "stream", "/events?topics=notice");
    const both = ({data}) => data.includes('"streams":2');
    await until(async () => (await lookAt(direct, "stream")).events.some(both), "both are open");
    for (let i = 1; i <= 20; ++i) {
        await live.notify(`notice ${i}`);
        await eventsThrough(direct, "stream", `notice ${i}`);
    }
    assert.equal((await lookAt(held, "stream")).events.length, 0);
    for (let i = 0; i < 50; ++i) await live.notify("x".repeat(1000)); // more than it can hold
    await eventsThrough(held, "stream", "notice 20");
});

test("the page resumes when nginx has been restarted", async t => {
    const live = await startLive(t);
    const nginx = await startNginx(t, live.url);
    const page = await openPage(t, browser, nginx.url);
    const published = [];
    for (const signal of ["SIGTERM", "SIGKILL"]) {
        await connected(page);
        await forgetVerdict(page);
        await nginx.stop(signal);
        await shows(page, "state", /^reconnecting$/);
        for (let i = 0; i < 5; ++i) {
            published.push(`notice ${published.length}`);
            await live.notify(published.at(-1));
        }
        await nginx.start();
        await shows(page, "verdict", resumed);
    }
    await shows(page, "reconnects", /^2$/);
    assert.deepEqual(await noticesOf(page), published);
    await assertUnbroken(page);
});

test("the page resumes when the server has cut it off", async t => {
    const live = await startLive(t);
    const nginx = await startNginx(t, live.url);
    const page = await openPage(t, browser, nginx.url);
    await breakThreeTimes(page);
});

test("the page comes back when there was no server for a while", async t => {
    const live = await startLive(t);
    const nginx = await startNginx(t, live.url);
    const page = await openPage(t, browser, nginx.url);
    await connected(page);
    await hasEvents(page);
    await live.stop();
    await shows(page, "state", /^server not there$/); // 502: EventSource gives up
    await live.start();
    await shows(page, "verdict", /^Gap: .* it has been restarted\.$/);
    await connected(page);
});
