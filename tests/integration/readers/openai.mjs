// SPDX-License-Identifier: MIT
//
// The `openai` SDK asks uses/completion.cpp: what it gets whole, what happens when it goes, and that
// an answer which breaks off is never taken for a whole one.
import {startProxy, startUse, until} from "../support/servers.mjs";

import OpenAI from "openai";

import assert from "node:assert/strict";
import {test} from "node:test";

const prompt = "data: grüße,\n\nevent: \u{1F600}\u{1F600}\u{1F600} 日本語 and a verylongword";
const long = "word ".repeat(5000); // most of a minute

async function start(t) {
    const server = await startUse(t, "completion");
    const proxy = await startProxy(t, server.url);
    const client = new OpenAI({apiKey: "none", baseURL: `${proxy.url}/v1`, maxRetries: 0});
    const ask = (content, more = {}) => client.chat.completions.create(
        {model: "echo", messages: [{role: "user", content}], stream: true, ...more});
    const counts = async () => (await fetch(`${server.url}/completions`)).text();
    return {server, proxy, client, ask, counts};
}

async function read(stream) {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    const text = chunks.map(chunk => chunk.choices[0]?.delta.content ?? "").join("");
    return {chunks, text};
}

test("it reads an answer whole", async t => {
    const {ask, proxy, counts} = await start(t);
    const {chunks, text} = await read(await ask(prompt, {stream_options: {include_usage: true}}));
    assert.equal(text, prompt);
    assert.equal(chunks[0].choices[0].delta.role, "assistant");
    assert.deepEqual(chunks.map(chunk => chunk.choices[0]?.finish_reason ?? null).filter(Boolean),
        ["stop"]);
    const {usage} = chunks.at(-1);
    assert.equal(usage.prompt_tokens + usage.completion_tokens, usage.total_tokens);
    assert.equal(new Set(chunks.map(chunk => chunk.id)).size, 1);
    await until(async () => await counts() === "finished 1, broken off 0\n", "it is finished");
    // What it accepts is no event stream, and it does not matter.
    assert.equal(proxy.requests[0].headers.accept, "application/json");
});

test("its helper puts the answer together, and checks that it is one", async t => {
    const {client} = await start(t);
    const stream = client.chat.completions.stream(
        {model: "echo-fast", messages: [{role: "user", content: prompt}]});
    const answer = await stream.finalChatCompletion();
    assert.equal(answer.choices[0].message.content, prompt);
    assert.equal(answer.choices[0].finish_reason, "stop");
});

test("without a stream it gets one object", async t => {
    const {ask} = await start(t);
    const answer = await ask([{type: "text", text: prompt}], {stream: false, max_tokens: 3});
    assert.ok(prompt.startsWith(answer.choices[0].message.content));
    assert.equal(answer.choices[0].finish_reason, "length");
    assert.equal(answer.usage.completion_tokens, 3);
});

test("when it cancels, the model stops", async t => {
    const {ask, counts} = await start(t);
    const stream = await ask(long);
    let seen = 0;
    for await (const _ of stream) {
        if (++seen === 5) stream.controller.abort();
    }
    assert.ok(seen >= 5);
    await until(async () => await counts() === "finished 0, broken off 1\n", "it is broken off");
    // A loop that is left cancels as well.
    for await (const _ of await ask(long)) break;
    await until(async () => await counts() === "finished 0, broken off 2\n", "and once more");
});

test("an answer that is cut throws, and is not taken for a whole one", async t => {
    const {ask, client, proxy} = await start(t);
    let text = "";
    await assert.rejects(async () => {
        for await (const chunk of await ask(long)) {
            text += chunk.choices[0]?.delta.content ?? "";
            if (text.length > 20) proxy.requests.at(-1).cut();
        }
    });
    assert.ok(text.length > 20 && text.length < long.length);
    const helper = client.chat.completions.stream(
        {model: "echo", messages: [{role: "user", content: long}]});
    helper.on("content", () => proxy.requests.at(-1).cut());
    await assert.rejects(helper.finalChatCompletion());
});

test("an answer that the server cuts when it is stopped throws too", async t => {
    const {ask, server} = await start(t);
    const stream = await ask(long);
    let seen = 0;
    await assert.rejects(async () => {
        for await (const _ of stream) {
            if (++seen === 3) server.stop("SIGTERM"); // it waits five seconds for the answer
        }
    });
    assert.ok(seen > 3);
});

test("what is refused is an error with its status and words", async t => {
    const {ask} = await start(t);
    await assert.rejects(ask(prompt, {model: "another"}), error => {
        assert.ok(error instanceof OpenAI.NotFoundError);
        assert.equal(error.code, "model_not_found");
        assert.equal(error.param, "model");
        assert.match(error.message, /There is no model 'another'/);
        return true;
    });
    await assert.rejects(ask(prompt, {messages: []}), OpenAI.BadRequestError);
});
