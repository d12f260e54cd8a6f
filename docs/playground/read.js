/*
 * Reads a request from raw HTTP and from fields.
 *
 * A request is {method, target, headers, body, origin} as port.js takes it: `target` and the values of headers hold the
 * bytes of the wire, one character for each. What cannot be read is thrown as Reading.Unreadable, in a sentence; what
 * had to be assumed is said in `notes`.
 *
 * SPDX-License-Identifier: MIT
 */
const Reading = (() => {
  "use strict";

  const { steps, utf8 } = Undersign;
  const { toWire, wireBytes, fromUtf8, lower, trim, values } = steps;

  class Unreadable extends Error {}

  const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

  // Text as the bytes of the wire, and back. Half of a surrogate pair has no bytes.
  const wire = (text) => toWire(utf8(text.replace(/\p{Surrogate}/gu, "\ufffd")));
  const text = (bytes) => fromUtf8(typeof bytes === "string" ? wireBytes(bytes) : bytes, false);

  function isText(bytes) {
    try {
      return !/\0/.test(fromUtf8(bytes, true));
    } catch {
      return false;
    }
  }

  // Raw HTTP

  const isHttp = (given) => /^\s*[A-Za-z]+ \S+ HTTP\/\d/.test(given);

  function http(given) {
    const notes = [];
    const lines = given
      .replace(/\p{Surrogate}/gu, "\ufffd")
      .trimStart()
      .split(/\r?\n/);
    const end = lines.indexOf("");
    const [first, ...head] = lines.slice(0, end < 0 ? lines.length : end);
    const start = /^(\S+) (\S+)( HTTP\/\d(?:\.\d)?)?$/.exec((first ?? "").trimEnd());
    if (!start) {
      throw new Unreadable(
        "The first line is not a request line. It is METHOD, target and HTTP/1.1: GET /path HTTP/1.1",
      );
    }
    if (!start[3]) notes.push("The request line has no version; it is taken for HTTP/1.1.");
    const headers = head.map((line, place) => header(line, `Line ${place + 2}`));
    const request = { method: wire(start[1]), target: wire(start[2]), headers, body: new Uint8Array(), origin: "" };
    if (values(request, "transfer-encoding").length) {
      throw new Unreadable(
        "A body with Transfer-Encoding cannot be pasted: leave the header out, and paste the body as it is inside.",
      );
    }
    const absolute = /^(https?):\/\/([^/?#]*)/i.exec(request.target);
    request.origin = absolute
      ? originOf(absolute[1], absolute[2], notes)
      : originOf("https", values(request, "host")[0] ?? "", notes);
    if (end >= 0) request.body = body(lines.slice(end + 1).join("\n"), values(request, "content-length")[0], notes);
    return { request, notes };
  }

  function header(line, where) {
    if (/^[ \t]/.test(line)) throw new Unreadable(`${where} begins with a space: a header stands on one line.`);
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    if (!TOKEN.test(name)) {
      throw new Unreadable(`${where} is not a header. A header is Name: value, and an empty line ends them.`);
    }
    return [name, trim(wire(line.slice(colon + 1)))];
  }

  // Pasting turns CRLF into LF and often adds a line end; Content-Length tells what the bytes were.
  function body(pasted, length, notes) {
    const asPasted = utf8(pasted);
    const crlf = utf8(pasted.replaceAll("\n", "\r\n"));
    const told = /^\d+$/.test(length ?? "") ? Number(length) : null;
    if (told === null || asPasted.length === told) {
      if (told === null && pasted.includes("\n")) {
        notes.push(
          `The body's ${pasted.endsWith("\n") ? "last line ends with LF, which is counted" : "lines end with LF, as pasted"}. ` +
            "With its Content-Length the bytes would be certain.",
        );
      }
      return asPasted;
    }
    const ways = [
      [crlf, "The body's lines end with CRLF: so its Content-Length is right."],
      [utf8(pasted.replace(/\n$/, "")), "The line end behind the body is left out: so its Content-Length is right."],
      [
        crlf.slice(0, -2),
        "The body's lines end with CRLF, and the last one is left out: so its Content-Length is right.",
      ],
    ];
    const fitting = ways.find(([bytes]) => bytes.length === told);
    notes.push(
      fitting
        ? fitting[1]
        : `Content-Length is ${told} and the body has ${asPasted.length} bytes; the bytes that are here count.`,
    );
    return fitting ? fitting[0] : asPasted;
  }

  function originOf(scheme, host, notes) {
    const plain = host.slice(host.lastIndexOf("@") + 1);
    if (plain !== host) notes.push("The user and password in the URL are left out.");
    if (plain === "") {
      notes.push("There is no Host header, so nothing says where it is sent to; https is assumed.");
      return "https://";
    }
    if (!/^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/.test(plain)) {
      throw new Unreadable(
        "The host is not a name or an address, perhaps with a port: api.example.com or 127.0.0.1:8000",
      );
    }
    return `${scheme.toLowerCase()}://${plain.toLowerCase().replace(scheme.toLowerCase() === "https" ? /:443$/ : /:80$/, "")}`;
  }

  // Fields

  function fields({ method, url, headers: lines, body: given, crlf }) {
    const notes = [];
    if (!method.trim()) throw new Unreadable("The method is empty.");
    const headers = lines
      .split("\n")
      .map((line, place) => [line, place + 1])
      .filter(([line]) => line.trim())
      .map(([line, place]) => header(line, `Line ${place} of the headers`));
    const bytes = utf8((crlf ? given.replaceAll("\n", "\r\n") : given).replace(/\p{Surrogate}/gu, "\ufffd"));
    return { request: made(wire(method.trim()), wire(url.trim()), headers, bytes, notes), notes };
  }

  // The request for a URL, or for a target beside a Host header.
  function made(method, url, headers, bytes, notes) {
    const match = /^(https?):\/\/([^/?#]*)([^#]*)(#.*)?$/i.exec(url);
    if (!match) {
      if (!url.startsWith("/")) {
        throw new Unreadable("The URL begins with https:// or, beside a Host header, with a slash.");
      }
      const host = headers.find(([name]) => lower(name) === "host");
      return { method, target: url, headers, body: bytes, origin: originOf("https", host ? host[1] : "", notes) };
    }
    const [, scheme, host, path, fragment] = match;
    if (fragment) notes.push("The fragment behind # is left out: it is not part of a request.");
    if (!host) throw new Unreadable("The URL has no host.");
    const origin = originOf(scheme, host, notes);
    const named = headers.some(([name]) => lower(name) === "host");
    if (!named) headers = [["Host", origin.split("://")[1]], ...headers];
    return { method, target: path.startsWith("/") ? path : "/" + path, headers, body: bytes, origin };
  }

  return { Unreadable, TOKEN, http, fields, made, isHttp, isText, text, wire };
})();
