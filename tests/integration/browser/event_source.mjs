// SPDX-License-Identifier: MIT
//
// EventSource, as a browser has it, against a server of this toolkit: when it comes back, that it
// misses nothing, how it is told to stop, and what it may do across origins.
import {eventsThrough, inFirefox, lookAt, openEmptyPage, openStream, startBrowser, untilClosed,
    untilEvents, untilOpened} from "../support/pages.mjs";
import {startLive, startOrigin, startProxy, until} from "../support/servers.mjs";

import assert from "node:assert/strict";
import {after, before, test} from "node:test";

let browser;
before(async () => { browser = await startBrowser(); });
after(() => browser.close());

// Left to itself Chromium waits 3 s: one of the two is shorter, the other longer. Firefox waits 5 s,
// and never less than half a second.
for (const retry of inFirefox ? [1000] : [200, 4000]) {
    test(`it comes back after the ${retry} ms that the server has told it`, async t => {
        const live = await startLive(t, "--retry", `${retry}`);
        const proxy = await startProxy(t, live.url);
        const page = await openEmptyPage(t, browser, proxy.url);
        await openStream(page, "stream", "/events");
        await untilEvents(page, "stream", 1);
        proxy.of("/events")[0].cut();
        await untilOpened(page, "stream", 2);
        const [first, second] = proxy.of("/events");
        const waited = second.began - first.broke;
        t.diagnostic(`waited ${waited.toFixed(0)} ms`);
        assert.ok(waited > 0.95 * retry, `${waited}`);
        assert.ok(waited < retry + 2500, `${waited}`);
    });
}

test("what it misses is what one gets that was never cut off, once and in order", async t => {
    const live = await startLive(t);
    const proxy = await startProxy(t, live.url);
    const steady = await openEmptyPage(t, browser, live.url);
    const page = await openEmptyPage(t, browser, proxy.url);
    await openStream(steady, "stream", "/events");
    await untilOpened(steady, "stream", 1);
    await openStream(page, "stream", "/events?client=me");
    await fetch(`${live.url}/jobs`, {method: "POST"});
    for (let round = 1; round <= 6; ++round) {
        await untilOpened(page, "stream", round);
        await untilEvents(page, "stream", 5 * round);
        const byServer = round % 2 === 0;
        if (byServer) await fetch(`${live.url}/break?client=me`, {method: "POST"});
        else proxy.of("/events").at(-1).cut();
        await live.notify(`while it is away for the ${round}. time`);
    }
    await untilOpened(page, "stream", 7);
    await live.notify("last");
    const got = await eventsThrough(page, "stream", "last");
    const all = await eventsThrough(steady, "stream", "last");
    const from = all.findIndex(({id}) => id === got[0].id);
    assert.deepEqual(got, all.slice(from));
    assert.ok(got.filter(({type}) => type === "info").length >= 7);
    assert.equal(got.filter(({type}) => type === "gap").length, 0);
    for (const {headers} of proxy.of("/events").slice(1)) {
        assert.ok(all.some(({id}) => id === headers["last-event-id"]));
    }
});

test("204 ends it: it comes back once after the end of a job, and never again", async t => {
    const live = await startLive(t);
    const proxy = await startProxy(t, live.url);
    const page = await openEmptyPage(t, browser, proxy.url);
    await fetch(`${live.url}/jobs`, {method: "POST"});
    await openStream(page, "job", "/events?topics=job/1&history");
    await untilClosed(page, "job");
    const {opened, events} = await lookAt(page, "job");
    assert.equal(opened, 1);
    assert.equal(JSON.parse(events[0].data).percent, 0);
    assert.equal(JSON.parse(events.at(-2).data).percent, 100);
    assert.equal(events.at(-1).type, "complete");

    // Another that is cut off comes back and back; this one stays away.
    await openStream(page, "other", "/events?topics=metric");
    for (let round = 1; round <= 5; ++round) {
        await untilOpened(page, "other", round);
        await untilEvents(page, "other", round);
        proxy.of("/events?topics=metric").at(-1).cut();
    }
    await untilOpened(page, "other", 6);
    const requests = proxy.of("/events?topics=job");
    assert.deepEqual(requests.map(({status}) => status), [200, 204]);
    assert.equal(requests[1].headers["last-event-id"], events.at(-1).id);
    assert.equal((await lookAt(page, "job")).state, 2);
});

test("a stream opens before it has anything to say", async t => {
    const live = await startLive(t);
    const other = await openEmptyPage(t, browser, await startOrigin(t));
    await openStream(other, "stream", "/head");
    const page = await openEmptyPage(t, browser, live.url);
    await openStream(page, "stream", "/events?topics=job");
    await untilOpened(page, "stream", 1);
    assert.deepEqual((await lookAt(page, "stream")).events, []);
    // Firefox keeps a head to itself until a byte of the body has come.
    if (inFirefox) assert.equal((await lookAt(other, "stream")).opened, 0);
    else await untilOpened(other, "stream", 1);
});

