/*
 * Requests to begin with: the published known answers of both schemes, a mistake, and one that is not signed yet.
 *
 * SPDX-License-Identifier: MIT
 */
const Examples = (() => {
  "use strict";

  const GOTOM = ["theusernameyoureceived", "thepasswordyoureceived"];
  const all = {
    gotom: {
      ...{ scheme: "gotom", key: GOTOM, clock: "request", tab: "http" },
      text: `GET /app-api/campaign/26106 HTTP/1.1
Host: demo.gotom.io
Content-Type: application/json
Date: 2024-11-07T10:21:15Z
Authorization: gotom_app_api theusernameyoureceived:zyNLF+OesgakKbzViRcucSRi8MM=
`,
    },
    gogrid: {
      ...{
        scheme: "gogrid",
        key: ["2fvmer3qbk7f3jnqneg58bu2", "qvxkmw57pec7"],
        clock: "at",
        at: "1200603050",
        tab: "http",
      },
      text: `GET /api/grid/server/list?format=json&api_key=2fvmer3qbk7f3jnqneg58bu2&sig=65a08176826fa4621116997e1dd775fa&v=1.5 HTTP/1.1
Host: api.gogrid.com
`,
    },
    mistake: {
      ...{ scheme: "gotom", key: GOTOM, clock: "request", tab: "http" },
      text: `POST /app-api/campaign?draft=1 HTTP/1.1
Host: demo.gotom.io
Content-Type: application/json
Date: 2024-11-07T10:21:15Z
Authorization: gotom_app_api theusernameyoureceived:Mq0OuhpVkFCWv8zAo6eYOLN4JNE=
Content-Length: 16

{"name": "new"}
`,
    },
    curl: {
      ...{ scheme: "gotom", key: GOTOM, clock: "now", tab: "curl" },
      text: `curl -X PUT 'https://demo.gotom.io/app-api/campaign/26106?draft=1' \\
  -H 'Content-Type: application/json; charset=UTF-8' \\
  --data-raw '{"name": "autumn"}'`,
    },
  };

  return { all };
})();
