// SPDX-License-Identifier: MIT
//
// The answers of uses/completion.cpp as an OpenAPI document, for tools. Since OpenAPI 3.2 the items
// of an event stream have a schema, `itemSchema`: each event as an object of its fields, as a reader
// of the stream has it. What its data is is said by the keywords of JSON Schema for text that holds
// something else, `contentMediaType` and `contentSchema`.
#ifndef SSEKIT_EXAMPLES_USES_COMPLETION_OPENAPI_HPP
#define SSEKIT_EXAMPLES_USES_COMPLETION_OPENAPI_HPP

#include <string_view>

namespace uses {

inline constexpr std::string_view completion_openapi = R"json({
  "openapi": "3.2.0",
  "info": {
    "title": "Chat completions",
    "summary": "A stand-in for a language model, which repeats the last message.",
    "version": "1.0.0",
    "license": {"name": "MIT", "identifier": "MIT"}
  },
  "servers": [{"url": "/v1"}],
  "security": [],
  "paths": {
    "/chat/completions": {
      "post": {
        "operationId": "createChatCompletion",
        "summary": "Answers the last message.",
        "requestBody": {
          "required": true,
          "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Request"}}
          }
        },
        "responses": {
          "200": {
            "description": "One object, or an event stream if `stream` is true. A stream without [DONE] at its end has broken off.",
            "content": {
              "application/json": {"schema": {"$ref": "#/components/schemas/Completion"}},
              "text/event-stream": {"itemSchema": {"$ref": "#/components/schemas/Event"}}
            }
          },
          "400": {"$ref": "#/components/responses/Error"},
          "404": {"$ref": "#/components/responses/Error"},
          "503": {"$ref": "#/components/responses/Error"}
        }
      }
    }
  },
  "components": {
    "responses": {
      "Error": {
        "description": "There is no answer.",
        "content": {
          "application/json": {"schema": {"$ref": "#/components/schemas/Error"}}
        }
      }
    },
    "schemas": {
      "Event": {
        "description": "An event of the stream. It has data alone.",
        "type": "object",
        "required": ["data"],
        "additionalProperties": false,
        "properties": {"data": {"type": "string"}},
        "oneOf": [
          {"$ref": "#/components/schemas/ChunkEvent"},
          {"$ref": "#/components/schemas/LastEvent"}
        ]
      },
      "ChunkEvent": {
        "type": "object",
        "properties": {
          "data": {
            "type": "string",
            "not": {"const": "[DONE]"},
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/components/schemas/Chunk"}
          }
        }
      },
      "LastEvent": {
        "description": "The end of an answer that is whole. The server closes after it.",
        "type": "object",
        "properties": {"data": {"const": "[DONE]"}}
      },
      "Chunk": {
        "type": "object",
        "required": ["id", "object", "created", "model", "choices"],
        "additionalProperties": false,
        "properties": {
          "id": {"type": "string"},
          "object": {"const": "chat.completion.chunk"},
          "created": {"type": "integer", "description": "In seconds since 1970."},
          "model": {"type": "string"},
          "choices": {
            "description": "Empty in the chunk that has the usage.",
            "type": "array",
            "maxItems": 1,
            "items": {
              "type": "object",
              "required": ["index", "delta", "finish_reason"],
              "additionalProperties": false,
              "properties": {
                "index": {"const": 0},
                "delta": {
                  "type": "object",
                  "additionalProperties": false,
                  "properties": {
                    "role": {"const": "assistant"},
                    "content": {"type": "string"}
                  }
                },
                "logprobs": {"type": "null"},
                "finish_reason": {"enum": [null, "stop", "length"]}
              }
            }
          },
          "usage": {
            "description": "There if `include_usage` is true, and null but for the last chunk.",
            "oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Usage"}]
          }
        }
      },
      "Completion": {
        "type": "object",
        "required": ["id", "object", "created", "model", "choices", "usage"],
        "additionalProperties": false,
        "properties": {
          "id": {"type": "string"},
          "object": {"const": "chat.completion"},
          "created": {"type": "integer", "description": "In seconds since 1970."},
          "model": {"type": "string"},
          "choices": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
              "type": "object",
              "required": ["index", "message", "finish_reason"],
              "additionalProperties": false,
              "properties": {
                "index": {"const": 0},
                "message": {
                  "type": "object",
                  "required": ["role", "content"],
                  "additionalProperties": false,
                  "properties": {
                    "role": {"const": "assistant"},
                    "content": {"type": "string"},
                    "refusal": {"type": "null"}
                  }
                },
                "logprobs": {"type": "null"},
                "finish_reason": {"enum": ["stop", "length"]}
              }
            }
          },
          "usage": {"$ref": "#/components/schemas/Usage"}
        }
      },
      "Usage": {
        "type": "object",
        "required": ["prompt_tokens", "completion_tokens", "total_tokens"],
        "additionalProperties": false,
        "properties": {
          "prompt_tokens": {"type": "integer", "minimum": 0},
          "completion_tokens": {"type": "integer", "minimum": 0},
          "total_tokens": {"type": "integer", "minimum": 0}
        }
      },
      "Request": {
        "type": "object",
        "required": ["model", "messages"],
        "properties": {
          "model": {"enum": ["echo", "echo-fast"]},
          "messages": {
            "type": "array",
            "minItems": 1,
            "items": {
              "type": "object",
              "required": ["role", "content"],
              "properties": {
                "role": {"type": "string"},
                "content": {
                  "oneOf": [
                    {"type": "string"},
                    {
                      "type": "array",
                      "items": {
                        "type": "object",
                        "required": ["type"],
                        "properties": {"type": {"type": "string"}, "text": {"type": "string"}}
                      }
                    }
                  ]
                }
              }
            }
          },
          "stream": {"type": ["boolean", "null"], "default": false},
          "stream_options": {
            "type": ["object", "null"],
            "properties": {"include_usage": {"type": "boolean", "default": false}}
          },
          "max_tokens": {"type": ["integer", "null"], "minimum": 1},
          "max_completion_tokens": {"type": ["integer", "null"], "minimum": 1}
        }
      },
      "Error": {
        "type": "object",
        "required": ["error"],
        "additionalProperties": false,
        "properties": {
          "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "additionalProperties": false,
            "properties": {
              "message": {"type": "string"},
              "type": {"enum": ["invalid_request_error", "server_error"]},
              "param": {"type": ["string", "null"]},
              "code": {"type": ["string", "null"]}
            }
          }
        }
      }
    }
  }
}
)json";

} // namespace uses

#endif
