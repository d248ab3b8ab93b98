// SPDX-License-Identifier: MIT
// github.com/gin-contrib/sse, of Debian's golang-github-gin-contrib-sse-dev. It reads all of a stream, and
// then tells its events.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go build gin-contrib-sse.go
package main

import (
	"encoding/json"
	"os"

	"github.com/gin-contrib/sse"
)

func main() {
	events, err := sse.Decode(os.Stdin)
	if err != nil {
		os.Exit(1)
	}
	lines := json.NewEncoder(os.Stdout)
	for _, event := range events {
		lines.Encode(map[string]interface{}{"type": event.Event, "data": event.Data})
	}
}
