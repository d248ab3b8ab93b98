// SPDX-License-Identifier: MIT
//
// lighttpd. Unless it is told to stream, it waits for the end of each response.
import {openHeld, openWhole, startBehind, startNews, testProxy, texts} from "../support/proxies.mjs";
import {until} from "../support/servers.mjs";

import assert from "node:assert/strict";
import {test} from "node:test";

const lighttpd = (streams = "") => ({
    program: "lighttpd",
    args: ({folder}) => ["-D", "-f", `${folder}/lighttpd.conf`],
    files: ({port, origin, idle, folder}) => ({
        "lighttpd.conf": `
            server.bind = "127.0.0.1"
            server.port = ${port}
            server.document-root = "${folder}"
            server.modules = ("mod_proxy")
            server.max-write-idle = ${idle}
            ${streams}
            proxy.server = ("" => (("host" => "127.0.0.1", "port" => ${origin.split(":")[1]})))
        `,
    }),
});

testProxy({...lighttpd("server.stream-response-body = 1"), noticed: 1, cuts: true});

test("without it nothing comes, and no leaver is noticed", async t => {
    const news = await startNews(t, 100);
    const held = await openHeld(t, await startBehind(t, lighttpd(), news), news);
    const direct = await openWhole(t, news.url);
    for (const text of texts(20, 1000)) await news.publish(text);
    await direct.untilText(texts(20, 1000).at(-1));
    direct.leave();
    held.leave();
    await until(async () => (await news.count()).streams === 1, "one of them is noticed");
    const {heartbeats} = await news.count();
    await until(async () => (await news.count()).heartbeats >= heartbeats + 10, "time passes");
    assert.equal((await news.count()).streams, 1);
    assert.equal(held.status, undefined);
});
