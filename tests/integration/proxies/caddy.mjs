// SPDX-License-Identifier: MIT
//
// Caddy. It has no patience to lose, and ends a stream that breaks off as if that were its end. `encode`
// decides by the first write whether it compresses: one of 512 bytes, as a replay is, disappears in the
// compressor and with it all that follows.
import {openStream, openWhole, resume, startBehind, startNews, testProxy, texts} from
    "../support/proxies.mjs";

import assert from "node:assert/strict";
import {test} from "node:test";

const caddy = (site, more = "") => ({
    program: "caddy",
    args: ({folder}) => ["run", "--adapter", "caddyfile", "--config", `${folder}/Caddyfile`],
    files: ({port, origin}) => ({
        "Caddyfile": `
            {
                admin off
                auto_https off
            }
            http://127.0.0.1:${port} {
                ${site}
                reverse_proxy ${origin} {
                    ${more}
                }
                handle_errors {
                    header Content-Type text/event-stream
                    respond "retry: 2000

" 200
                }
            }
        `,
    }),
});

testProxy({...caddy("@rest not path /events\nencode @rest gzip"), noticed: 0, mends: true, recovers: true});

test("with encode a replay of 512 bytes is lost, and what follows", async t => {
    const news = await startNews(t);
    const url = await startBehind(t, caddy("encode gzip"), news);
    const {id} = await openWhole(t, url);
    for (const text of texts(40, 100)) await news.publish(text);
    const [all, none] =
        await Promise.all([false, true].map(gzip => openStream(t, url, {id, gzip})));
    await all.untilText(texts(40, 100).at(-1));
    await news.publish("after");
    await all.untilText("after");
    assert.equal(none.encoding, "gzip");
    assert.deepEqual(none.events, []);
});

test("Content-Encoding: identity keeps encode away", async t => {
    const news = await startNews(t);
    const identity = caddy("encode gzip", "header_down Content-Encoding identity");
    const url = await startBehind(t, identity, news);
    await resume(t, url, news, texts(40, 100), {gzip: true});
});
