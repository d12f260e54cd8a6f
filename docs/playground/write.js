/*
 * Writes a request as raw HTTP, as a curl command and as fields.
 *
 * SPDX-License-Identifier: MIT
 */
const Writing = (() => {
  "use strict";

  const { wireBytes, toWire, lower, values } = Undersign.steps;
  const { isText, text } = Reading;

  const hostOf = (request) => values(request, "host")[0] ?? request.origin.split("://")[1];

  const urlOf = (request) =>
    request.target.startsWith("/") && request.origin !== "https://" ? request.origin + request.target : request.target;

  function asHttp(request) {
    const headers = request.headers.filter(([name]) => lower(name) !== "content-length");
    if (request.body.length || /^(POST|PUT|PATCH)$/.test(request.method)) {
      headers.push(["Content-Length", String(request.body.length)]);
    }
    // A target with its scheme is what says that it is not https.
    const target = request.origin.startsWith("http://") ? urlOf(request) : request.target;
    const lines = [
      `${request.method} ${target} HTTP/1.1`,
      ...headers.map(([name, value]) => `${name}: ${value}`),
      "",
      "",
    ];
    return text(lines.join("\n")) + text(request.body).replaceAll("\r\n", "\n");
  }

  const JOINT = " \\\n  ";

  function asCurl(request) {
    const words = ["curl", "--globoff", "--path-as-is"];
    if (request.method === "HEAD") words.push("--head");
    else if (request.method !== (request.body.length ? "POST" : "GET")) words.push("-X", quoted(request.method));
    const plain = /^(\/|https?:\/\/)[^#]*$/i.test(request.target);
    if (!plain) words.push("--request-target", quoted(request.target));
    const lines = [[...words, quoted(plain ? urlOf(request) : request.origin + "/")].join(" ")];
    const own = hostOf(request) === request.origin.split("://")[1] ? ["host", "content-length"] : ["content-length"];
    for (const [name, value] of request.headers) {
      if (!own.includes(lower(name))) lines.push(`-H ${quoted(value === "" ? `${name};` : `${name}: ${value}`)}`);
    }
    const typed = values(request, "content-type").length > 0;
    if (request.body.length && !typed) lines.push("-H 'Content-Type:'");
    if (request.body.includes(0)) {
      return `# The body holds a NUL, which no word can: it is to be in the file body.\n${[...lines, "--data-binary @body"].join(JOINT)}`;
    }
    if (request.body.length) lines.push(`--data-raw ${quoted(toWire(request.body))}`);
    return lines.join(JOINT);
  }

  // A word for Bash, of a wire string: plain where it can be, in '…' where it is text, else in $'…'.
  function quoted(word) {
    if (/^[A-Za-z0-9_./:=?@%,+-]+$/.test(word) && !word.includes("?")) return word;
    if (isText(wireBytes(word)) && !/[\x00-\x09\x0b-\x1f\x7f]/.test(word)) {
      return `'${text(word).replaceAll("'", "'\\''")}'`;
    }
    const escaped = word.replace(/[\\'\x00-\x1f\x7f-\xff]/g, (byte) =>
      /[\\']/.test(byte)
        ? "\\" + byte
        : byte === "\n"
          ? "\\n"
          : byte === "\r"
            ? "\\r"
            : "\\x" + byte.charCodeAt(0).toString(16).padStart(2, "0"),
    );
    return `$'${escaped}'`;
  }

  const asFields = (request) => ({
    method: text(request.method),
    url: text(urlOf(request)),
    headers: text(request.headers.map(([name, value]) => `${name}: ${value}`).join("\n")),
    body: text(request.body).replaceAll("\r\n", "\n"),
    crlf: /\r\n/.test(toWire(request.body)) && !/(?<!\r)\n/.test(toWire(request.body)),
  });

  return { asHttp, asCurl, asFields, urlOf };
})();
