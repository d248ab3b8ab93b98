// SPDX-License-Identifier: MIT
//
// nginx. A stream's own header, X-Accel-Buffering, says that it must not be held back. Unless it is
// told otherwise nginx speaks HTTP/1.0 to the server, where a response ends with its connection: then
// it takes a server that has died for one that has said all. What is here besides holds browsers
// while there is no server. That a stream needs nothing else is for ../browser/nginx.mjs.
import {openWhole, startBehind, startNews, testProxy} from "../support/proxies.mjs";
import {nginxConfig, until} from "../support/servers.mjs";

import assert from "node:assert/strict";
import {test} from "node:test";

const nginx = (...settings) => ({
    program: "nginx",
    noticed: 0,
    cuts: true,
    recovers: true,
    args: ({folder}) => ["-p", folder, "-e", "stderr", "-c", "nginx.conf"],
    files: ({port, origin, idle}) => ({
        "nginx.conf": nginxConfig(port, `
            location / {
                proxy_pass http://${origin};
                ${settings.join("\n")}
                proxy_read_timeout ${idle}s;
                error_page 502 503 504 =200 @later;
            }
            location @later {
                default_type text/event-stream;
                return 200 "retry: 2000\\n\\n";
            }`),
    }),
});

testProxy(nginx("proxy_http_version 1.1;"));

test("over HTTP/1.0 a stream whose server has died looks whole", async t => {
    const news = await startNews(t);
    const stream = await openWhole(t, await startBehind(t, nginx(), news));
    await news.stop();
    await until(() => stream.over, "it is over");
    assert.equal(stream.over, "whole");
});
