/*
 * Signs and verifies HTTP requests: HTTP HMAC 1.0 (goTom) and keyed timestamps (GoGrid).
 *
 * One file without dependencies, for Node and for browsers, also from file://.
 *
 *     <script src="port.js"></script>                        or   const Undersign = require("./port.js");
 *     const request = { method: "GET", target: "/path?query", headers: [], body: new Uint8Array(), origin: "https://host" };
 *     const { patch } = Undersign.sign("gotom", {}, request, "key id", Undersign.utf8("secret"), Date.now() / 1000);
 *     const keyId = Undersign.verify("gotom", {}, signedRequest, { "key id": [secret] }, Date.now() / 1000);
 *
 * `target` and the values of headers hold the bytes of the wire, one character for each. What cannot be signed or does
 * not verify is thrown as Undersign.Refused with a `reason`. `node port.js` speaks the conformance protocol.
 *
 * SPDX-License-Identifier: MIT
 */
const Undersign = (() => {
  "use strict";

  class Refused extends Error {
    constructor(reason, detail) {
      super(`${reason}: ${detail}`);
      Object.assign(this, { reason, detail });
    }
  }

  const cannotSign = (detail) => new Refused("cannot_sign", detail);
  const malformed = (detail) => new Refused("malformed", detail);

  // Bytes and text. A "wire" string has one character from U+0000 to U+00FF for each byte.

  const utf8 = (text) => {
    if (/\p{Surrogate}/u.test(text)) throw new TypeError("a lone surrogate is not text");
    return new TextEncoder().encode(text);
  };
  const fromUtf8 = (bytes, fatal) => new TextDecoder("utf-8", { fatal, ignoreBOM: true }).decode(bytes);
  const wireBytes = (wire) => {
    const bytes = new Uint8Array(wire.length);
    for (let at = 0; at < wire.length; at++) bytes[at] = wire.charCodeAt(at);
    return bytes;
  };
  const toWire = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const base64 = (bytes) => btoa(toWire(bytes));
  const concat = (...parts) => {
    const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    parts.reduce((at, part) => (joined.set(part, at), at + part.length), 0);
    return joined;
  };
  const lower = (wire) => wire.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()); // ASCII alone, as the server folds
  const trim = (value) => value.replace(/^[ \t]+|[ \t]+$/g, "");

  // Hashes. Browsers have no MD5, and their others only behind promises.

  function padded(bytes, block, littleEndian) {
    const length = Math.ceil((bytes.length + 1 + block / 8) / block) * block;
    const view = new DataView(concat(bytes, [0x80], new Uint8Array(length - bytes.length - 1)).buffer);
    const low = (bytes.length * 8) >>> 0;
    const high = Math.floor(bytes.length / 2 ** 29);
    view.setUint32(length - 8, littleEndian ? low : high, littleEndian);
    view.setUint32(length - 4, littleEndian ? high : low, littleEndian);
    return view;
  }

  const rotated = (word, by) => (word << by) | (word >>> (32 - by));

  const MD5_SHIFTS = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
  const MD5_SINES = Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0);

  function md5(bytes) {
    const view = padded(bytes, 64, true);
    const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
    for (let at = 0; at < view.byteLength; at += 64) {
      let [a, b, c, d] = state;
      for (let i = 0; i < 64; i++) {
        const round = i >> 4;
        const f = [(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)][round];
        const word = [i, 5 * i + 1, 3 * i + 5, 7 * i][round] % 16;
        const sum = (a + f + MD5_SINES[i] + view.getUint32(at + 4 * word, true)) | 0;
        [a, b, c, d] = [d, (b + rotated(sum, MD5_SHIFTS[round][i % 4])) | 0, b, c];
      }
      [a, b, c, d].forEach((word, i) => (state[i] = (state[i] + word) | 0));
    }
    const digest = new DataView(new ArrayBuffer(16));
    state.forEach((word, i) => digest.setUint32(4 * i, word, true));
    return new Uint8Array(digest.buffer);
  }

  function sha1(bytes) {
    const view = padded(bytes, 64, false);
    const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
    for (let at = 0; at < view.byteLength; at += 64) {
      const w = Array.from({ length: 16 }, (_, i) => view.getUint32(at + 4 * i));
      for (let i = 16; i < 80; i++) w[i] = rotated(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
      let [a, b, c, d, e] = state;
      for (let i = 0; i < 80; i++) {
        const round = Math.floor(i / 20);
        const f = [(b & c) | (~b & d), b ^ c ^ d, (b & c) | (b & d) | (c & d), b ^ c ^ d][round];
        const constant = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6][round];
        [a, b, c, d, e] = [(rotated(a, 5) + f + e + constant + w[i]) | 0, a, rotated(b, 30), c, d];
      }
      [a, b, c, d, e].forEach((word, i) => (state[i] = (state[i] + word) | 0));
    }
    const digest = new DataView(new ArrayBuffer(20));
    state.forEach((word, i) => digest.setUint32(4 * i, word));
    return new Uint8Array(digest.buffer);
  }

  // SHA-2 takes its constants from the roots of the first primes: 64 bits behind the point.
  const primes = [2];
  for (let n = 3; primes.length < 80; n += 2) if (primes.every((prime) => n % prime)) primes.push(n);
  const root = (n, power) => {
    let found = 0n;
    for (let bit = 1n << 68n; bit; bit >>= 1n) if ((found | bit) ** power <= n) found |= bit;
    return found & 0xffffffffffffffffn;
  };
  const CUBE_ROOTS = primes.map((prime) => root(BigInt(prime) << 192n, 3n));
  const SQUARE_ROOTS = primes.slice(0, 16).map((prime) => root(BigInt(prime) << 128n, 2n));

  function sha2(bytes, size) {
    const wide = size > 32;
    const [bits, block, rounds] = wide ? [64n, 128, 80] : [32n, 64, 64];
    const mask = (1n << bits) - 1n;
    const rotations = wide
      ? [[1n, 8n, -7n], [19n, 61n, -6n], [28n, 34n, 39n], [14n, 18n, 41n]]
      : [[7n, 18n, -3n], [17n, 19n, -10n], [2n, 13n, 22n], [6n, 11n, 25n]];
    const sigma = (which, word) =>
      rotations[which].reduce((sum, by) => sum ^ (by < 0n ? word >> -by : (word >> by) | ((word << (bits - by)) & mask)), 0n);
    const high = (word) => (wide ? word : word >> 32n);
    const roots = size === 64 || size === 32 ? SQUARE_ROOTS.slice(0, 8) : SQUARE_ROOTS.slice(8);
    const state = roots.map(size === 28 ? (word) => word & mask : high);
    const view = padded(bytes, block, false);
    for (let at = 0; at < view.byteLength; at += block) {
      const w = Array.from({ length: 16 }, (_, i) => (wide ? view.getBigUint64(at + 8 * i) : BigInt(view.getUint32(at + 4 * i))));
      for (let i = 16; i < rounds; i++) w[i] = (w[i - 16] + sigma(0, w[i - 15]) + w[i - 7] + sigma(1, w[i - 2])) & mask;
      let [a, b, c, d, e, f, g, h] = state;
      for (let i = 0; i < rounds; i++) {
        const one = h + sigma(3, e) + ((e & f) ^ (~e & mask & g)) + high(CUBE_ROOTS[i]) + w[i];
        const two = sigma(2, a) + ((a & b) ^ (a & c) ^ (b & c));
        [a, b, c, d, e, f, g, h] = [(one + two) & mask, a, b, c, (d + one) & mask, e, f, g];
      }
      [a, b, c, d, e, f, g, h].forEach((word, i) => (state[i] = (state[i] + word) & mask));
    }
    const text = state.map((word) => word.toString(16).padStart(Number(bits / 4n), "0")).join("");
    return Uint8Array.from(text.match(/../g).slice(0, size), (pair) => parseInt(pair, 16));
  }

  const HASHES = {
    md5: { size: 16, block: 64, of: md5 },
    sha1: { size: 20, block: 64, of: sha1 },
    sha224: { size: 28, block: 64, of: (bytes) => sha2(bytes, 28) },
    sha256: { size: 32, block: 64, of: (bytes) => sha2(bytes, 32) },
    sha384: { size: 48, block: 128, of: (bytes) => sha2(bytes, 48) },
    sha512: { size: 64, block: 128, of: (bytes) => sha2(bytes, 64) },
  };

  function hmac(hash, secret, message) {
    const key = concat(secret.length > hash.block ? hash.of(secret) : secret, new Uint8Array(hash.block)).slice(0, hash.block);
    const inner = hash.of(concat(key.map((byte) => byte ^ 0x36), message));
    return hash.of(concat(key.map((byte) => byte ^ 0x5c), inner));
  }

  // Compares all characters, so that the time it takes does not tell how many of them fit.
  function same(one, other) {
    let difference = one.length ^ other.length;
    for (let i = 0; i < one.length; i++) difference |= one.charCodeAt(i) ^ other.charCodeAt(i);
    return difference === 0;
  }

  // What all schemes share

  const FORM = "application/x-www-form-urlencoded";
  const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
  const CONTROL = /[\0-\x1f\x7f]/;
  const CONTROL_BUT_TAB = /[\0-\x08\x0a-\x1f\x7f]/;

  // Path and query of a target that has the absolute form.
  function originForm(target) {
    const match = /^https?:\/\/[^/?#]*([^]*)$/i.exec(target);
    return match ? (match[1].startsWith("/") ? match[1] : "/" + match[1]) : target;
  }

  function problem(request, target) {
    if (!TOKEN.test(request.method)) return "the method is not a token";
    if (!/^\/[!"$-~]*$/.test(target)) return "the target is not path and query in printable ASCII without #";
    const overridden = ([name]) => lower(name).replaceAll("_", "-") === "x-http-method-override";
    if (request.method.toUpperCase() === "POST" && request.headers.some(overridden)) return "the method is overridden";
    return null;
  }

  const values = (request, name) => request.headers.filter(([key]) => lower(key) === name).map(([, value]) => trim(value));
  const mediaTypes = (request) => values(request, "content-type").map((value) => lower(trim(value.split(";")[0])));

  function withHeaders(headers, changed) {
    const names = changed.map(([name]) => lower(name));
    return [...headers.filter(([name]) => !names.includes(lower(name))), ...changed];
  }

  function dateText(now, milliseconds) {
    const second = Math.floor(now);
    if (!(second >= -62135596800 && second <= 253402300799)) throw cannotSign("no date says this time");
    const text = new Date(second * 1000).toISOString().slice(0, 19);
    const fraction = Math.min(Math.floor(Math.round((now - second) * 1e6) / 1000), 999);
    return text + (milliseconds ? "." + String(fraction).padStart(3, "0") : "") + "Z";
  }

  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  const DAY = String.raw`(\d{4})-(\d\d)-(\d\d)`;
  const TIME = String.raw`(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?`;
  const ZONE = String.raw`(?:Z|([+-])(\d\d)(?::?(\d\d))?)`;
  // Three forms of ISO 8601, whose groups are the same, and RFC 5322's.
  const ISO_8601 = [
    new RegExp(`^${DAY}T${TIME}${ZONE}$`),
    new RegExp(`^${DAY} ${TIME}(?: UTC| ?${ZONE})$`),
    new RegExp(String.raw`^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)${ZONE}$`),
  ];
  const RFC_5322 =
    /^(?:(\w{3}), )?(\d{1,2}) (\w{3}) (\d{4}) (\d\d):(\d\d)(?::(\d\d))? (?:GMT|UTC|([+-])(\d\d)(\d\d))$/;

  // Unix seconds of a date in one of the forms that are read, else null. What is finer than a second is cut off.
  function dateSeconds(text) {
    const iso = ISO_8601.map((form) => form.exec(text)).find((match) => match);
    const match = iso ?? RFC_5322.exec(text);
    if (!match) return null;
    const [weekday, day, monthName, year] = iso ? [undefined, iso[3], undefined, iso[1]] : match.slice(1);
    const month = iso ? iso[2] - 1 : MONTHS.indexOf(monthName);
    const [hour, minute, second = 0, sign, zoneHour = 0, zoneMinute = 0] = match.slice(iso ? 4 : 5);
    // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999; nor Date.parse, which reads much more.
    const date = new Date(0);
    date.setUTCFullYear(+year, month, +day);
    if (+year < 1 || date.getUTCMonth() !== month || date.getUTCDate() !== +day) return null;
    if (+hour > 23 || +minute > 59 || +second > 59 || +zoneHour > 23 || +zoneMinute > 59) return null;
    if (weekday !== undefined && DAYS[date.getUTCDay()] !== weekday) return null;
    const offset = (sign === "-" ? -1 : 1) * (zoneHour * 3600 + zoneMinute * 60);
    return date.getTime() / 1000 + hour * 3600 + minute * 60 + +second - offset;
  }

  const usable = (keys, keyId) => (Object.hasOwn(keys, keyId) ? keys[keyId].filter((secret) => secret.length) : []);

  // HTTP HMAC 1.0: Authorization: <provider> <key id>:base64(HMAC(secret, string to sign))

  const headerHmac = {
    stringToSign(options, request) {
      const found = this.covered(options, request, cannotSign);
      const asEmpty =
        options.multipart_as_empty && request.method.toUpperCase() === "POST" && mediaTypes(request).includes("multipart/form-data");
      const custom = [...new Set(options.signed_headers)]
        .filter((name) => found.has(lower(name)))
        .map((name) => [lower(name), found.get(lower(name))])
        .filter(([, value]) => !(options.drop_blank_headers && (value === "" || value === "0")))
        .map(([name, value]) => `${name}: ${value}`)
        .sort((one, other) => (one < other ? -1 : one > other ? 1 : 0)); // characters of the wire are bytes
      return wireBytes(
        [
          request.method.toUpperCase(),
          hex(md5(asEmpty ? new Uint8Array() : request.body)),
          lower(found.get("content-type")),
          found.get(lower(options.date_header)),
          custom.join("\n"),
          originForm(request.target),
        ].join("\n"),
      );
    },

    signature: (options, secret, string) => base64(hmac(HASHES[options.algorithm], secret, string)),

    // The headers that are signed, by name in lower case, each there once and with a clean value.
    covered(options, request, refused) {
      const names = ["content-type", lower(options.date_header), ...options.signed_headers.map(lower)];
      const folded = names.map((name) => name.replaceAll("_", "-"));
      const found = new Map();
      for (const [given, raw] of request.headers) {
        const name = lower(given);
        if (names.includes(name)) {
          if (found.has(name)) throw refused(`the header ${name} is there twice`);
          const value = trim(raw);
          if (/[^ -~\x80-\xff]/.test(value)) throw refused(`the header ${name} holds a control character`);
          found.set(name, value);
        } else if (folded.includes(name.replaceAll("_", "-"))) {
          throw refused(`the header ${name} would stand in for a signed one`); // CGI gives both one name
        }
      }
      return found;
    },

    sign(options, request, keyId, secret, now) {
      const has = (name) => values(request, name).length > 0;
      const headers = [[options.date_header, dateText(now, options.date_precision === "milliseconds")]];
      if (!has("content-type")) headers.push(["Content-Type", options.content_type]);
      if (options.signed_headers.map(lower).includes("host") && !has("host")) {
        if (!request.origin) throw cannotSign("Host is signed and not known");
        headers.push(["Host", request.origin.split("://")[1]]);
      }
      const string = this.stringToSign(options, { ...request, headers: withHeaders(request.headers, headers) });
      const escaped = toWire(utf8(keyId.replace(/[\\:]/g, "\\$&")));
      headers.push(["Authorization", `${options.provider} ${escaped}:${this.signature(options, secret, string)}`]);
      return { patch: { headers, query: [], form: [] }, target: request.target, body: request.body, string };
    },

    verify(options, request, keys, now) {
      const sent = values(request, "authorization");
      if (!sent.some((value) => value === options.provider || value.startsWith(options.provider + " "))) {
        throw new Refused("missing", "no Authorization of this provider");
      }
      const { keyId, signature } = this.credentials(options, sent);
      const found = this.covered(options, request, malformed);
      const at = dateSeconds(found.get(lower(options.date_header)) ?? "");
      if (at === null) throw malformed("no date in a form that is read");
      if (!found.has("content-type")) throw malformed("no Content-Type");
      const wrong = problem(request, request.target);
      if (wrong || request.method !== request.method.toUpperCase()) throw malformed(wrong ?? "the method is not upper case");
      const age = Math.floor(now) - at;
      if (age > options.window.past) throw new Refused("stale", "too old");
      if (-age > options.window.future) throw new Refused("future", "too far ahead");
      const secrets = usable(keys, keyId);
      if (!secrets.length) throw new Refused("unknown_key", "no secret is known");
      const string = this.stringToSign(options, request);
      if (!secrets.some((secret) => same(this.signature(options, secret, string), signature))) {
        throw new Refused("mismatch", "no secret fits");
      }
      return keyId;
    },

    credentials(options, sent) {
      if (sent.length > 1) throw malformed("Authorization is there twice");
      const size = HASHES[options.algorithm].size;
      const shape = `[A-Za-z0-9+/]{${Math.ceil((size * 4) / 3)}}={${(3 - (size % 3)) % 3}}`;
      const match = new RegExp(`^((?:[^\\\\:]|\\\\[\\\\:])+):(${shape})$`).exec(sent[0].slice(options.provider.length + 1));
      if (!match) throw malformed("Authorization is not provider, key id and signature in its one form");
      let keyId;
      try {
        keyId = fromUtf8(wireBytes(match[1].replace(/\\([^])/g, "$1")), true);
      } catch {
        throw malformed("the key id is not UTF-8");
      }
      if (CONTROL_BUT_TAB.test(keyId)) throw malformed("the key id holds a control character");
      return { keyId, signature: match[2] };
    },
  };

  // Keyed timestamp: sig = hex(hash(key id + secret + seconds)), as a parameter beside the key id; the time is not sent

  // A name or value as the bytes it stands for: + is a space, an escape that is none stays.
  const fieldBytes = (wire) =>
    wireBytes(wire.replaceAll("+", " ").replace(/%([0-9A-Fa-f]{2})/g, (_, digits) => String.fromCharCode(parseInt(digits, 16))));
  const fieldName = (part) => fromUtf8(fieldBytes(part.split("=")[0]), false);
  const fieldValue = (part) => part.slice(part.split("=")[0].length + 1);
  const escaped = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (mark) => "%" + mark.charCodeAt(0).toString(16).toUpperCase());

  // A query or form with pairs set in it: replaced in place or appended, all other bytes as they are.
  function withFields(encoded, pairs) {
    for (const [name, value] of pairs) {
      const parts = encoded.split("&");
      const place = parts.findIndex((part) => fieldName(part) === name);
      if (place >= 0) {
        parts[place] = `${parts[place].split("=")[0]}=${escaped(value)}`;
        encoded = parts.join("&");
      } else {
        encoded += `${encoded === "" || encoded.endsWith("&") ? "" : "&"}${escaped(name)}=${escaped(value)}`;
      }
    }
    return encoded;
  }

  const split = (text, mark) => {
    const at = text.indexOf(mark);
    return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  };

  const keyedTimestamp = {
    secure: (options, request) => options.allow_http || request.origin.toLowerCase().startsWith("https://"),
    accepts: (options, version) => version === options.version || options.versions.includes(version),
    signature: (options, keyId, secret, second) =>
      hex(HASHES[options.algorithm].of(concat(utf8(keyId), secret, utf8(String(second))))),

    // The scheme's own parameters in the query and in the form, as they stand.
    places(options, request, body) {
      const names = [options.key_param, options.sig_param, options.version_param];
      const own = (encoded) => encoded.split("&").filter((part) => part !== "" && names.includes(fieldName(part)));
      const form = mediaTypes(request).includes(FORM) ? toWire(body) : "";
      return [own(split(originForm(request.target), "?")[1]), own(form)];
    },

    sign(options, request, keyId, secret, now) {
      const method = request.method.toUpperCase();
      if (CONTROL.test(keyId)) throw cannotSign("the key id holds a control character");
      if (request.origin && !this.secure(options, request)) throw cannotSign("plain http shows the signature");
      if (!options.methods.includes(method)) throw cannotSign("the method is not signed");
      const isForm = () => method !== "GET" && mediaTypes(request).includes(FORM);
      const patch = { headers: [], query: [], form: [] };
      if (options.placement === "form" && !isForm()) {
        if (values(request, "content-type").length || request.body.length || method === "GET") throw cannotSign("no form");
        patch.headers.push(["Content-Type", FORM]);
        request = { ...request, headers: withHeaders(request.headers, patch.headers) };
      }
      const place = options.placement !== "query" && isForm() ? "form" : "query";
      const [inQuery, inForm] = this.places(options, request, request.body);
      const [here, there] = place === "form" ? [inForm, inQuery] : [inQuery, inForm];
      if (there.length) throw cannotSign("a parameter stands in the other place");
      const names = here.map(fieldName);
      if (new Set(names).size < names.length) throw cannotSign("a parameter is there twice");
      const version = names.indexOf(options.version_param);
      if (version >= 0 && !this.accepts(options, fromUtf8(fieldBytes(fieldValue(here[version])), false))) {
        throw cannotSign("the version is not supported");
      }
      const second = Math.floor(now);
      patch[place].push([options.key_param, keyId], [options.sig_param, this.signature(options, keyId, secret, second)]);
      if (options.version_param !== null && version < 0) patch[place].push([options.version_param, options.version]);
      const [path, query] = split(request.target, "?");
      return {
        patch,
        target: place === "query" ? `${path}?${withFields(query, patch.query)}` : request.target,
        body: place === "form" ? wireBytes(withFields(toWire(request.body), patch.form)) : request.body,
        string: utf8(`${keyId}\0${second}`), // the secret goes where the NUL stands
      };
    },

    verify(options, request, keys, now) {
      // The head first, so that what is wrong with it is found before a body is read.
      let claim = this.claim(options, request, new Uint8Array());
      if (mediaTypes(request).includes(FORM)) claim = this.claim(options, request, request.body);
      if (!claim) throw new Refused("missing", "no signature parameter");
      const secrets = usable(keys, claim.keyId);
      if (!secrets.length) throw new Refused("unknown_key", "no secret is known");
      const second = Math.floor(now);
      for (let at = second - options.window.past; at <= second + options.window.future; at++) {
        for (const secret of secrets) if (same(this.signature(options, claim.keyId, secret, at), claim.signature)) return claim.keyId;
      }
      throw new Refused("mismatch", "no secret fits at any second of the window");
    },

    claim(options, request, body) {
      const [inQuery, inForm] = this.places(options, request, body);
      const sent = [...inQuery, ...inForm];
      if (!sent.some((part) => fieldName(part) === options.sig_param)) return null;
      if (!this.secure(options, request)) throw new Refused("insecure", "not over https");
      const wrong = problem(request, request.target);
      if (wrong || !options.methods.includes(request.method)) throw malformed(wrong ?? "the method is not taken");
      if (inQuery.length && inForm.length) throw malformed("parameters stand in both places");
      const found = new Map();
      for (const part of sent) {
        const name = fieldName(part);
        if (found.has(name)) throw malformed(`the parameter ${name} is there twice`);
        try {
          found.set(name, fromUtf8(fieldBytes(fieldValue(part)), true));
        } catch {
          throw malformed(`the parameter ${name} is not UTF-8`);
        }
      }
      const keyId = found.get(options.key_param) ?? "";
      const signature = found.get(options.sig_param);
      if (!keyId || CONTROL.test(keyId)) throw malformed("the key id is absent, empty or holds a control character");
      if (!/^[0-9a-f]+$/.test(signature) || signature.length !== 2 * HASHES[options.algorithm].size) {
        throw malformed("the signature is not lower-case hex of its length");
      }
      if (options.version_param !== null) {
        if (!found.has(options.version_param)) throw malformed("the version is absent");
        if (!this.accepts(options, found.get(options.version_param))) throw new Refused("unsupported_version", "not served");
      }
      return { keyId, signature };
    },
  };

  const header = {
    provider: "gotom_app_api",
    algorithm: "sha1",
    signed_headers: [],
    drop_blank_headers: false,
    content_type: "application/json",
    date_header: "Date",
    date_precision: "seconds",
    multipart_as_empty: false,
    window: { past: 1800, future: 1800 },
  };
  const parameter = {
    key_param: "api_key",
    sig_param: "sig",
    version_param: "v",
    version: "1.5",
    versions: Array.from({ length: 10 }, (_, minor) => `1.${minor}`),
    algorithm: "md5",
    placement: "auto",
    methods: ["GET", "POST"],
    allow_http: false,
    window: { past: 600, future: 600 },
  };
  const SCHEMES = { gotom: [headerHmac, header], gogrid: [keyedTimestamp, parameter] };

  // What to set on a request so that it is signed, the target and body it then has, and the string that was signed.
  function sign(scheme, options, request, keyId, secret, now) {
    const [kind, defaults] = SCHEMES[scheme];
    if (!keyId || CONTROL_BUT_TAB.test(keyId) || /\p{Surrogate}/u.test(keyId)) throw cannotSign("the key id is empty or no text");
    if (!secret.length) throw cannotSign("the secret is empty");
    const wrong = problem(request, originForm(request.target));
    if (wrong) throw cannotSign(wrong);
    return kind.sign({ ...defaults, ...options }, request, keyId, secret, now);
  }

  // The key id that a request verifies for.
  function verify(scheme, options, request, keys, now) {
    const [kind, defaults] = SCHEMES[scheme];
    return kind.verify({ ...defaults, ...options }, { ...request, target: originForm(request.target) }, keys, now);
  }

  // The conformance protocol

  const unbase64 = (text) => wireBytes(atob(text));
  const bytes = (holder, name) => (holder[name] !== undefined ? utf8(holder[name]) : unbase64(holder[name + "_b64"] ?? ""));
  const text = (name, value) => {
    try {
      return { [name]: fromUtf8(value, true) };
    } catch {
      return { [name + "_b64"]: base64(value) };
    }
  };

  function run({ seq, op, scheme, options, now, key_id: keyId, keys, request: given, ...rest }) {
    const unknown = SCHEMES[scheme] ? Object.keys(options).filter((option) => !(option in SCHEMES[scheme][1])) : ["scheme"];
    if (unknown.length) return { seq, skipped: `there is no ${unknown.join(", ")}` };
    const request = { ...given, origin: given.origin ?? "", body: bytes(given, "body") };
    try {
      if (op === "sign") {
        const { patch, target, body, string } = sign(scheme, options, request, keyId, bytes(rest, "secret"), now);
        const changed = body === request.body ? {} : text("body", body);
        return { seq, patch, target, ...changed, ...text("string_to_sign", string) };
      }
      const secret = (entry) => (typeof entry === "string" ? utf8(entry) : unbase64(entry.secret_b64));
      const known = Object.fromEntries(Object.entries(keys).map(([name, secrets]) => [name, secrets.map(secret)]));
      return { seq, result: "valid", key_id: verify(scheme, options, request, known, now) };
    } catch (error) {
      if (!(error instanceof Refused)) return { seq, error: error.constructor.name };
      return op === "sign" ? { seq, error: "cannot_sign" } : { seq, result: "invalid", reason: error.reason };
    }
  }

  // The answer to one command; null where there is none to give.
  function answer(command) {
    if (command.cmd === "start") {
      const implementation = { name: "port.js", version: "1.0.0", language: "JavaScript" };
      return { implementation, schemes: Object.keys(SCHEMES), ops: ["sign", "verify"] };
    }
    return command.cmd === "run" ? run(command) : null;
  }

  // What a page needs besides that shows the steps: each kind's own methods and defaults, hashes, bytes, HTTP and dates.
  const steps = {
    ...{ SCHEMES, HASHES, hmac, fromUtf8, wireBytes, toWire, hex, base64, unbase64, concat, lower, trim },
    ...{ values, mediaTypes, originForm, withHeaders, problem, fieldBytes, fieldName, fieldValue, escaped, split, dateText, dateSeconds },
  };

  return { sign, verify, answer, utf8, Refused, steps };
})();

if (typeof module === "object" && typeof require === "function") {
  module.exports = Undersign;
  if (require.main === module) {
    const lines = require("node:readline").createInterface({ input: process.stdin });
    lines.on("line", (line) => {
      const command = JSON.parse(line);
      const answer = Undersign.answer(command);
      if (answer) process.stdout.write(JSON.stringify(answer) + "\n");
      if (command.cmd === "stop") lines.close();
    });
  }
}
