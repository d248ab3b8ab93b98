// SPDX-License-Identifier: MIT
//
// Varnish. A response that goes on for longer than send_timeout is cut, heartbeats or not.
import {openStream, openWhole, startBehind, startNews, testProxy} from "../support/proxies.mjs";
import {until} from "../support/servers.mjs";

import assert from "node:assert/strict";
import {test} from "node:test";
import {setTimeout as sleep} from "node:timers/promises";

// A configuration is compiled, in half the time without optimisation.
const compiler = "exec gcc -fpic -shared -O0 -o %o %s";

const varnish = received => ({
    program: "varnishd",
    args: ({port, folder, idle}) => ["-F", "-j", "none", "-n", `${folder}/run`, "-f",
        `${folder}/news.vcl`, "-a", `127.0.0.1:${port}`, "-s", "default,8m", "-p",
        `between_bytes_timeout=${idle}`, "-p", `pipe_timeout=${idle}`, "-p",
        `cc_command=${compiler}`],
    files: ({origin}) => ({
        "news.vcl": `
            vcl 4.1;
            backend news {
                .host = "${origin.split(":")[0]}";
                .port = "${origin.split(":")[1]}";
            }
            sub vcl_recv {
                if (req.url ~ "^/events") { ${received} }
            }
            sub vcl_backend_error {
                set beresp.status = 200;
                set beresp.http.Content-Type = "text/event-stream";
                synthetic({"retry: 2000

"});
                return (deliver);
            }`,
    }),
});

testProxy({
    ...varnish("set sess.send_timeout = 1d;"),
    noticed: 3,
    cuts: true,
    recovers: true,
});

test("with a short send_timeout heartbeats do not help", async t => {
    const news = await startNews(t, 200);
    const url = await startBehind(t, varnish("set sess.send_timeout = 2s;"), news);
    const stream = await openStream(t, url);
    await until(() => stream.over, "it is cut");
    assert.equal(stream.over, "cut");
    assert.ok(stream.comments > 0);
});

test("a pipe has no such bound, and closes at once when its client has left", async t => {
    const news = await startNews(t);
    const piped = varnish("set sess.send_timeout = 2s; return (pipe);");
    const stream = await openWhole(t, await startBehind(t, piped, news));
    await sleep(3000);
    await news.publish("still here");
    await stream.untilText("still here");
    stream.leave();
    await until(async () => (await news.count()).streams === 0, "the server notices");
});
