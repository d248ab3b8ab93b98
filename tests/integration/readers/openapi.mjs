// SPDX-License-Identifier: MIT
//
// The OpenAPI document of uses/completion.cpp, read as a tool would: what the server sends, and what
// it takes, is what the document says.
import {startUse} from "../support/servers.mjs";

import {Validator} from "@seriousme/openapi-schema-validator";
import Ajv from "ajv/dist/2020.js";
import {EventSourceParserStream} from "eventsource-parser/stream";

import assert from "node:assert/strict";
import {test} from "node:test";

async function start(t) {
    const {url} = await startUse(t, "completion");
    const answer = await fetch(`${url}/openapi.json`);
    assert.match(answer.headers.get("Content-Type"), /^application\/json/);
    const document = await answer.json();

    const ajv = new Ajv({strict: true, allowUnionTypes: true, allErrors: true});
    // To the standard these two are notes; here the text has to be what they say.
    ajv.removeKeyword("contentMediaType").removeKeyword("contentSchema");
    ajv.addKeyword({keyword: "contentMediaType", type: "string", schema: false});
    ajv.addKeyword({keyword: "contentSchema", type: "string", compile: ({$ref}) => text => {
        try {
            return ajv.getSchema(`document${$ref}`)(JSON.parse(text));
        } catch {
            return false;
        }
    }});
    for (const word of Object.keys(document)) ajv.addKeyword({keyword: word, valid: true});
    ajv.addSchema({...document, $id: "document"});

    const [[path, {post}]] = Object.entries(document.paths);
    const operation = body => fetch(`${url}${document.servers[0].url}${path}`,
        {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)});
    const check = ({$ref}, value) => {
        const is = ajv.getSchema(`document${$ref}`);
        return is(value) ? "" : JSON.stringify(is.errors);
    };
    /** The schema of an answer, by its status and media type. */
    const schemaOf = (status, type) => {
        const response = post.responses[status];
        const {content} = response.$ref
            ? document.components.responses[response.$ref.split("/").at(-1)] : response;
        return content[type].itemSchema ?? content[type].schema;
    };
    const request = post.requestBody.content["application/json"].schema;
    return {document, operation, check, schemaOf, request};
}

const ask = {model: "echo-fast", messages: [{role: "user", content: "one zwölf \u{1F600} three"}]};

async function eventsOf(response) {
    assert.equal(response.headers.get("Content-Type"), "text/event-stream");
    const events = [];
    const text = response.body.pipeThrough(new TextDecoderStream());
    for await (const event of text.pipeThrough(new EventSourceParserStream())) {
        events.push(JSON.parse(JSON.stringify(event))); // fields that it has not are left out
    }
    return events;
}

test("it is OpenAPI 3.2, and has a schema for the items of the stream", async t => {
    const {document, schemaOf} = await start(t);
    assert.equal(document.openapi, "3.2.0");
    const {content} = Object.values(document.paths)[0].post.responses[200];
    assert.deepEqual(Object.keys(content["text/event-stream"]), ["itemSchema"]);
    assert.equal(schemaOf(200, "text/event-stream").$ref, "#/components/schemas/Event");

    const validator = new Validator();
    const {valid, errors} = await validator.validate(structuredClone(document));
    assert.ok(valid, JSON.stringify(errors));
    assert.equal(validator.version, "3.2");
    content["text/event-stream"].itemSchema = "of no kind";
    assert.equal((await new Validator().validate(document)).valid, false);
});

test("each event of a stream is what the document says", async t => {
    const {operation, check, schemaOf, request} = await start(t);
    const schema = schemaOf(200, "text/event-stream");
    for (const more of [{}, {stream_options: {include_usage: true}}, {max_tokens: 2}]) {
        const body = {...ask, stream: true, ...more};
        assert.equal(check(request, body), "");
        const events = await eventsOf(await operation(body));
        assert.ok(events.length > 4);
        for (const event of events) assert.equal(check(schema, event), "", event.data);
        assert.equal(events.at(-1).data, "[DONE]");
    }
});

test("an event that the server does not send is not what the document says", async t => {
    const {operation, check, schemaOf} = await start(t);
    const schema = schemaOf(200, "text/event-stream");
    const [{data}] = await eventsOf(await operation({...ask, stream: true}));
    assert.equal(check(schema, {data}), "");
    const with_ = changes => ({data: JSON.stringify({...JSON.parse(data), ...changes})});
    for (const event of [
        {}, {data: ""}, {data: "{"}, {data: "[DONE] "}, {data: "{}"}, {data, id: "7"},
        {data, event: "ping"}, with_({created: "today"}), with_({object: "chat.completion"}),
        with_({choices: [{index: 0, delta: {content: 7}, finish_reason: null}]}),
        with_({more: true}), with_({usage: {}}),
    ]) assert.notEqual(check(schema, event), "", JSON.stringify(event));
});

test("answers that are no stream, and errors, are what the document says", async t => {
    const {operation, check, schemaOf, request} = await start(t);
    const whole = await operation(ask);
    assert.equal(whole.status, 200);
    assert.equal(check(schemaOf(200, "application/json"), await whole.json()), "");
    for (const [body, status] of [[{...ask, messages: []}, 400], [{...ask, max_tokens: 0}, 400],
        [{model: "echo"}, 400], [{...ask, model: "another"}, 404]]) {
        assert.notEqual(check(request, body), "");
        const refused = await operation(body);
        assert.equal(refused.status, status);
        assert.equal(check(schemaOf(status, "application/json"), await refused.json()), "");
    }
});
