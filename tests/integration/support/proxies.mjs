// SPDX-License-Identifier: MIT
//
// What a stream has to live through behind a proxy, whatever the proxy: one contract, and what it
// takes to check it. Nothing here waits for a number of milliseconds where it can wait for what
// happens; how soon a leaver is noticed is counted in heartbeats.
//
//     SSEKIT_EXAMPLES_DIR     where the built examples are
//     SSEKIT_HAPROXY etc.     the proxies' programs, the name as it is unless it is set
import {findPort, patience, start, until} from "./servers.mjs";

import assert from "node:assert/strict";
import {once} from "node:events";
import {mkdtempSync, rmSync, writeFileSync} from "node:fs";
import http from "node:http";
import {join} from "node:path";
import {describe, test} from "node:test";
import {setTimeout as sleep} from "node:timers/promises";
import {createGunzip, constants} from "node:zlib";

// ---- what is on either side of a proxy

/** The server of news; `heartbeat` in milliseconds, 0 for none. */
export async function startNews(t, heartbeat = 0) {
    const program = join(process.env.SSEKIT_EXAMPLES_DIR, "server_epoll");
    const news = {port: 0};
    news.start = async () => {
        const child = start(t, program, "--port", news.port, "--heartbeat", heartbeat);
        const [, port] = await child.until(text => /port (\d+)\n/.exec(text), "it is listening");
        Object.assign(news, {port, url: `http://127.0.0.1:${port}`, stop: child.stop});
    };
    news.publish = async data => {
        const query = new URLSearchParams({data});
        const response = await fetch(`${news.url}/publish?${query}`, {method: "POST"});
        assert.equal(response.status, 202);
    };
    /** The numbers of its streams and of the heartbeats that they have had. */
    news.count = async () => {
        const text = await (await fetch(`${news.url}/metrics`)).text();
        const value = name => Number(new RegExp(`^ssekit_${name} (\\d+)$`, "m").exec(text)[1]);
        return {streams: value("subscribers"), heartbeats: value("heartbeats_total")};
    };
    await news.start();
    return news;
}

/**
 * Starts `proxy` in front of the news, with a folder of its own. Its `files` and `args` are made from
 * where it listens, the `origin`, the `folder` and `idle`: the seconds of silence that it bears.
 */
export async function startBehind(t, proxy, news, {idle = 60} = {}) {
    const folder = mkdtempSync(join(process.cwd(), `${proxy.program}-`));
    const port = await findPort();
    const settings = {port, origin: `127.0.0.1:${news.port}`, folder, idle};
    for (const [name, text] of Object.entries(proxy.files?.(settings) ?? {})) {
        writeFileSync(join(folder, name), text.replace(/ +$/, "")); // of the indented backtick
    }
    const program = process.env[`SSEKIT_${proxy.program.toUpperCase()}`] || proxy.program;
    const child = start(t, "env", `HOME=${folder}`, program, ...proxy.args(settings));
    t.after(async () => {
        await child.stop();
        rmSync(folder, {recursive: true, force: true, maxRetries: 10, retryDelay: 100});
    });
    const url = `http://127.0.0.1:${port}`;
    const answers = () => fetch(`${url}/metrics`).then(({status}) => status === 200, () => false);
    await child.until(answers, `${proxy.program} passes on`);
    return url;
}

/**
 * A stream as its client has it. `events` have an id, the data and the time at which they came;
 * `over` tells how it ended, "whole" or "cut".
 */
