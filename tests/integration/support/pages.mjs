// SPDX-License-Identifier: MIT
//
// A browser, and what the tests look at in its pages. They are linked into the folder where
// `npm ci` has been called, so that nothing is installed into the source tree.
//
//     node SCRIPT [firefox]
//
//     SSEKIT_CHROMIUM   the browser, /usr/bin/chromium unless it is set
import {startFirefox} from "./firefox.mjs";
import {patience, until} from "./servers.mjs";

import assert from "node:assert/strict";

import {chromium} from "playwright-core";

export const inFirefox = process.argv[2] === "firefox";

/** Playwright switches off the cache of pages for the way back, unless `keepsPages` is set. */
export function startBrowser({keepsPages = false} = {}) {
    if (inFirefox) return startFirefox();
    return chromium.launch({
        ignoreDefaultArgs: keepsPages ? ["--disable-back-forward-cache"] : [],
        executablePath: process.env.SSEKIT_CHROMIUM ?? "/usr/bin/chromium",
        args: ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
            "--disable-background-networking", "--disable-component-update"],
    });
}

/** What Firefox says of connections, which it counts among the errors of a page. */
const ofConnections =
    /^(Firefox can.t establish a connection|The connection to|Cross-Origin Request Blocked)/;

/** A page in a profile of its own; an error in it fails the test. */
export async function openPage(t, browser, url) {
    const context = await browser.newContext();
    const errors = [];
    t.after(async () => {
        await context.close();
        assert.deepEqual(errors, []);
    });
    const page = await context.newPage();
    page.setDefaultTimeout(patience);
    page.on("pageerror", error => ofConnections.test(error.message) || errors.push(error));
    await page.goto(url);
    return page;
}

/** A page of that origin without a script of its own. */
export const openEmptyPage = (t, browser, origin) => openPage(t, browser, `${origin}/nothing`);

// ---- an EventSource of the test

/** Opens it in the page, where it keeps what it brings under `name`. */
export const openStream = (page, name, url, options) => page.evaluate(([name, url, options]) => {
    const stream = new EventSource(url, options);
    const kept = window[name] = {stream, opened: 0, events: []};
    stream.onopen = () => ++kept.opened;
    for (const type of ["metric", "progress", "complete", "info", "warning", "gap"]) {
        stream.addEventListener(type, ({lastEventId, data}) =>
            kept.events.push({type, id: lastEventId, data}));
    }
}, [name, url, options]);

export const lookAt = (page, name) => page.evaluate(name => {
    const {stream, opened, events} = window[name];
    return {state: stream.readyState, opened, events};
}, name);

export const untilOpened = (page, name, times) =>
    until(async () => (await lookAt(page, name)).opened === times, `${name} is open`);

export const untilClosed = (page, name) =>
    until(async () => (await lookAt(page, name)).state === 2, `${name} has given up`);

/** Waits until there are so many events. */
export const untilEvents = (page, name, count) =>
    until(async () => (await lookAt(page, name)).events.length >= count, `${name} brings events`);

/** Waits until there is an event with this data, and gives the events up to it. */
export const eventsThrough = (page, name, text) => until(async () => {
    const {events} = await lookAt(page, name);
    const at = events.findIndex(({data}) => data === text);
    return at >= 0 && events.slice(0, at + 1);
}, `${name} brings "${text}"`);

// ---- the demo's page

export const textOf = (page, id) =>
    page.evaluate(id => document.getElementById(id).textContent, id);

/** Waits until the element's text matches. */
export const shows = (page, id, pattern) =>
    until(async () => pattern.test(await textOf(page, id)), `#${id} shows ${pattern}`);

export const connected = page => shows(page, "state", /^connected$/);
export const hasEvents = page => shows(page, "events", /^[5-9]$|../);

/** What its verdict says when all is well after a reconnect. */
export const resumed = /^Resumed at \w+\.\d+ after \d+\.\d.s: nothing lost, /;

/** So that the next verdict is not taken for the one before. */
export const forgetVerdict = page => page.evaluate(() => verdict("", ""));

/** The test's notices, the oldest first; the demo has some of its own. */
export const noticesOf = page => page.evaluate(() =>
    Array.from(document.querySelectorAll("#notices .text"), ({textContent}) => textContent)
        .reverse()
        .filter(text => text.startsWith("notice ")));

/** Holds when the page has been given each measurement once and in order. */
export async function assertUnbroken(page) {
    const numbers = await page.evaluate(() => points.map(({seq}) => seq));
    assert.ok(numbers.length > 0);
    assert.deepEqual(numbers, numbers.map((_, i) => numbers[0] + i));
    assert.equal(await textOf(page, "missing"), "0");
}

/** Breaks the connection by the page's button, again and again: it resumes with nothing lost. */
export async function breakThreeTimes(page) {
    for (let round = 1; round <= 3; ++round) {
        await connected(page);
        await forgetVerdict(page);
        await page.click("#break");
        await shows(page, "verdict", resumed);
        await shows(page, "reconnects", new RegExp(`^${round}$`));
    }
    await assertUnbroken(page);
}
