// SPDX-License-Identifier: MIT
//
// The AI SDK, both ways: as a client of a model, over uses/completion.cpp, and as the page of a chat
// whose server writes a UI message stream, over uses/generation.cpp. The latter it joins again by
// the chat's id.
import {startProxy, startUse, until} from "../support/servers.mjs";

import {createOpenAICompatible} from "@ai-sdk/openai-compatible";
import {DefaultChatTransport, readUIMessageStream, streamText} from "ai";

import assert from "node:assert/strict";
import {test} from "node:test";

const prompt = "data: grüße,\n\nevent: \u{1F600}\u{1F600}\u{1F600} 日本語 and a verylongword";
const long = "word ".repeat(5000); // most of a minute

// ---- a client of a model

async function startModel(t) {
    const server = await startUse(t, "completion");
    const proxy = await startProxy(t, server.url);
    const provider = createOpenAICompatible(
        {name: "here", baseURL: `${proxy.url}/v1`, includeUsage: true});
    const ask = (text, more = {}) => streamText(
        {model: provider("echo"), prompt: text, maxRetries: 0, onError() {}, ...more});
    const counts = async () => (await fetch(`${server.url}/completions`)).text();
    return {proxy, provider, ask, counts};
}

/** Reads all there is; `onText` is called with the text that has come. */
async function readParts(result, onText = () => {}) {
    const parts = [];
    let text = "";
    for await (const part of result.fullStream) {
        parts.push(part);
        if (part.type === "text-delta") onText(text += part.text);
    }
    return {types: parts.map(({type}) => type), text, parts};
}

test("streamText reads an answer whole", async t => {
    const {ask} = await startModel(t);
    const result = ask(prompt);
    const {text, types} = await readParts(result);
    assert.equal(text, prompt);
    assert.ok(!types.includes("error"));
    assert.equal(await result.finishReason, "stop");
    const usage = await result.usage;
    assert.equal(usage.inputTokens, usage.outputTokens);
    assert.ok(usage.outputTokens > 5);
});

test("when streamText is aborted, the model stops", async t => {
    const {ask, counts} = await startModel(t);
    const abort = new AbortController();
    const {types} = await readParts(ask(long, {abortSignal: abort.signal}),
        text => { if (text.length > 20) abort.abort(); });
    assert.ok(types.includes("abort"));
    await until(async () => await counts() === "finished 0, broken off 1\n", "it is broken off");
});

test("streamText tells an answer that is cut, and one that there is not", async t => {
    const {ask, proxy, provider} = await startModel(t);
    let got = "";
    await assert.rejects(readParts(ask(long), text => {
        got = text;
        if (text.length > 20) proxy.requests.at(-1).cut();
    }));
    assert.ok(got.length > 20 && got.length < long.length);
    const refused = await readParts(ask(prompt, {model: provider("another")}));
    const {error} = refused.parts.find(({type}) => type === "error");
    assert.equal(error.statusCode, 404);
    assert.match(error.message, /There is no model 'another'/);
});

// ---- the page of a chat

async function startChat(t) {
    const server = await startUse(t, "generation");
    const proxy = await startProxy(t, server.url);
    const transport = new DefaultChatTransport({api: `${proxy.url}/api/chat`});
    const send = (chatId, text, abortSignal) => transport.sendMessages({
        chatId,
        messages: [{id: "m1", role: "user", parts: [{type: "text", text}]}],
        trigger: "submit-message",
        abortSignal,
    });
    const underWay = async () => (await fetch(`${server.url}/generations`)).text();
    return {server, proxy, transport, send, underWay};
}

/** Reads a message as a page does: it is shown again with each part that comes. */
async function readMessage(stream, onText = () => {}) {
    let message;
    for await (message of readUIMessageStream({stream, terminateOnError: true})) {
        onText(textOf(message));
    }
    return message;
}

function textOf({parts}) {
    return parts.filter(({type}) => type === "text").map(({text}) => text).join("");
}

test("a chat reads its UI message stream whole", async t => {
    const {proxy, send} = await startChat(t);
    const message = await readMessage(await send("chat-1", prompt));
    assert.equal(textOf(message), prompt);
    assert.equal(message.role, "assistant");
    assert.match(message.id, /^message-/);
    assert.deepEqual(message.parts.map(({type, state}) => [type, state]),
        [["step-start", undefined], ["text", "done"]]);
    assert.equal(proxy.requests[0].method, "POST");
});

test("the answer goes on when the page leaves, and the page joins it by the chat's id", async t => {
    const {proxy, send, transport, underWay} = await startChat(t);
    const text = "word ".repeat(300); // more than three seconds
    const leave = new AbortController();
    const first = await readMessage(await send("chat-1", text, leave.signal), got => {
        if (got.length > 20) leave.abort();
    }).catch(error => assert.equal(error.name, "AbortError"));
    assert.ok(first === undefined || textOf(first).length < text.length);
    assert.equal(await underWay(), "1 under way\n");

    const joined = await transport.reconnectToStream({chatId: "chat-1"});
    const message = await readMessage(joined);
    assert.equal(textOf(message), text);
    assert.equal(message.parts.at(-1).state, "done");
    assert.equal(proxy.requests.at(-1).url, "/api/chat/chat-1/stream");

    // When it is over there is nothing to join.
    await until(async () => await underWay() === "0 under way\n", "it is over");
    assert.equal(await transport.reconnectToStream({chatId: "chat-1"}), null);
    assert.equal(proxy.requests.at(-1).status, 204);
    assert.equal(await transport.reconnectToStream({chatId: "chat-2"}), null);
});

test("a stream that is cut throws, and is joined again from its beginning", async t => {
    const {proxy, send, transport} = await startChat(t);
    const text = "word ".repeat(300);
    let seen = "";
    await assert.rejects(readMessage(await send("chat-1", text), got => {
        seen = got;
        if (got.length > 20) proxy.requests.at(-1).cut();
    }));
    assert.ok(seen.length > 20 && seen.length < text.length);
    const message = await readMessage(await transport.reconnectToStream({chatId: "chat-1"}));
    assert.equal(textOf(message), text);
});

test("one that is stopped by its id ends as aborted", async t => {
    const {server, send} = await startChat(t);
    const types = [];
    for await (const {type} of await send("chat-1", long)) {
        types.push(type);
        if (types.length === 10) {
            const stopped = await fetch(`${server.url}/generations/chat-1/stop`, {method: "POST"});
            assert.equal(stopped.status, 202);
        }
    }
    assert.equal(types.at(-1), "abort");
    assert.ok(types.length < 1000);
});
