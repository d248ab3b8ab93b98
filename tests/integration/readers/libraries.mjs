// SPDX-License-Identifier: MIT
//
// The README's table "What readers need": each reader against uses/for_readers.cpp, with the option
// that gives it what it needs, and without, where it then goes wrong.
import {startProxy, startUse, until} from "../support/servers.mjs";

import {createOpenAICompatible} from "@ai-sdk/openai-compatible";
import Anthropic from "@anthropic-ai/sdk";
import {GoogleGenAI} from "@google/genai";
import fetchEventSource from "@microsoft/fetch-event-source";
import {streamText} from "ai";
import {EventSourcePolyfill} from "event-source-polyfill";
import {EventSource as EventSource5} from "eventsource";
import {EventSource as EventSource4} from "eventsource-4";
import {createEventSource} from "eventsource-client";
import LaunchDarkly from "launchdarkly-eventsource";
import OpenAI from "openai";
import {EventSource as UndiciEventSource} from "undici";

import assert from "node:assert/strict";
import {test} from "node:test";

/** A server with these options, and a proxy before it. */
async function startForms(t, ...options) {
    const server = await startUse(t, "for_readers", ...options);
    const proxy = await startProxy(t, server.url);
    const post = async (path, body = "") => {
        const response = await fetch(`${server.url}/${path}`, {method: "POST", body});
        assert.equal(response.status, 202);
    };
    return {
        proxy,
        url: server.url,
        streams: `${proxy.url}/streams`,
        publish: (topic, data, type = "") => post(`publish/${topic}?type=${type}`, data),
        close: topic => post(`close/${topic}`),
    };
}

/** The events that an SDK gives out of a stream; `error` is what it throws. */
async function gather(open) {
    const events = [];
    try {
        for await (const event of await open()) events.push(event);
    } catch (error) {
        return {events, error};
    }
    return {events};
}

/** Waits until the stream has brought some heartbeats, whose form is `mark`. */
const untilHeartbeats = ({proxy}, mark, count = 3) => until(() =>
    proxy.of("/streams")[0]?.text.split(mark).length > count, `${count} heartbeats come`);

// ---- EventSource and its kin

/** Reads a stream with each of them: `onText` gets the text of events without a type. */
const eventSources = {
    "eventsource 5": (url, onText) => listen(new EventSource5(url), onText),
    "eventsource 4": (url, onText) => listen(new EventSource4(url), onText),
    "undici": (url, onText) => listen(new UndiciEventSource(url), onText),
    "launchdarkly-eventsource": (url, onText) =>
        listen(new LaunchDarkly.EventSource(url), onText),
    "event-source-polyfill": (url, onText) => listen(new EventSourcePolyfill(url), onText),
    "eventsource-client": (url, onText) => {
        const source = createEventSource({url, onMessage: ({data}) => onText(data)});
        return () => source.close();
    },
};
const overlooking = ["eventsource 4", "launchdarkly-eventsource", "event-source-polyfill",
    "eventsource-client"];

function listen(source, onText) {
    source.onmessage = ({data}) => onText(data);
    source.onerror = () => {};
    return () => source.close();
}

/**
 * What it gets of a stream that is cut before its first event, "missed" while it is away, and
 * "after" when it is back.
 */
async function cutBeforeTheFirstEvent(t, name, ...options) {
    const {proxy, streams, publish} = await startForms(t, "retry", ...options);
    const texts = [];
    const close = eventSources[name](`${streams}/news`, text => texts.push(text));
    t.after(close);
    await untilHeartbeats({proxy}, ":\n\n");
    proxy.dead = true;
    proxy.of("/streams")[0].cut();
    await publish("news", "missed");
    proxy.dead = false;
    await until(() => proxy.of("/streams")[1]?.status === 200, `${name} has come back`);
    await publish("news", "after");
    await until(() => texts.includes("after"), `${name} gets what is published`);
    close();
    return {texts, second: proxy.of("/streams")[1]};
}

