/*
 * Reads the request that a curl command sends, as far as the command alone tells it. It is split into words as Bash does.
 *
 * SPDX-License-Identifier: MIT
 */
const Curl = (() => {
  "use strict";

  const { wireBytes, lower, trim } = Undersign.steps;
  const { Unreadable, TOKEN, made, text, wire } = Reading;

  const FORM = "application/x-www-form-urlencoded";

  const isCommand = (given) => /^\s*(\$\s+)?curl(\.exe)?\s/.test(given);

  const SHORT = {
    ...{
      X: "--request",
      H: "--header",
      d: "--data",
      G: "--get",
      u: "--user",
      A: "--user-agent",
      e: "--referer",
      b: "--cookie",
    },
    ...{ I: "--head", F: "--form", T: "--upload-file", g: "--globoff", 0: "--http1.0" },
    ...{
      o: "--output",
      w: "--write-out",
      m: "--max-time",
      x: "--proxy",
      c: "--cookie-jar",
      E: "--cert",
      D: "--dump-header",
    },
    ...{
      s: "--silent",
      S: "--show-error",
      L: "--location",
      v: "--verbose",
      i: "--include",
      k: "--insecure",
      f: "--fail",
    },
    ...{ "#": "--progress-bar", N: "--no-buffer", O: "--remote-name", J: "--remote-header-name", q: "--disable" },
  };
  const TAKEN = [
    "--request",
    "--header",
    "--user-agent",
    "--referer",
    "--cookie",
    "--url",
    "--url-query",
    "--request-target",
  ];
  const DATA = ["--data", "--data-ascii", "--data-raw", "--data-binary", "--data-urlencode", "--json"];
  const PLAIN = ["--get", "--head", "--globoff", "--path-as-is"];
  const NOT_HERE = {
    "--form": "A multipart form has a boundary that curl draws at random: paste the raw request instead.",
    "--upload-file": "The page cannot read the file of --upload-file: paste its content as --data-binary.",
    "--config": "The page cannot read the file of --config.",
    "--next": "This is more than one request: paste one.",
  };
  const IGNORED_VALUES = [
    ...[
      "--output",
      "--write-out",
      "--max-time",
      "--connect-timeout",
      "--proxy",
      "--cookie-jar",
      "--cert",
      "--key",
      "--cacert",
    ],
    ...[
      "--dump-header",
      "--retry",
      "--retry-delay",
      "--resolve",
      "--interface",
      "--limit-rate",
      "--trace",
      "--max-redirs",
      "--ciphers",
    ],
  ];
  const IGNORED = [
    ...[
      "--silent",
      "--show-error",
      "--location",
      "--verbose",
      "--include",
      "--insecure",
      "--fail",
      "--progress-bar",
      "--no-buffer",
    ],
    ...[
      "--remote-name",
      "--remote-header-name",
      "--disable",
      "--http1.0",
      "--http1.1",
      "--http2",
      "--http3",
      "--tlsv1.2",
      "--tlsv1.3",
    ],
    ...[
      "--no-progress-meter",
      "--fail-with-body",
      "--ipv4",
      "--ipv6",
      "--tcp-nodelay",
      "--basic",
      "--digest",
      "--ssl-reqd",
    ],
  ];

  function read(given) {
    const notes = [];
    const [, ...rest] = words(
      wire(
        given
          .trim()
          .replace(/^(#.*\n)+/, "")
          .replace(/^\$\s+/, ""),
      ),
    );
    const options = [...optionsOf(rest)];
    const has = (name) => options.some(([option]) => option === name);
    const all = (...names) => options.filter(([option]) => names.includes(option));
    const last = (name) => all(name).at(-1)?.[1];

    for (const [name] of options) if (NOT_HERE[name]) throw new Unreadable(NOT_HERE[name]);
    if (has("--user")) notes.push("-u is left out: a signature takes the place of a password.");
    if (!options.some(([name, value]) => name === "--header" && /^user-agent:/i.test(value)) && !has("--user-agent")) {
      notes.push("curl also sends a User-Agent with its version, which is not known here.");
    }
    if (has("--compressed")) notes.push("--compressed is left out: curl adds an Accept-Encoding header of its own.");
    const urls = all("--url");
    if (urls.length !== 1) {
      throw new Unreadable(urls.length ? "There is more than one URL: paste one request." : "The command has no URL.");
    }

    let url = urls[0][1];
    if (!/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(url)) {
      notes.push("The URL has no scheme, and curl takes http://.");
      url = "http://" + url;
    }
    if (!has("--globoff") && /[[\]{}]/.test(url.replace(/^https?:\/\/\[[^\]]*\]/i, ""))) {
      throw new Unreadable(
        "curl expands [ ] and { } in a URL to several requests: escape them (%5B), or add --globoff.",
      );
    }
    const data = dataOf(all(...DATA));
    const queries = all("--url-query").map(([, value]) => (value.startsWith("+") ? value.slice(1) : urlencoded(value)));
    if (has("--get") && data !== null) queries.push(data);
    if (queries.length) url = withQuery(url, queries.join("&"));
    if (!has("--path-as-is")) url = withoutDots(url, notes);

    const asQuery = has("--get") || data === null;
    const headers = curlHeaders({ all, last, has }, asQuery ? null : has("--json") ? "application/json" : FORM, notes);
    const method = last("--request") ?? (has("--head") ? "HEAD" : asQuery ? "GET" : "POST");
    const request = made(method, url, headers, asQuery ? new Uint8Array() : wireBytes(data), notes);
    return { request: { ...request, target: last("--request-target") ?? request.target }, notes };
  }

  // The words of a command as Bash splits it. What a shell would put in another's place is not known here.
  function words(command) {
    const found = [];
    let word = null;
    let at = 0;
    const add = (part) => (word = (word ?? "") + part);
    while (at < command.length) {
      const rest = command.slice(at);
      let match;
      if ((match = /^\\\r?\n/.exec(rest))) {
        // a line that goes on
      } else if ((match = /^[ \t\r\n]+/.exec(rest))) {
        if (match[0].includes("\n") && command.slice(at).trim() && found.length + (word !== null) > 0) {
          throw new Unreadable(
            "The command ends at a line end that no backslash precedes, and more follows: paste one command.",
          );
        }
        if (word !== null) found.push(word);
        word = null;
      } else if ((match = /^\$'((?:[^'\\]|\\[^])*)'/.exec(rest))) {
        add(escapes(match[1]).split("\0")[0]); // no word holds a NUL, so Bash ends this one there
      } else if ((match = /^'([^']*)'/.exec(rest))) {
        add(match[1]);
      } else if ((match = /^\$?"((?:[^"\\]|\\[^])*)"/.exec(rest))) {
        const inner = match[1].replace(/\\\r?\n/g, "");
        if (/(?<!\\)(?:\\\\)*(`|\$[A-Za-z_({])/.test(inner)) {
          throw new Unreadable(`The shell would put something in place of ${shown(inner)}: paste what it stands for.`);
        }
        add(inner.replace(/\\(["$`\\])/g, "$1"));
      } else if (/^\$?['"]/.test(rest)) {
        throw new Unreadable("A quote is opened and not closed.");
      } else if ((match = /^\\([^])/.exec(rest))) {
        add(match[1]);
      } else if (/^[&|;<>()]/.test(rest)) {
        throw new Unreadable(
          `An unquoted ${rest[0]} ends the command in a shell: put the URL and the values in quotes.`,
        );
      } else if (/^(`|\$[A-Za-z_({])/.test(rest)) {
        throw new Unreadable(`The shell would put something in place of ${shown(rest)}: paste what it stands for.`);
      } else {
        match = /^[^\\'"$`&|;<>()\s]+|^[^]/.exec(rest);
        add(match[0]);
      }
      at += match[0].length;
    }
    if (word !== null) found.push(word);
    return found;
  }

  const shown = (value) => (value.length > 24 ? text(value.slice(0, 24)) + "…" : text(value));

  const ESCAPES = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", e: "\x1b", E: "\x1b", f: "\f", v: "\v" };
  const escapes = (quoted) =>
    quoted.replace(
      /\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|([^]))/g,
      (whole, byte, short, long, octal, one) => {
        if (byte) return String.fromCharCode(parseInt(byte, 16));
        if (octal) return String.fromCharCode(parseInt(octal, 8) & 0xff);
        if (one) return ESCAPES[one] ?? (/["'\\?]/.test(one) ? one : whole);
        const point = parseInt(short ?? long, 16);
        return wire(point > 0x10ffff ? "\ufffd" : String.fromCodePoint(point));
      },
    );

  // [long name, value] of each option; a word that is none is a URL.
  function* optionsOf(rest) {
    const wantsValue = (name) =>
      [...TAKEN, ...DATA, ...IGNORED_VALUES, "--user", "--form", "--upload-file", "--config"].includes(name);
    const known = (name) => wantsValue(name) || [...PLAIN, ...IGNORED, "--compressed", "--next"].includes(name);
    const queue = [...rest];
    let onlyUrls = false;
    while (queue.length) {
      const word = queue.shift();
      if (onlyUrls || !/^-./.test(word)) {
        yield ["--url", word];
      } else if (word === "--") {
        onlyUrls = true;
      } else if (word.startsWith("--")) {
        if (!known(word)) {
          throw new Unreadable(
            `This page does not know curl's option ${shown(word)}: leave it out if it does not change the request.`,
          );
        }
        if (wantsValue(word) && !queue.length) throw new Unreadable(`${word} wants a value.`);
        yield [word, wantsValue(word) ? queue.shift() : ""];
      } else {
        for (let at = 1; at < word.length; at++) {
          const name = SHORT[word[at]];
          if (!name) {
            throw new Unreadable(
              `This page does not know curl's option -${shown(word[at])}: leave it out if it does not change the request.`,
            );
          }
          if (!wantsValue(name)) {
            yield [name, ""];
            continue;
          }
          const value = word.slice(at + 1) || queue.shift();
          if (value === undefined) throw new Unreadable(`-${word[at]} wants a value.`);
          yield [name, value];
          break;
        }
      }
    }
  }

  function dataOf(given) {
    if (!given.length) return null;
    return given.reduce((joined, [name, value], place) => {
      if (name !== "--data-raw" && value.startsWith("@")) {
        throw new Unreadable(
          `The page cannot read the file of ${name} ${shown(value)}: paste its content as --data-raw.`,
        );
      }
      const part = name === "--data-urlencode" ? urlencoded(value) : value;
      return joined + (place && name !== "--json" ? "&" : "") + part;
    }, "");
  }

  // As --data-urlencode takes it: content, =content, name=content.
  function urlencoded(value) {
    const mark = /[=@]/.exec(value);
    if (mark?.[0] === "@") throw new Unreadable(`The page cannot read the file of --data-urlencode ${shown(value)}.`);
    const name = mark ? value.slice(0, mark.index) : "";
    const content = mark ? value.slice(mark.index + 1) : value;
    const encoded = content.replace(/[^A-Za-z0-9._~-]/g, (byte) =>
      byte === " " ? "+" : "%" + byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0"),
    );
    return name ? `${name}=${encoded}` : encoded;
  }

  function withQuery(url, query) {
    const [, before, fragment] = /^([^#]*)(#?.*)$/s.exec(url);
    return before + (before.includes("?") ? (/[?&]$/.test(before) ? "" : "&") : "?") + query + fragment;
  }

  // curl takes . and .. out of a path before it sends it (RFC 3986, section 5.2.4).
  function withoutDots(url, notes) {
    const [, origin, path, rest] = /^([^/]*\/\/[^/?#]*)([^?#]*)([^]*)$/.exec(url);
    if (!path.split("/").some((segment) => segment === "." || segment === "..")) return url;
    notes.push("curl takes . and .. out of the path before it sends it.");
    const kept = [];
    const segments = path.split("/").slice(1);
    segments.forEach((segment, place) => {
      if (segment === "..") kept.pop();
      else if (segment !== ".") kept.push(segment);
      if (/^\.\.?$/.test(segment) && place === segments.length - 1) kept.push("");
    });
    return `${origin}/${kept.join("/")}${rest}`;
  }

  function curlHeaders({ all, last, has }, contentType, notes) {
    const found = [];
    const removed = [];
    for (const [, value] of all("--header")) {
      if (value.startsWith("@")) throw new Unreadable(`The page cannot read the file of -H ${shown(value)}.`);
      const colon = value.indexOf(":");
      const empty = colon < 0 && /;\s*$/.test(value); // curl's way to send a header without a value
      const name = empty ? value.replace(/;\s*$/, "") : value.slice(0, Math.max(colon, 0));
      if (!TOKEN.test(name)) throw new Unreadable(`-H ${shown(value)} is not a header. It is Name: value.`);
      if (/[\r\n\0]/.test(value)) throw new Unreadable(`-H ${name} holds a line end.`);
      if (!empty && !trim(value.slice(colon + 1))) removed.push(lower(name));
      else found.push([name, empty ? "" : trim(value.slice(colon + 1))]);
    }
    const add = (name, value) => {
      const there = removed.includes(lower(name)) || found.some(([held]) => lower(held) === lower(name));
      if (value !== undefined && value !== null && value !== "" && !there) found.push([name, value]);
    };
    add("User-Agent", last("--user-agent"));
    add("Referer", last("--referer")?.replace(/;auto$/, ""));
    const cookies = all("--cookie").map(([, value]) => value);
    if (cookies.some((value) => !value.includes("="))) notes.push("-b with the name of a file is left out.");
    add("Cookie", cookies.filter((value) => value.includes("=")).join(";"));
    add("Accept", has("--json") ? "application/json" : "*/*");
    add("Content-Type", contentType);
    return found;
  }

  return { isCommand, read };
})();
