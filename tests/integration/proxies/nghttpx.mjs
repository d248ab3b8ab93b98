// SPDX-License-Identifier: MIT
//
// nghttpx. It needs nothing.
import {testProxy} from "../support/proxies.mjs";

testProxy({
    program: "nghttpx",
    noticed: 0,
    cuts: true,
    args: ({port, origin, idle}) => ["--single-process", "--workers=1", "--conf=/dev/null",
        `--frontend=127.0.0.1,${port};no-tls`, `--backend=${origin.replace(":", ",")}`,
        `--backend-read-timeout=${idle}s`],
});