for (const name of Object.keys(eventSources)) {
    const needs = overlooking.includes(name);
    test(`${name}: ${needs ? "overlooks blocks without data" : "needs nothing"}`, async t => {
        const plain = await cutBeforeTheFirstEvent(t, name);
        assert.deepEqual(plain.texts, needs ? ["after"] : ["missed", "after"]);
        if (!needs) return;
        const {texts, second} = await cutBeforeTheFirstEvent(t, name, "empty-data");
        assert.deepEqual(texts.filter(text => text !== ""), ["missed", "after"]);
        assert.equal(texts[0], "");
        const byVerdict = await cutBeforeTheFirstEvent(t, name, "verdict");
        assert.deepEqual(byVerdict.texts.filter(text => text[0] !== "{"), ["missed", "after"]);
        if (name === "event-source-polyfill") { // which sets no header
            assert.equal(second.headers["last-event-id"], undefined);
            assert.match(second.url, /[?&]lastEventId=\w+\.\d+$/);
        }
    });
}

// ---- @microsoft/fetch-event-source

// It is written for pages, and uses these two objects of theirs.
globalThis.window ??= {setTimeout, clearTimeout, fetch};
globalThis.document ??= {hidden: false, addEventListener() {}, removeEventListener() {}};

async function fetchMessages(t, mark, ...options) {
    const {proxy, streams, publish} = await startForms(t, ...options);
    const messages = [];
    const stop = new AbortController();
    t.after(() => stop.abort());
    const over = fetchEventSource.fetchEventSource(`${streams}/news`, {
        signal: stop.signal,
        onmessage: message => messages.push(message),
    });
    await untilHeartbeats({proxy}, mark);
    await publish("another", "which does not come here");
    const seen = proxy.of("/streams")[0].text.split(mark).length;
    await untilHeartbeats({proxy}, mark, seen + 3);
    await publish("news", "text");
    await until(() => messages.some(({data}) => data === "text"), "the event has come");
    stop.abort();
    await over;
    return messages.map(({event, data}) => [event, data]);
}

test("@microsoft/fetch-event-source: makes a message of each block without data", async t => {
    const plain = await fetchMessages(t, ":\n\n");
    assert.ok(plain.filter(([, data]) => data === "").length > 3);

    const bare = await fetchMessages(t, ":\n", "short-comments", "no-ids");
    assert.deepEqual(bare, [["", "text"]]);

    const withIds = ["short-comments", "verdict"];
    const messages = await fetchMessages(t, ":\n", ...withIds, "no-heartbeat-ids");
    assert.equal(messages.length, 2);
    assert.equal(messages[0][0], "opening");
    assert.deepEqual(messages[1], ["", "text"]);
    const heartbeatIds = await fetchMessages(t, ":\n", ...withIds);
    assert.ok(heartbeatIds.some(([, data]) => data === ""));
});

// ---- SDKs of language models

test("openai: each event needs a text, which is JSON or [DONE]", async t => {
    const chunk = text => JSON.stringify({choices: [{index: 0, delta: {content: text}}]});
    const read = async (mark, count, ...options) => {
        const {proxy, streams, publish} = await startForms(t, ...options);
        const topic = "chat/completions";
        await publish(topic, chunk("one"));
        const client = new OpenAI({apiKey: "none", baseURL: streams, maxRetries: 0, logLevel: "off"});
        const reading = gather(() => client.chat.completions.create(
            {model: "any", messages: [], stream: true}));
        await untilHeartbeats({proxy}, mark, count);
        await publish(topic, "[DONE]");
        await publish(topic, chunk("after the end"));
        return reading; // though the stream stays open
    };
    for (const [mark, ...options] of [[":\n\n"], [":\n\n", "no-ids"], [":\n", "short-comments"]]) {
        const {events, error} = await read(mark, 3, ...options);
        assert.equal(error, undefined);
        assert.deepEqual(events.map(({choices}) => choices[0].delta.content), ["one"]);
    }
    assert.ok((await read("data: \n\n", 1, "empty-data")).error instanceof SyntaxError);
    assert.ok((await read("event: ping", 1, "ping")).error instanceof SyntaxError);
    const ping = await read("event: ping", 3, "ping", "ping-data");
    assert.equal(ping.error, undefined);
    assert.deepEqual(ping.events.at(-1), {type: "ping"}); // given out as if it were a chunk
});