test("one that is refused for now comes back, and gets its place when there is one", async t => {
    const live = await startLive(t, "--clients", "1");
    const proxy = await startProxy(t, live.url);
    const first = await openEmptyPage(t, browser, live.url);
    await openStream(first, "stream", "/events");
    await untilOpened(first, "stream", 1);
    const page = await openEmptyPage(t, browser, proxy.url);
    await openStream(page, "stream", "/events");
    await untilOpened(page, "stream", 1); // a soft refusal is a stream that ends at once
    assert.deepEqual((await lookAt(page, "stream")).events, []);
    await first.evaluate(() => stream.stream.close());
    await untilEvents(page, "stream", 1);
    assert.deepEqual(proxy.of("/events").map(({status}) => status), [200, 200]);
});

// ---- other origins

/** The demo behind a proxy, which knows the first of two other origins. */
async function startCrossOrigin(t) {
    const [friend, stranger] = [await startOrigin(t), await startOrigin(t)];
    const proxy = await startProxy(t, (await startLive(t, "--origin", friend)).url);
    const pageOf = async origin => {
        const page = await openEmptyPage(t, browser, origin);
        // Cookies know no ports: the page's host is that of the server.
        await page.evaluate(() => { document.cookie = "session=7"; });
        return page;
    };
    return {proxy, friend, stranger, pageOf};
}

test("a page of an allowed origin reads the stream, with cookies if it wants", async t => {
    const {proxy, friend, pageOf} = await startCrossOrigin(t);
    const page = await pageOf(friend);
    await openStream(page, "cookies", `${proxy.url}/events?cookies&topics=metric`,
        {withCredentials: true});
    await openStream(page, "plain", `${proxy.url}/events?plain`);
    for (let round = 1; round <= 3; ++round) {
        await untilOpened(page, "cookies", round);
        await untilEvents(page, "cookies", 3 * round);
        if (round < 3) proxy.of("/events?cookies").at(-1).cut();
    }
    await untilEvents(page, "plain", 3);
    const numbers = (await lookAt(page, "cookies")).events.map(({data}) => JSON.parse(data).seq);
    assert.deepEqual(numbers, numbers.map((_, i) => numbers[0] + i));

    const requests = proxy.of("/events?cookies");
    assert.ok(requests.length >= 3);
    for (const {method, headers} of requests) {
        assert.equal(method, "GET"); // an id without a colon needs no preflight
        assert.equal(headers.origin, friend);
        assert.equal(headers.cookie, "session=7");
    }
    assert.ok(requests.at(-1).headers["last-event-id"]);
    const [plain] = proxy.of("/events?plain");
    assert.equal(plain.headers.origin, friend);
    assert.equal(plain.headers.cookie, undefined);
});

// Firefox tries once, and then gives up on a server of another origin that is not there.
test("a server that restarts has said when to come back, to other origins too", async t => {
    const friend = await startOrigin(t);
    const live = await startLive(t, "--origin", friend, "--retry", "2000");
    const page = await openEmptyPage(t, browser, friend);
    await openStream(page, "stream", `${live.url}/events`);
    await untilEvents(page, "stream", 1);
    await live.stop("SIGTERM");
    await live.start();
    await live.notify("while it is away");
    await untilOpened(page, "stream", 2);
    const gap = await until(async () =>
        (await lookAt(page, "stream")).events.find(({type}) => type === "gap"), "it says so");
    assert.equal(JSON.parse(gap.data).reason, "unknown");
});

test("fetch with a token asks first, and then reads the stream", async t => {
    const {proxy, friend, pageOf} = await startCrossOrigin(t);
    const page = await pageOf(friend);
    const text = await page.evaluate(async url => {
        const headers = {Authorization: "Bearer t", "Last-Event-ID": "zzz.1"};
        const response = await fetch(url, {headers, credentials: "include"});
        const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
        return (await reader.read()).value;
    }, `${proxy.url}/events`);
    assert.match(text, /^id: \w+\.\d+\n/);
    const [asked, got] = proxy.of("/events");
    assert.equal(asked.method, "OPTIONS");
    assert.equal(asked.status, 204);
    assert.equal(asked.headers.cookie, undefined);
    assert.equal(got.method, "GET");
    assert.equal(got.headers.authorization, "Bearer t");
    assert.equal(got.headers.cookie, "session=7");
});

test("a page of another origin gets nothing, and does not ask again", async t => {
    const {proxy, stranger, pageOf} = await startCrossOrigin(t);
    const page = await pageOf(stranger);
    for (const [name, withCredentials] of [["cookies", true], ["plain", false]]) {
        await openStream(page, name, `${proxy.url}/events?${name}`, {withCredentials});
        await untilClosed(page, name);
        const {opened, events} = await lookAt(page, name);
        assert.equal(opened, 0);
        assert.deepEqual(events, []);
    }
    const refused = await page.evaluate(url => fetch(url).then(() => "", error => error.name),
        `${proxy.url}/events`);
    assert.equal(refused, "TypeError");
    assert.deepEqual(proxy.requests.map(({url}) => url),
        ["/events?cookies", "/events?plain", "/events"]);
});
