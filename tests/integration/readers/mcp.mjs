// SPDX-License-Identifier: MIT
//
// The server of examples/uses/mcp.cpp, judged by others: by the official conformance suite, in the
// two lines that there are, and by both lines of the official SDK, whose connections are cut.
import {patience, startProxy, startUse, until} from "../support/servers.mjs";

import assert from "node:assert/strict";
import {execFile} from "node:child_process";
import {mkdtempSync, readdirSync, readFileSync, rmSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";

import * as client2 from "@modelcontextprotocol/client";
import {Client as Client1} from "@modelcontextprotocol/sdk/client/index.js";
import {StreamableHTTPClientTransport as Transport1}
    from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {ToolListChangedNotificationSchema} from "@modelcontextprotocol/sdk/types.js";

// ---- the conformance suite

/** Runs the suite's program. Gives what it has printed, and its status. */
function runSuite(line, ...options) {
    const program = `node_modules/@modelcontextprotocol/${line}/dist/index.js`;
    return new Promise(resolve => {
        execFile(process.execPath, [program, ...options], {timeout: 2 * patience},
            (error, stdout, stderr) => resolve({code: error?.code ?? 0, text: stdout + stderr}));
    });
}

/** Runs server scenarios. Gives the checks of each, by the scenario's name. */
async function judge(t, line, ...options) {
    const server = await startUse(t, "mcp");
    const folder = mkdtempSync(join(process.cwd(), "mcp-"));
    t.after(() => rmSync(folder, {recursive: true}));
    const {code, text} = await runSuite(line, "server", "--url", `${server.url}/mcp`,
        "-o", folder, ...options);
    const scenarios = {};
    for (const each of readdirSync(folder)) {
        const name = each.replace(/^server-/, "").replace(/-\d{4}-\d\d-\d\dT.*$/, "");
        scenarios[name] = JSON.parse(readFileSync(join(folder, each, "checks.json")));
    }
    for (const [name, checks] of Object.entries(scenarios)) {
        const bad = checks.filter(({status}) => status !== "SUCCESS" && status !== "INFO");
        assert.deepEqual(bad, [], name); // not even a warning, or one that was skipped
        assert.ok(checks.some(({status}) => status === "SUCCESS"), name);
    }
    assert.equal(code, 0, text);
    return scenarios;
}

/** The server scenarios that a line of the suite has, each with its revisions. */
async function listScenarios(line) {
    const {text} = await runSuite(line, "list", "--server");
    const [, listed] = /Server scenarios.*:\n((?: +- .*\n)+)/.exec(text);
    return listed.trim().split("\n").map(each => /- (\S+) \[(.*)\]/.exec(each))
        .map(([, name, revisions]) => ({name, revisions: revisions.split(",")}));
}

async function namesAt(line, revision) {
    return (await listScenarios(line)).filter(({revisions}) => revisions.includes(revision))
        .map(({name}) => name).sort();
}

/** That nothing of it has passed because the server did not do what is looked at. */
function checkPolling(passed) {
    for (const id of ["server-sse-priming-event", "server-sse-retry-field",
        "server-sse-disconnect-resume"]) {
        const found = passed["server-sse-polling"].find(each => each.id === id);
        assert.equal(found?.status, "SUCCESS", id);
    }
}

test("conformance 0.1: every server scenario passes", async t => {
    const passed = await judge(t, "conformance", "--suite", "all");
    assert.deepEqual(Object.keys(passed).sort(), await namesAt("conformance", "2025-11-25"));
    checkPolling(passed);
});

for (const revision of ["2025-11-25", "2026-07-28"]) {
    test(`conformance 0.2: every server scenario of ${revision} passes`, async t => {
        const passed = await judge(t, "conformance-next", "--suite", "all",
            "--spec-version", revision);
        assert.deepEqual(Object.keys(passed).sort(), await namesAt("conformance-next", revision));
        if (revision === "2025-11-25") checkPolling(passed);
    });
}

for (const revision of ["2025-03-26", "2025-06-18"]) {
    test(`conformance 0.2: sessions of ${revision}`, async t => {
        await judge(t, "conformance-next", "--scenario", "server-session-lifecycle",
            "--spec-version", revision);
    });
}

test("conformance 0.2: what is not run are extensions that the server does not offer", async () => {
    const dated = ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];
    const others = (await listScenarios("conformance-next"))
        .filter(({revisions}) => !revisions.some(each => dated.includes(each)));
    for (const {name, revisions} of others) assert.deepEqual(revisions, ["extension"], name);
    const of = prefix => others.filter(({name}) => name.startsWith(prefix)).length;
    const [skills, tasks] = [of("sep-2640-skills-"), of("tasks-")]; // SEP-2640, SEP-2663
    assert.deepEqual([skills, tasks, others.length - skills - tasks], [3, 10, 0]);
});

// ---- the SDKs

/** What a line of the SDK needs to call tools at an address. */
const lines = {
    "sdk 1": async (t, url) => connect(t, new Client1({name: "test", version: "1"}),
        new Transport1(new URL(url))),
    "client 2": async (t, url) => connect(t, new client2.Client({name: "test", version: "1"}),
        new client2.StreamableHTTPClientTransport(new URL(url))),
};

async function connect(t, client, transport) {
    await client.connect(transport);
    t.after(() => client.close());
    return {client, transport};
}