export async function openStream(t, url, {id, gzip = false} = {}) {
    const headers = {Accept: "text/event-stream"};
    if (id !== undefined) headers["Last-Event-ID"] = id;
    if (gzip) headers["Accept-Encoding"] = "gzip";
    const stream = {id, events: [], comments: 0, retry: undefined, over: undefined};
    const request = http.get(`${url}/events`, {headers, agent: false});
    stream.leave = () => request.destroy();
    t.after(stream.leave);
    request.on("error", () => stream.over ??= "cut");
    request.on("response", response => {
        stream.status = response.statusCode;
        stream.encoding = response.headers["content-encoding"];
        response.on("error", () => stream.over ??= "cut");
        response.on("end", () => stream.over ??= "whole");
        let body = response;
        if (stream.encoding === "gzip") {
            body = response.pipe(createGunzip({finishFlush: constants.Z_SYNC_FLUSH}));
        }
        let rest = "";
        let data;
        body.setEncoding("utf8").on("data", text => {
            const lines = (rest + text).split("\n");
            rest = lines.pop();
            for (const line of lines) {
                const [, name, value] = /^([a-z]*)(?:: ?)?(.*)$/.exec(line);
                if (name === "id") stream.id = value;
                if (name === "retry") stream.retry = Number(value);
                if (name === "data") data = value;
                if (line.startsWith(":")) ++stream.comments;
                if (line !== "" || data === undefined) continue;
                stream.events.push({id: stream.id, data, at: performance.now()});
                data = undefined;
            }
        });
    });
    stream.texts = () => stream.events.map(({data}) => data);
    stream.untilText = text => until(() => {
        if (stream.over) throw new Error(`${stream.over} before "${text}"`);
        return stream.texts().includes(text);
    }, `"${text}" comes`);
    return stream;
}

/** Waits until the server has one stream more than before. */
export async function openHeld(t, url, news) {
    const before = (await news.count()).streams;
    const stream = await openStream(t, url);
    await until(async () => (await news.count()).streams > before, "the server has it");
    return stream;
}

/** One of which the server has the client, and the client the beginning. */
export async function openWhole(t, url, options) {
    const stream = await openStream(t, url, options);
    await until(() => stream.retry !== undefined, "its beginning comes");
    return stream;
}

/** Reads on and on as an EventSource does; `gaveUp` is the status at which it has stopped trying. */
export function follow(t, url) {
    const reader = {texts: [], answers: 0, gaveUp: undefined};
    let over = false;
    t.after(() => over = true);
    (async () => {
        let id;
        let retry = 3000;
        while (!over) {
            const stream = await openStream(t, url, {id});
            while (!stream.over && !over) {
                await sleep(10);
                reader.texts.push(...stream.events.splice(0).map(({data}) => data));
            }
            if (stream.status !== undefined) ++reader.answers;
            if ((stream.status ?? 200) !== 200) return reader.gaveUp = stream.status;
            id = stream.id;
            retry = stream.retry ?? retry;
            await sleep(retry);
        }
    })();
    return reader;
}

// ---- what is asked of it

/**
 * How much later than without the proxy events come, in milliseconds: the median. Each has come
 * before the next is published.
 */
export async function lateness(t, url, news, count = 20) {
    const behind = await openWhole(t, url);
    const direct = await openWhole(t, news.url);
    for (let i = 0; i < count; ++i) {
        await news.publish(`event ${i}`);
        await Promise.all([behind, direct].map(each => each.untilText(`event ${i}`)));
    }
    assert.equal(behind.events.length, count);
    for (const stream of [behind, direct]) stream.leave();
    const late = behind.events.map(({at}, i) => at - direct.events[i].at);
    return late.sort((a, b) => a - b)[count >> 1];
}

/** How many heartbeats a stream has had from the moment its client has left until that is noticed. */
export async function heartbeatsAfterLeaving(t, url, news) {
    const stream = await openWhole(t, url);
    await until(() => stream.comments > 0, "there are heartbeats"); // the next comes a while later
    const before = (await news.count()).heartbeats;
    stream.leave();
    const after = await until(async () => {
        const now = await news.count();
        return now.streams === 0 && now;
    }, "the server notices");
    return after.heartbeats - before;
}

/** The least that is measured: a busy machine may be late, but not each time. */
export async function least(good, measure) {
    let found = Infinity;
    for (let i = 0; i < 4 && found > good; ++i) found = Math.min(found, await measure());
    return found;
}

/** A reader leaves, misses `missed` events, comes back: it is given those, and then what is new. */
export async function resume(t, url, news, missed, options) {
    const first = await openWhole(t, url, options);
    await news.publish("before");
    await first.untilText("before");
    const {id} = first;
    first.leave();
    for (const text of missed) await news.publish(text);
    const second = await openStream(t, url, {...options, id});
    await second.untilText(missed.at(-1));
    await news.publish("after");
    await second.untilText("after");
    assert.deepEqual(second.texts(), [...missed, "after"]);
    second.leave();
}

