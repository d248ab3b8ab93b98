// SPDX-License-Identifier: MIT
//
// Apache. It needs nothing; that a client has left it notices when it writes.
import {testProxy} from "../support/proxies.mjs";

const modules = ["mpm_event", "authz_core", "proxy", "proxy_http"];
const load = name => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`;

testProxy({
    program: "apache2",
    noticed: 2,
    cuts: true,
    args: ({folder}) => ["-X", "-d", folder, "-f", "apache.conf"],
    files: ({port, origin, idle, folder}) => ({
        "apache.conf": `
            ${modules.map(load).join("\n")}
            ServerName localhost
            Listen 127.0.0.1:${port}
            PidFile ${folder}/pid
            DefaultRuntimeDir ${folder}
            ErrorLog ${folder}/errors
            User www-data
            Group www-data
            ProxyTimeout ${idle}
            ProxyPass / http://${origin}/
        `,
    }),
});