/** Calls the tool that counts, and notes what comes. */
async function count(client, args, onStep = () => {}, more = {}) {
    const seen = [];
    const options = {
        timeout: patience,
        ...more,
        onprogress: ({progress, total}) => {
            seen.push(progress);
            assert.equal(total, args.steps);
            onStep(progress);
        },
    };
    const call = {name: "count", arguments: args};
    const result = client instanceof Client1
        ? await client.callTool(call, undefined, options)
        : await client.callTool(call, options);
    assert.equal(result.isError, undefined);
    assert.equal(result.content[0].text, `counted to ${args.steps}`);
    return seen;
}

/** What each line calls the notification that a list of tools has changed. */
const listChanged = client => client instanceof Client1
    ? ToolListChangedNotificationSchema : "notifications/tools/list_changed";

const upTo = last => Array.from({length: last}, (_, i) => i + 1);

async function callsOf(server) {
    return (await fetch(`${server.url}/calls`)).json();
}

for (const [line, connectTo] of Object.entries(lines)) {
    test(`${line}: two cuts in mid-call, and every progress comes once and in order`, async t => {
        const server = await startUse(t, "mcp");
        const proxy = await startProxy(t, server.url);
        const {client, transport} = await connectTo(t, `${proxy.url}/mcp`);
        const carriers = () => proxy.requests.filter(({method, headers}) =>
            method === "GET" ? headers["last-event-id"]?.startsWith("2.") : method === "POST");
        const seen = await count(client, {steps: 60, pause: 40}, step => {
            if (step === 5 || step === 25) carriers().at(-1).cut();
        });
        assert.deepEqual(seen, upTo(60));
        const gets = carriers().filter(({method}) => method === "GET");
        assert.equal(gets.length, 2);
        for (const {status, headers} of gets) {
            assert.equal(status, 200);
            assert.equal(headers["mcp-protocol-version"], "2025-11-25");
            assert.equal(headers["mcp-session-id"], transport.sessionId);
        }
        assert.deepEqual(await callsOf(server), {cancelled: 0, finished: 1, sessions: 1});
        await transport.terminateSession();
        assert.equal((await callsOf(server)).sessions, 0);
    });

    test(`${line}: a cut before the first message, and the client comes back`, async t => {
        const server = await startUse(t, "mcp");
        const proxy = await startProxy(t, server.url);
        const {client} = await connectTo(t, `${proxy.url}/mcp`);
        await client.setLoggingLevel("error"); // then nothing comes before the first step
        let cuts = 0;
        const onresumptiontoken = () => {
            if (cuts++ === 0) proxy.requests.filter(({method}) => method === "POST").at(-1).cut();
        };
        const seen = await count(client, {steps: 3, pause: 700}, () => {}, {onresumptiontoken});
        assert.deepEqual(seen, upTo(3));
        const back = proxy.requests.map(({headers}) => headers["last-event-id"]).filter(id => id);
        assert.deepEqual(back, ["2.0"]); // the priming event's
    });

    test(`${line}: what belongs to no call comes by GET, also after a cut`, async t => {
        const server = await startUse(t, "mcp");
        const proxy = await startProxy(t, server.url);
        const {client} = await connectTo(t, `${proxy.url}/mcp`);
        let heard = 0;
        client.setNotificationHandler(listChanged(client), () => { ++heard; });
        const change = () => client.callTool({name: "test_trigger_tool_change"});
        const gets = () => proxy.requests.filter(({method}) => method === "GET");
        await until(() => gets()[0]?.status === 200, "it listens");
        await change();
        await until(() => heard === 1, "it hears of the first change");
        gets()[0].cut();
        await change();
        await change();
        await until(() => heard === 3, "it hears of what it has missed");
        assert.equal(gets()[1].headers["last-event-id"], "1.1");
        assert.equal(heard, 3);
    });

    test(`${line}: a connection that the server closes early is polled for the rest`, async t => {
        const server = await startUse(t, "mcp");
        const proxy = await startProxy(t, server.url);
        const {client} = await connectTo(t, `${proxy.url}/mcp`);
        assert.deepEqual(await count(client, {steps: 40, pause: 20, poll: true}), upTo(40));
        const [back] = proxy.requests.filter(({headers}) => headers["last-event-id"] !== undefined);
        const call = proxy.requests.filter(({method, began}) =>
            method === "POST" && began < back.began).at(-1);
        assert.ok(back.began - call.began >= 300); // the server's `retry`
    });
}

test("client 2, 2026-07-28: no session and no ids, and who goes cancels", async t => {
    const server = await startUse(t, "mcp");
    const proxy = await startProxy(t, server.url);
    const {client} = await connect(t, new client2.Client({name: "test", version: "1"},
        {versionNegotiation: {mode: "auto"}}),
    new client2.StreamableHTTPClientTransport(new URL(`${proxy.url}/mcp`)));
    assert.deepEqual(await count(client, {steps: 20, pause: 10}), upTo(20));
    const abort = new AbortController();
    await assert.rejects(count(client, {steps: 1000, pause: 10},
        step => step === 3 && abort.abort(), {signal: abort.signal}));
    await until(async () => (await callsOf(server)).cancelled === 1, "the call is cancelled");
    assert.deepEqual(await callsOf(server), {cancelled: 1, finished: 1, sessions: 0});
    for (const {method, headers} of proxy.requests) {
        assert.equal(method, "POST");
        assert.equal(headers["mcp-protocol-version"], "2026-07-28");
        assert.equal(headers["mcp-session-id"], undefined);
        assert.equal(headers["last-event-id"], undefined);
    }
});
