// SPDX-License-Identifier: MIT
//
// Debian's Firefox, driven by Puppeteer over WebDriver BiDi. Pages of both libraries have `goto`,
// `evaluate`, `click`, `type` and `on` in common, which is what the tests use of them.
//
//     SSEKIT_FIREFOX_ESR   the browser, /usr/bin/firefox-esr unless it is set
import {start} from "./servers.mjs";

import {mkdtempSync, rmSync} from "node:fs";
import {join} from "node:path";

import puppeteer from "puppeteer-core";

/** A browser with as much of Playwright's interface as `openPage` needs. */
export async function startFirefox() {
    const profile = mkdtempSync(join(process.cwd(), "firefox-"));
    const endings = [() => rmSync(profile, {recursive: true, maxRetries: 10, retryDelay: 200})];
    const close = async () => { for (const end of endings) await end(); };
    try {
        const program = process.env.SSEKIT_FIREFOX_ESR ?? "/usr/bin/firefox-esr";
        const child = start({after: end => endings.unshift(end)}, program, "--headless",
            "--no-remote", "--profile", profile, "--remote-debugging-port", "0");
        const [, url] = await child.until(text => / listening on (ws:\S+)/.exec(text), "it runs");
        const browser = await puppeteer.connect(
            {protocol: "webDriverBiDi", browserWSEndpoint: `${url}/session`});
        return {newContext: () => browser.createBrowserContext(), close};
    } catch (error) {
        await close();
        throw error;
    }
}
