// SPDX-License-Identifier: MIT
//
// The demo's page: what one sees of it when all is well, when connections break, and when the
// server cannot go on where the page was.
import {assertUnbroken, breakThreeTimes, connected, forgetVerdict, hasEvents, inFirefox, noticesOf,
    openPage, resumed, shows, startBrowser, textOf} from "../support/pages.mjs";
import {startLive, startProxy, until} from "../support/servers.mjs";

import assert from "node:assert/strict";
import {after, before, test} from "node:test";

// What the page does whatever the browser is enough to see in one of them.
const testPage = inFirefox ? test.skip : test;

let browser;
before(async () => { browser = await startBrowser(); });
after(() => browser.close());

test("measurements arrive, a job comes to 100 %, a notice reaches every page", async t => {
    const live = await startLive(t);
    const page = await openPage(t, browser, live.url);
    const other = await openPage(t, browser, live.url);
    await connected(page);
    await connected(other);
    await hasEvents(page);
    await shows(page, "load", /^\d+\.\d %$/);
    await shows(page, "last", /^\w+\.\d+$/);
    await shows(page, "streams", /^2$/);

    await page.evaluate(() => {
        window.steps = [];
        new MutationObserver(() => steps.push(document.querySelector("progress").value))
            .observe(document.getElementById("jobs"), {subtree: true, attributeFilter: ["value"]});
    });
    await page.click("#start");
    await shows(page, "jobs", /^Job 1complete in \d+\.\d s$/);
    assert.equal(await page.evaluate(() => document.querySelector("progress").value), 100);
    const steps = await page.evaluate(() => steps);
    assert.ok(steps.length > 1);
    assert.deepEqual(steps, [...steps].sort((a, b) => a - b));

    await page.type("#text", "notice <b>&amp;");
    await page.evaluate(() => { document.getElementById("kind").value = "alarm"; });
    await page.click("#form button");
    for (const each of [page, other]) {
        await until(async () => (await noticesOf(each))[0] === "notice <b>&amp;", "it is there");
        const alarms = () => document.querySelectorAll("#notices .tag.alarm").length;
        assert.equal(await each.evaluate(alarms), 1);
    }
    await assertUnbroken(page);
});

test("the button breaks the connection, and the page resumes without a loss", async t => {
    const live = await startLive(t);
    const page = await openPage(t, browser, live.url);
    await breakThreeTimes(page);
});

testPage("what is published while the network is away comes late, in order, and once", async t => {
    const live = await startLive(t);
    const proxy = await startProxy(t, live.url);
    const page = await openPage(t, browser, proxy.url);
    const published = [];
    for (let round = 1; round <= 3; ++round) {
        await connected(page);
        await forgetVerdict(page);
        proxy.dead = true;
        proxy.of("/events").at(-1).cut();
        await shows(page, "state", /^reconnecting$/);
        for (let i = 0; i < 5; ++i) {
            published.push(`notice ${published.length}`);
            await live.notify(published.at(-1));
        }
        proxy.dead = false;
        await shows(page, "verdict", resumed);
        await shows(page, "reconnects", new RegExp(`^${round}$`));
    }
    assert.deepEqual(await noticesOf(page), published);
    await assertUnbroken(page);
});

test("a server that restarts says goodbye, and the page shows the gap", async t => {
    const live = await startLive(t);
    const page = await openPage(t, browser, live.url);
    await connected(page);
    await hasEvents(page);
    await live.stop("SIGTERM");
    await shows(page, "verdict", /^The server says goodbye/);
    await shows(page, "state", /^reconnecting$/);
    await live.start();
    await shows(page, "verdict", /^Gap: .* it has been restarted\.$/);
    await connected(page);
    const count = async () => Number(await textOf(page, "events"));
    const before = await count();
    await until(async () => await count() > before, "it goes on");
});

testPage("what is no longer kept is shown as a gap", async t => {
    const live = await startLive(t);
    const proxy = await startProxy(t, live.url);
    const page = await openPage(t, browser, proxy.url);
    await connected(page);
    await hasEvents(page);
    proxy.dead = true;
    proxy.of("/events").at(-1).cut();
    for (let i = 0; i < 500; ++i) await live.notify(`notice ${i}`); // 480 are kept
    proxy.dead = false;
    await shows(page, "verdict", /^Gap: .* what was missed is no longer kept\.$/);
    await until(async () => (await noticesOf(page)).at(-1) === "notice 499", "what is kept comes");
});

testPage("when the browser has given up, the page tries again, later each time", async t => {
    const live = await startLive(t);
    const proxy = await startProxy(t, live.url);
    const page = await openPage(t, browser, proxy.url);
    await connected(page);
    await hasEvents(page);
    proxy.refusal = 503;
    proxy.of("/events").at(-1).cut();
    await shows(page, "state", /^server not there$/);
    await live.notify("notice while it is away");
    const refused = () => proxy.of("/events").filter(({status}) => status === 503);
    const [, second, third] = await until(() => refused().length >= 3 && refused(), "it tries");
    proxy.refusal = 0;
    assert.ok(third.began - second.began > 1400); // no less than 1.5 s, after 1 s at most
    await shows(page, "verdict", resumed);
    assert.equal(third.headers["last-event-id"], undefined); // a new EventSource has none
    const {url} = proxy.of("/events").at(-1);
    assert.match(url, /&lastEventId=\w+\.\d+$/);
    assert.deepEqual(await noticesOf(page), ["notice while it is away"]);
    await assertUnbroken(page);
});

testPage("pages that are left let go of their streams, and then take them up again", async t => {
    const live = await startLive(t);
    const keeping = await startBrowser({keepsPages: true});
    t.after(() => keeping.close());
    const page = await openPage(t, keeping, `${live.url}/?visit=1`);
    page.setDefaultNavigationTimeout(20_000);
    for (let visit = 1; visit <= 9; ++visit) { // there are six connections for a server
        if (visit > 1) await page.goto(`${live.url}/?visit=${visit}`);
        await connected(page);
        await hasEvents(page);
        await page.evaluate(visit => { window.kept = visit; }, visit);
    }
    await shows(page, "streams", /^1$/);
    for (let visit = 8; visit >= 6; --visit) {
        await live.notify(`notice ${visit}`);
        await page.goBack({waitUntil: "commit"}); // nothing is loaded
        assert.equal(await page.evaluate(() => window.kept), visit);
        await shows(page, "verdict", resumed);
        const late = `notice ${visit}`;
        await until(async () => (await noticesOf(page)).includes(late), "it came late");
        await connected(page);
        await assertUnbroken(page);
    }
});
