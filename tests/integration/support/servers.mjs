// SPDX-License-Identifier: MIT
//
// What the tests talk to: the demo server, the everyday uses, nginx, a proxy that can break
// connections, and origins that are nothing else. All of it ends with the test, or with the process
// that runs it.
//
//     SSEKIT_EXAMPLES_DIR   where the built examples are
//     SSEKIT_NGINX          the reverse proxy, /usr/sbin/nginx unless it is set
import {spawn} from "node:child_process";
import {once} from "node:events";
import {mkdtempSync, rmSync, writeFileSync} from "node:fs";
import http from "node:http";
import {join} from "node:path";
import {setTimeout as sleep} from "node:timers/promises";

/** How long a test waits for what should happen at once, in milliseconds. */
export const patience = 60_000;

/** Waits until `condition()` is truthy, and gives what it says then. */
export async function until(condition, what) {
    const deadline = Date.now() + patience;
    for (;;) {
        const result = await condition();
        if (result) return result;
        if (Date.now() > deadline) throw new Error(`never happened: ${what}`);
        await sleep(30);
    }
}

async function listen(server) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return server.address().port;
}

/** One that is free now. */
export async function findPort() {
    const finder = http.createServer();
    const port = await listen(finder);
    finder.close();
    return port;
}

// ---- programs

/** Starts a program that dies with the test, and with this process, whatever ends it. */
export function start(t, command, ...args) {
    const child = spawn("setpriv", ["--pdeathsig", "KILL", command, ...args]);
    let text = "";
    for (const output of [child.stdout, child.stderr]) output.on("data", bytes => text += bytes);
    const ended = () => child.exitCode !== null || child.signalCode !== null;
    /** Waits until `condition(text)`, of what it has printed, is truthy. */
    child.until = (condition, what) => until(() => {
        if (ended()) throw new Error(`${command} has ended: ${text}`);
        return condition(text);
    }, what);
    child.stop = async (signal = "SIGKILL") => {
        if (ended()) return;
        child.kill(signal);
        await once(child, "exit");
    };
    t.after(() => child.stop());
    return child;
}

/** The demo. After `stop`, `start` begins another run of it at the same address. */
export async function startLive(t, ...options) {
    const program = join(process.env.SSEKIT_EXAMPLES_DIR, "live");
    const run = async port => {
        const child = start(t, program, "--port", port, "--retry", "100", "--timeout", "60",
            ...options);
        const [, url] = await child.until(text => /open (.*)\/\n/.exec(text), "it is listening");
        return {url, stop: child.stop};
    };
    const live = await run("0");
    live.start = async () => Object.assign(live, await run(new URL(live.url).port));
    live.notify = async text => {
        const response = await fetch(`${live.url}/notices`, {method: "POST", body: text});
        if (response.status !== 202) throw new Error(await response.text());
    };
    return live;
}

/** One of the everyday uses, at an address of its own. */
export async function startUse(t, name, ...options) {
    const program = join(process.env.SSEKIT_EXAMPLES_DIR, `use_${name}`);
    const child = start(t, program, "--port", "0", ...options);
    const [, port] = await child.until(text => /on port (\d+)\n/.exec(text), "it is listening");
    return {url: `http://127.0.0.1:${port}`, stop: child.stop};
}

/** The configuration of an nginx that listens there and writes into its own folder alone. */
export function nginxConfig(port, locations) {
    const writable = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    return `
        daemon off;
        master_process off;
        pid nginx.pid;
        events {}
        http {
            access_log off;
            ${writable.map(name => `${name}_temp_path ${name};`).join(" ")}
            server {
                listen 127.0.0.1:${port};
                ${locations}
            }
        }`;
}

/** nginx in front of a server, as Debian has set it, with `more` in its location. */
export async function startNginx(t, upstream, more = "") {
    const prefix = mkdtempSync(join(process.cwd(), "nginx-"));
    const port = await findPort();
    writeFileSync(join(prefix, "nginx.conf"),
        nginxConfig(port, `location / { proxy_pass ${upstream}; ${more} }`));
    const program = process.env.SSEKIT_NGINX ?? "/usr/sbin/nginx";
    const nginx = {url: `http://127.0.0.1:${port}`};
    const answers = () => fetch(nginx.url, {method: "HEAD"}).then(() => true, () => false);
    nginx.start = async () => {
        const child = start(t, program, "-p", prefix, "-e", "stderr", "-c", "nginx.conf");
        nginx.stop = child.stop;
        await child.until(answers, "it is listening");
    };
    t.after(async () => {
        await nginx.stop();
        rmSync(prefix, {recursive: true});
    });
    await nginx.start();
    return nginx;
}

// ---- servers of the tests

/** A server of empty pages, an origin of its own; at /head there is a stream without a byte. */
export async function startOrigin(t) {
    const server = http.createServer(({url}, response) => {
        if (url === "/head") {
            return response.writeHead(200, {"Content-Type": "text/event-stream"}).flushHeaders();
        }
        response.setHeader("Content-Type", "text/html").end("<!doctype html><title>page</title>");
    });
    t.after(() => { server.close(); server.closeAllConnections(); });
    return `http://127.0.0.1:${await listen(server)}`;
}

/**
 * A proxy that notes what it is asked and what the answer is, and breaks streams as networks do:
 * one with the `cut` of its request, all that come while `dead` is set; those that come while
 * `refusal` is a status get that. The `end` of a request is one in order. `began` and `broke` are
 * times in milliseconds, and `text` is what has come of the answer.
 */
export async function startProxy(t, target) {
    const proxy = {target, dead: false, refusal: 0, requests: []};
    const server = http.createServer((asked, answer) => {
        if (proxy.dead) return asked.socket.destroy();
        const {method, url, headers, socket} = asked;
        const request = {method, url, headers, began: performance.now(), text: ""};
        proxy.requests.push(request);
        if (proxy.refusal !== 0) {
            request.status = proxy.refusal;
            return answer.writeHead(proxy.refusal).end();
        }
        request.cut = () => {
            request.broke ??= performance.now();
            socket.destroy();
        };
        request.end = () => answer.end();
        const onward = http.request(proxy.target + url, {method, headers, agent: false});
        onward.on("response", response => {
            request.status = response.statusCode;
            answer.writeHead(response.statusCode, response.rawHeaders).flushHeaders();
            response.pipe(answer);
            response.on("data", piece => request.text += piece);
            response.on("error", request.cut);
        });
        onward.on("error", request.cut);
        answer.on("close", () => onward.destroy());
        asked.pipe(onward);
    });
    t.after(() => { server.close(); server.closeAllConnections(); });
    proxy.url = `http://127.0.0.1:${await listen(server)}`;
    /** Those whose address begins so. */
    proxy.of = path => proxy.requests.filter(request => request.url.startsWith(path));
    return proxy;
}
