// SPDX-License-Identifier: MIT
// github.com/donovanhide/eventsource, of Debian's golang-github-donovanhide-eventsource-dev:
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go build donovanhide.go
package main

import (
	"encoding/json"
	"os"

	"github.com/donovanhide/eventsource"
)

func main() {
	stream, err := eventsource.Subscribe(os.Args[1], "")
	if err != nil {
		os.Exit(1)
	}
	go func() {
		for range stream.Errors {
		}
	}()
	lines := json.NewEncoder(os.Stdout)
	for event := range stream.Events {
		kind := event.Event()
		if kind == "" {
			kind = "message"
		}
		lines.Encode(map[string]string{"type": kind, "data": event.Data()})
	}
}