export const texts = (count, size) => Array.from({length: count}, (_, i) => `${i} `.padEnd(size, "x"));

/**
 * The tests of a proxy. Beside what `startBehind` takes:
 *
 *     noticed   how many heartbeats it takes until the server knows that a client has left; 0: none
 *     cuts      whether silence has an end
 *     mends     whether a stream that breaks off looks whole
 *     recovers  whether its settings hold a browser while there is no server
 */
export function testProxy(proxy) {
    test("each event arrives before the next is published, and at once", async t => {
        const news = await startNews(t);
        const url = await startBehind(t, proxy, news);
        const median = await least(99, () => lateness(t, url, news));
        assert.ok(median < 100, `${median} ms`);
    });

    describe("a stream", {concurrency: true}, () => {
        const idle = 2; // seconds; there are ten heartbeats in it

        test("lives as long as there are heartbeats", async t => {
            const news = await startNews(t, idle * 100);
            const url = await startBehind(t, proxy, news, {idle});
            const stream = await openWhole(t, url);
            const opened = performance.now();
            const long = () => stream.over || performance.now() - opened > 2000 * idle + 500;
            await until(long, "time passes");
            await news.publish("still here");
            await stream.untilText("still here");
            assert.ok(stream.comments > 0);
        });

        if (proxy.cuts) test("is cut when it is silent", async t => {
            const news = await startNews(t);
            const url = await startBehind(t, proxy, news, {idle});
            const began = performance.now();
            const stream = await openStream(t, url);
            await until(() => stream.over, "it is cut");
            assert.equal(stream.over, "cut");
            assert.ok(stream.retry !== undefined); // it had begun
            assert.ok(performance.now() - began > 1000 * idle - 500);
        });

        test("is given exactly what it has missed", async t => {
            const news = await startNews(t);
            const url = await startBehind(t, proxy, news);
            for (const gzip of [false, true]) {
                await resume(t, url, news, texts(3, 10), {gzip});
                await resume(t, url, news, texts(40, 100), {gzip}); // more than 512 bytes
            }
        });

        if (proxy.noticed === 0) test("whose client has left is closed at once", async t => {
            const news = await startNews(t);
            const url = await startBehind(t, proxy, news);
            const stream = await openWhole(t, url);
            const left = performance.now();
            stream.leave();
            await until(async () => (await news.count()).streams === 0, "the server notices");
            assert.ok(performance.now() - left < patience / 4); // the proxy's own patience is longer
        });
        else test("whose client has left is closed in time", async t => {
            const news = await startNews(t, 500);
            const url = await startBehind(t, proxy, news);
            const noticed = () => heartbeatsAfterLeaving(t, url, news);
            const heartbeats = await least(proxy.noticed, noticed);
            assert.ok(heartbeats > 0 && heartbeats <= proxy.noticed, `${heartbeats} heartbeats`);
        });

        test(`that breaks off ${proxy.mends ? "looks whole" : "is cut"}`, async t => {
            const news = await startNews(t);
            const stream = await openWhole(t, await startBehind(t, proxy, news));
            await news.stop();
            await until(() => stream.over, "it is over");
            assert.equal(stream.over, proxy.mends ? "whole" : "cut");
        });

        const fate = proxy.recovers ? "comes back after a restart" : "is lost in a restart";
        test(`${fate} of the server`, async t => {
            const news = await startNews(t);
            const url = await startBehind(t, proxy, news);
            const reader = follow(t, url);
            await until(async () => (await news.count()).streams === 1, "it is open");
            await news.publish("before");
            await until(() => reader.texts.includes("before"), "the event comes");
            await news.stop();
            await until(() => reader.answers > 1, "it has asked when there was no server");
            if (!proxy.recovers) return assert.ok(reader.gaveUp >= 500, `${reader.gaveUp}`);
            await news.start();
            await until(async () => (await news.count()).streams === 1, "it is open again");
            await news.publish("after");
            await until(() => reader.texts.includes("after"), "the next event comes");
            assert.equal(reader.gaveUp, undefined);
        });
    });
}