test("@ai-sdk/openai-compatible: the same, and reads on after [DONE]", async t => {
    const chunk = text => JSON.stringify({choices: [{delta: {content: text}}]});
    const last = JSON.stringify({choices: [{delta: {}, finish_reason: "stop"}]});
    const topic = "chat/completions";
    const read = async (...options) => {
        const {proxy, streams, publish, close} = await startForms(t, ...options);
        for (const data of [chunk("one"), last, "[DONE]"]) await publish(topic, data);
        const provider = createOpenAICompatible({name: "here", baseURL: streams});
        const result = streamText(
            {model: provider("any"), prompt: "any", maxRetries: 0, onError() {}});
        let text = "";
        const reading = gather(async function* () {
            for await (const part of result.fullStream) {
                if (part.type === "text-delta") text += part.text;
                yield part;
            }
        });
        await until(() => text === "one", "the text has come");
        return {reading, text: () => text, proxy, publish, close};
    };
    const open = await read();
    await untilHeartbeats(open, ":\n\n");
    await open.publish(topic, chunk(" after the end"));
    await until(() => open.text() === "one after the end", "it reads on");
    await open.close(topic);
    const {events, error} = await open.reading;
    assert.equal(error, undefined);
    assert.equal(events.some(({type}) => type === "error"), false);

    const empty = await read("empty-data");
    await empty.close(topic);
    assert.ok((await empty.reading).events.some(({type}) => type === "error"));
});

test("@anthropic-ai/sdk: overlooks events without a type, and reads on after message_stop",
    async t => {
        const {proxy, streams, publish, close} = await startForms(t, "ping", "ping-data");
        const topic = "v1/messages";
        const publishNamed = type => publish(topic, JSON.stringify({type}), type);
        await publishNamed("message_start");
        await publish(topic, JSON.stringify({type: "without an event name"}));
        await publishNamed("message_stop");
        await publishNamed("after_the_end");
        const client = new Anthropic({apiKey: "none", baseURL: streams, maxRetries: 0});
        const types = [];
        let over = false;
        const reading = gather(async function* () {
            const stream = await client.messages.create(
                {model: "any", max_tokens: 1, messages: [], stream: true});
            for await (const {type} of stream) yield types.push(type);
            over = true;
        });
        await until(() => types.includes("after_the_end"), "it reads on");
        await untilHeartbeats({proxy}, "event: ping"); // which it skips
        assert.equal(over, false);
        await close(topic);
        assert.equal((await reading).error, undefined);
        assert.deepEqual(types, ["message_start", "message_stop", "after_the_end"]);
    });

test("@google/genai: drops each block whose first line is not its data", async t => {
    const topic = "v1/models/any:streamGenerateContent";
    const chunk = text => JSON.stringify(
        {candidates: [{content: {role: "model", parts: [{text}]}}]});
    const read = async (mark, type, ...options) => {
        const {proxy, streams, publish, close} = await startForms(t, ...options);
        await publish(topic, chunk("one"), type);
        const client = new GoogleGenAI({apiKey: "none", httpOptions: {baseUrl: streams}});
        const reading = gather(() => client.models.generateContentStream(
            {model: "any", contents: "any"}));
        await untilHeartbeats({proxy}, mark);
        await publish(topic, chunk(" two"), type);
        await close(topic);
        const {events, error} = await reading;
        return {text: events.map(({text}) => text).join(""), error};
    };
    assert.deepEqual(await read(":\n\n", "", "no-ids"), {text: "one two", error: undefined});
    assert.deepEqual(await read(":\n\n", ""), {text: "", error: undefined}); // ids come first
    assert.equal((await read(":\n\n", "chunk", "no-ids")).text, ""); // or types
    assert.equal((await read(":\n", "", "no-ids", "short-comments")).text, ""); // or comments
});

test("openai and @anthropic-ai/sdk: a proper end is that of a whole answer, a cut is none", async t => {
    const {proxy, streams, publish, close} = await startForms(t);
    const options = {apiKey: "none", baseURL: streams, maxRetries: 0};
    const sdks = [
        ["chat/completions", "", () => new OpenAI(options).chat.completions.create(
            {model: "any", messages: [], stream: true})],
        ["v1/messages", "message_start", () => new Anthropic(options).messages.create(
            {model: "any", max_tokens: 1, messages: [], stream: true})],
    ];
    for (const [topic, type, open] of sdks) {
        await publish(topic, "{}", type);
        const cut = await gather(async function* () {
            for await (const event of await open()) {
                yield event;
                proxy.of(`/streams/${topic}`)[0].cut();
            }
        });
        assert.ok(cut.error instanceof Error, topic);
        await close(topic);
        assert.deepEqual(await gather(open), {events: [{}]}); // though no end marker has come
    }
});
