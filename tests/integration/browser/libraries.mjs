// SPDX-License-Identifier: MIT
//
// Libraries that put events into a page by themselves: what they do with those of this toolkit, and
// when they come back.
import {openPage, startBrowser} from "../support/pages.mjs";
import {startProxy, startUse, until} from "../support/servers.mjs";

import assert from "node:assert/strict";
import {after, before, test} from "node:test";
import {setTimeout as sleep} from "node:timers/promises";

let browser;
before(async () => { browser = await startBrowser({keepsPages: true}); });
after(() => browser.close());

const itemsOf = page => page.evaluate(() =>
    Array.from(document.querySelectorAll("#news li"), ({textContent}) => textContent));

/** Waits until the page shows these items and no others. */
const showsItems = async (page, items) => {
    await until(async () => (await itemsOf(page)).length >= items.length, `it shows ${items}`);
    assert.deepEqual(await itemsOf(page), items);
};

const readsStream = (proxy, times) => {
    const requests = proxy.of("/events");
    return requests.length === times && requests.at(-1).status === 200;
};

async function openNews(t, library) {
    const server = await startUse(t, "pages");
    const proxy = await startProxy(t, server.url);
    const page = await openPage(t, browser, `${proxy.url}/${library}`);
    await until(() => readsStream(proxy, 1), "it reads the stream");
    const publish = async text => {
        const response = await fetch(`${server.url}/news`, {method: "POST", body: text});
        assert.equal(response.status, 202);
    };
    return {proxy, page, publish};
}

/** A test for each of these libraries, all at once. */
const testEach = (name, libraries, run) => test(name, {concurrency: true}, t =>
    Promise.all(libraries.map(library => t.test(library, t => run(t, library)))));

testEach("an item is shown at once, and after a cut what was missed",
    ["htmx-2", "htmx-4", "turbo", "datastar"], async (t, library) => {
        const {proxy, page, publish} = await openNews(t, library);
        await publish("<b>first</b> & foremost");
        await showsItems(page, ["<b>first</b> & foremost"]);
        proxy.of("/events").at(-1).cut();
        await publish("second");
        await publish("third\nof two lines");
        await until(() => readsStream(proxy, 2), "it is back");
        await publish("fourth");
        await showsItems(page,
            ["<b>first</b> & foremost", "second", "third\nof two lines", "fourth"]);
        assert.ok(proxy.of("/events").at(-1).headers["last-event-id"]);
    });

testEach("a page comes back when the server has been away, with nothing lost",
    ["htmx-2", "htmx-4", "turbo"], async (t, library) => {
        const {proxy, page, publish} = await openNews(t, library);
        await publish("first");
        await showsItems(page, ["first"]);
        proxy.refusal = 503;
        proxy.of("/events").at(-1).cut();
        await publish("second");
        await until(() => proxy.of("/events").at(-1).status === 503, "it has been refused");
        proxy.refusal = 0;
        await showsItems(page, ["first", "second"]);
        proxy.of("/events").at(-1).end();
        await publish("third");
        await showsItems(page, ["first", "second", "third"]);
    });

testEach("a page that is left lets go of its stream, and takes it up again",
    ["htmx-2", "htmx-4", "turbo", "datastar"], async (t, library) => {
        const {proxy, page, publish} = await openNews(t, library);
        page.setDefaultNavigationTimeout(20_000);
        for (let visit = 1; visit <= 7; ++visit) { // there are six connections for a server
            if (visit > 1) await page.goto(`${proxy.url}/${library}?visit=${visit}`);
            await until(() => readsStream(proxy, visit), "it reads the stream");
            if (visit < 6) continue;
            await publish(`item ${visit}`);
            await showsItems(page, [`item ${visit}`]);
        }
        await page.goBack({waitUntil: "commit"});
        await showsItems(page, ["item 6", "item 7"]);
    });

test("Datastar comes back after a cut, and neither after an end nor after 503 or 204", async t => {
    await Promise.all(["end", 503, 204].map(async how => {
        const {proxy, page, publish} = await openNews(t, "datastar");
        const [first] = proxy.of("/events");
        if (how === "end") {
            first.end();
        } else {
            proxy.refusal = how;
            first.cut();
            await until(() => proxy.of("/events").length === 2, "it has been refused");
            proxy.refusal = 0;
        }
        await publish("first");
        const count = proxy.of("/events").length;
        await sleep(3000); // six times its reconnection time
        assert.equal(proxy.of("/events").length, count);
        assert.deepEqual(await itemsOf(page), []);
    }));
});
