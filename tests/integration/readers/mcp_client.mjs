// SPDX-License-Identifier: MIT
//
// The client of examples/uses/mcp_client.cpp, judged by others: by the client scenarios of the
// official conformance suite, in the two lines that there are, and by what is left of a call whose
// streams are cut. Scenarios of authorization (auth/) and extensions are not for it, nor are those of
// what it does not do: to answer a call that wants input (sep-2322), to repeat arguments in headers
// (http-custom-headers, http-invalid-tool-headers), to call a tool with its own schema
// (json-schema-2020-12-preservation).
import {patience, startProxy, startUse} from "../support/servers.mjs";

import assert from "node:assert/strict";
import {execFile} from "node:child_process";
import {mkdtempSync, readdirSync, readFileSync, rmSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";

const program = join(process.env.SSEKIT_EXAMPLES_DIR, "use_mcp_client");

/** Runs a program to its end. Gives its status and what it has printed. */
function run(file, ...args) {
    return new Promise(resolve => execFile(file, args, {timeout: 2 * patience},
        (error, stdout, stderr) => resolve({code: error ? error.code : 0, stdout, stderr})));
}

/** Runs one client scenario, at a revision if it says so, and gives its checks. */
async function judge(t, line, [scenario, revision], ...options) {
    const folder = mkdtempSync(join(process.cwd(), "mcp-client-"));
    t.after(() => rmSync(folder, {recursive: true}));
    const {code, stdout, stderr} = await run(process.execPath,
        `node_modules/@modelcontextprotocol/${line}/dist/index.js`, "client", "--scenario", scenario,
        ...revision === undefined ? [] : ["--spec-version", revision],
        "-o", folder, "--timeout", `${patience}`,
        "--command", [program, ...options].join(" "));
    const [result] = readdirSync(folder);
    const checks = JSON.parse(readFileSync(join(folder, result, "checks.json")));
    const said = stdout + stderr;
    const bad = checks.filter(({status}) => status === "FAILURE");
    assert.deepEqual(bad, [], said);
    assert.ok(checks.some(({status}) => status === "SUCCESS"), said);
    return {code, checks, said};
}

const calls = {
    "initialize": [],
    "tools_call": ["--call", "add_numbers", "--arguments", `'{"a":5,"b":3}'`],
    "elicitation-sep1034-client-defaults":
        ["--listen", "--accept-defaults", "--call", "test_client_elicitation_defaults"],
};
for (const line of ["conformance", "conformance-next"]) {
    for (const [scenario, options] of Object.entries(calls)) {
        test(`${line}: ${scenario}`, async t => {
            const {code, checks, said} = await judge(t, line, [scenario], ...options);
            assert.equal(code, 0, said);
            for (const {status, name} of checks) {
                assert.ok(["SUCCESS", "INFO"].includes(status), `${name}: ${status}`);
            }
        });
    }

    test(`${line}: sse-retry`, async t => {
        const {checks} = await judge(t, line, ["sse-retry"], "--call", "test_reconnection");
        const found = id => checks.find(each => each.id === id);
        assert.equal(found("client-sse-last-event-id")?.status, "SUCCESS");
        // A machine that is busy may be late by more than the suite finds right, and never early.
        const {details} = found("client-sse-retry-timing");
        assert.ok(details.actualDelayMs >= details.expectedRetryMs, JSON.stringify(details));
    });
}

const newest = {
    "request-metadata": [],
    "tools_call": calls["tools_call"],
    "http-standard-headers": ["--call", "test_headers"],
    "json-schema-ref-no-deref": [],
};
for (const [scenario, options] of Object.entries(newest)) {
    test(`conformance-next, 2026-07-28: ${scenario}`, async t => {
        const {code, checks, said} = await judge(t, "conformance-next", [scenario, "2026-07-28"],
            "--revision", "2026-07-28", ...options);
        assert.equal(code, 0, said);
        // What is skipped is about capabilities and methods that it does not have.
        for (const {status, name} of checks) {
            assert.ok(["SUCCESS", "INFO", "SKIPPED"].includes(status), `${name}: ${status}`);
        }
    });
}

// ---- our own server

const upTo = last => Array.from({length: last}, (_, i) => `progress ${i + 1} of ${last}`);
const progress = stdout => stdout.split("\n").filter(line => line.startsWith("progress"));
const counting = args => ["--call", "count", "--arguments", JSON.stringify(args)];

test("a call whose streams are cut, again and again, brings each progress once", async t => {
    const server = await startUse(t, "mcp");
    const proxy = await startProxy(t, server.url);
    const client = run(program, ...counting({steps: 100, pause: 30}), `${proxy.url}/mcp`);
    let cuts = 0;
    const cutting = setInterval(() => { // each stream that has brought some of it, three times
        const open = proxy.requests.findLast(({method, text, broke}) =>
            broke === undefined && method !== "DELETE" && /notifications\/progress/.test(text) &&
            !/counted to/.test(text));
        if (open === undefined || cuts === 3) return;
        ++cuts;
        open.cut();
    }, 50);
    t.after(() => clearInterval(cutting));
    const {code, stdout, stderr} = await client;
    assert.equal(code, 0, stderr);
    assert.deepEqual(progress(stdout), upTo(100));
    assert.match(stdout, /counted to 100\n$/);
    assert.ok(cuts > 0);
    const gets = proxy.requests.filter(({method}) => method === "GET");
    assert.equal(gets.length, cuts);
    const [begun] = proxy.requests;
    assert.equal(begun.headers["mcp-session-id"], undefined);
    for (const {headers} of gets) {
        assert.match(headers["last-event-id"], /^\d+\.\d+$/);
        assert.equal(headers["mcp-protocol-version"], "2025-11-25");
    }
    const sessions = new Set(proxy.requests.slice(1).map(({headers}) => headers["mcp-session-id"]));
    assert.equal(sessions.size, 1);
    assert.ok(!sessions.has(undefined));
    assert.equal(proxy.requests.at(-1).method, "DELETE");
    const state = await (await fetch(`${server.url}/calls`)).json();
    assert.deepEqual(state, {cancelled: 0, finished: 1, sessions: 0});
});

test("a server that closes its stream early is polled after the time that it has asked for", async t => {
    const server = await startUse(t, "mcp");
    const proxy = await startProxy(t, server.url);
    const {code, stdout, stderr} =
        await run(program, ...counting({steps: 20, pause: 20, poll: true}), `${proxy.url}/mcp`);
    assert.equal(code, 0, stderr);
    assert.deepEqual(progress(stdout), upTo(20));
    const [get] = proxy.requests.filter(({method}) => method === "GET");
    const call = proxy.requests.filter(({method, began}) =>
        method === "POST" && began < get.began).at(-1);
    assert.ok(get.began - call.began >= 300);
});

test("2026-07-28: a call stands alone, and one that is cut is told, not repeated", async t => {
    const server = await startUse(t, "mcp");
    const proxy = await startProxy(t, server.url);
    const options = ["--revision", "2026-07-28"];
    const whole = await run(program, ...options, ...counting({steps: 5, pause: 5}),
        `${proxy.url}/mcp`);
    assert.equal(whole.code, 0, whole.stderr);
    assert.deepEqual(progress(whole.stdout), upTo(5));
    for (const {method, headers} of proxy.requests) {
        assert.equal(method, "POST");
        assert.equal(headers["mcp-protocol-version"], "2026-07-28");
        assert.equal(headers["mcp-session-id"], undefined);
    }
    const before = proxy.requests.length;
    const client = run(program, ...options, ...counting({steps: 1000, pause: 20}),
        `${proxy.url}/mcp`);
    const cutting = setInterval(() => {
        const call = proxy.requests.slice(before)
            .find(({text, broke}) => broke === undefined && /notifications\/progress/.test(text));
        call?.cut();
    }, 50);
    t.after(() => clearInterval(cutting));
    const cut = await client;
    assert.equal(cut.code, 1);
    assert.match(cut.stderr, /mcp_client: the request has failed/);
    assert.equal(proxy.requests.length, before + 2); // server/discover, and one call
});

test("what a server says is wrong is printed, in its words", async t => {
    const server = await startUse(t, "mcp");
    const {code, stderr} = await run(program, "--call", "no such tool", `${server.url}/mcp`);
    assert.equal(code, 2);
    assert.match(stderr, /the server says: .+ \(-\d+\)/);
});
