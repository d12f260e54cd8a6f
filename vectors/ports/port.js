/*
 * Signs and verifies HTTP requests: HTTP HMAC 1.0 (goTom) and keyed timestamps (GoGrid).
 *
 * For Node and for browsers, also from file://. Needs hashes.js beside it, nothing else.
 *
 *     <script src="hashes.js"></script>
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

  const { HASHES, hmac, concat } = typeof module === "object" ? require("./hashes.js") : Hashes;

  class Refused extends Error {
    constructor(reason, detail) {
      super(`${reason}: ${detail}`);
      Object.assign(this, { reason, detail });
    }
  }

  const refuseIf = (wrong, reason, detail) => {
    if (wrong) throw new Refused(reason, detail);
  };

  // Bytes and text. A "wire" string has one character from U+0000 to U+00FF for each byte.

  const utf8 = (text) => {
    if (/\p{Surrogate}/u.test(text)) throw new TypeError("a lone surrogate is not text");
    return new TextEncoder().encode(text);
  };
  // Null where the bytes are no UTF-8.
  const fromUtf8 = (bytes) => {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return null;
    }
  };
  const wireBytes = (wire) => Uint8Array.from(wire, (character) => character.charCodeAt(0));
  const toWire = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const base64 = (bytes) => btoa(toWire(bytes));
  const lower = (wire) => wire.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()); // ASCII alone, as the server folds
  const hyphens = (name) => name.replaceAll("_", "-");
  const trim = (value) => value.replace(/^[ \t]+|[ \t]+$/g, "");
  const split = (text, mark) => {
    const [before, ...rest] = text.split(mark);
    return [before, rest.join(mark)];
  };

  // Compares all characters, so that the time it takes does not tell how many of them fit.
  function same(one, other) {
    let difference = one.length ^ other.length;
    for (let i = 0; i < one.length; i++) difference |= one.charCodeAt(i) ^ other.charCodeAt(i);
    return difference === 0;
  }

  // What all schemes share

  const FORM = "application/x-www-form-urlencoded";
  const OVERRIDES = ["x-http-method-override", "x-http-method", "x-method-override"];
  const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
  const CONTROL = /[\0-\x1f\x7f]/;
  const CONTROL_BUT_TAB = /[\0-\x08\x0a-\x1f\x7f]/;

  // Path and query of a target that has the absolute form.
  function originForm(target) {
    const match = /^https?:\/\/[^/?#]*([^]*)$/i.exec(target);
    return match ? (match[1].startsWith("/") ? match[1] : "/" + match[1]) : target;
  }

  // What no scheme signs or takes.
  function check(request, target, reason) {
    refuseIf(!TOKEN.test(request.method), reason, "the method is not a token");
    refuseIf(!/^\/[!"$-~]*$/.test(target), reason, "the target is not path and query in printable ASCII without #");
    const overridden = request.headers.some(([name]) => OVERRIDES.includes(hyphens(lower(name))));
    refuseIf(overridden && request.method.toUpperCase() === "POST", reason, "the method is overridden");
  }

  const values = (request, name) => request.headers.filter(([key]) => lower(key) === name).map(([, value]) => trim(value));
  const mediaType = (value) => lower(trim(split(value, ";")[0]));
  const hasMediaType = (request, type) => values(request, "content-type").some((value) => mediaType(value) === type);

  function withHeaders(request, changed) {
    const names = changed.map(([name]) => lower(name));
    return { ...request, headers: [...request.headers.filter(([name]) => !names.includes(lower(name))), ...changed] };
  }

  function dateText(now, milliseconds) {
    const second = Math.floor(now);
    refuseIf(!(second >= -62135596800 && second <= 253402300799), "cannot_sign", "no date says this time");
    const text = new Date(second * 1000).toISOString().slice(0, 19);
    const fraction = Math.min(Math.floor(Math.round((now - second) * 1e6) / 1000), 999);
    return text + (milliseconds ? "." + String(fraction).padStart(3, "0") : "") + "Z";
  }

  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  const DAY = String.raw`(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)`;
  const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:\.\d+)?)?`;
  const ZONE = String.raw`(?:Z|(?<sign>[+-])(?<zoneHour>\d\d)(?::?(?<zoneMinute>\d\d))?)`;
  const DATES = [
    `${DAY}T${TIME}${ZONE}`,
    `${DAY} ${TIME}(?: UTC| ?${ZONE})`,
    String.raw`(?<year>\d{4})(?<month>\d\d)(?<day>\d\d)T(?<hour>\d\d)(?<minute>\d\d)(?<second>\d\d)${ZONE}`,
    // RFC 5322
    String.raw`(?:(?<weekday>\w{3}), )?(?<day>\d{1,2}) (?<monthName>\w{3}) (?<year>\d{4}) ` +
      String.raw`(?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d))? ` +
      String.raw`(?:GMT|UTC|(?<sign>[+-])(?<zoneHour>\d\d)(?<zoneMinute>\d\d))`,
  ].map((form) => new RegExp(`^${form}$`));

  // Unix seconds of a date in one of the forms that are read, else null. What is finer than a second is cut off.
  function dateSeconds(text) {
    const found = DATES.map((form) => form.exec(text)).find(Boolean)?.groups;
    if (!found) return null;
    const number = (name) => Number(found[name] ?? 0);
    const [hour, minute, second, zoneHour, zoneMinute] = ["hour", "minute", "second", "zoneHour", "zoneMinute"].map(number);
    const month = found.monthName ? MONTHS.indexOf(found.monthName) : number("month") - 1;
    // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999; nor Date.parse, which reads much more.
    const date = new Date(0);
    date.setUTCFullYear(number("year"), month, number("day"));
    if (number("year") < 1 || date.getUTCMonth() !== month || date.getUTCDate() !== number("day")) return null;
    if (hour > 23 || minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59) return null;
    if (found.weekday && DAYS[date.getUTCDay()] !== found.weekday) return null;
    const offset = (found.sign === "-" ? -1 : 1) * (zoneHour * 3600 + zoneMinute * 60);
    return date.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset;
  }

  // One that is empty is none.
  function secretsOf(keys, keyId) {
    const secrets = Object.hasOwn(keys, keyId) ? keys[keyId].filter((secret) => secret.length) : [];
    refuseIf(!secrets.length, "unknown_key", "no secret is known");
    return secrets;
  }

  // HTTP HMAC 1.0: Authorization: <provider> <key id>:base64(HMAC(secret, string to sign))
  class HeaderHmac {
    static DEFAULTS = {
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

    constructor(options) {
      Object.assign(this, HeaderHmac.DEFAULTS, options);
    }

    stringToSign(request) {
      const found = this.covered(request, "cannot_sign");
      const method = request.method.toUpperCase();
      const asEmpty = this.multipart_as_empty && method === "POST" && hasMediaType(request, "multipart/form-data");
      const custom = [...new Set(this.signed_headers)]
        .map((name) => [lower(name), found.get(lower(name))])
        .filter(([, value]) => value !== undefined && !(this.drop_blank_headers && ["", "0"].includes(value)))
        .map(([name, value]) => `${name}: ${value}`)
        .sort(); // whole lines: characters of the wire are bytes
      const lines = [
        method,
        hex(HASHES.md5.of(asEmpty ? [] : request.body)),
        lower(found.get("content-type")),
        found.get(lower(this.date_header)),
        custom.join("\n"),
        originForm(request.target),
      ];
      return wireBytes(lines.join("\n"));
    }

    signature(secret, string) {
      return base64(hmac(HASHES[this.algorithm], secret, string));
    }

    // The headers that are signed, by name in lower case, each there once and with a clean value.
    covered(request, reason) {
      const names = ["content-type", lower(this.date_header), ...this.signed_headers.map(lower)];
      const folded = names.map(hyphens);
      const found = new Map();
      for (const [name, value] of request.headers.map(([given, raw]) => [lower(given), trim(raw)])) {
        if (names.includes(name)) {
          refuseIf(found.has(name), reason, `the header ${name} is there twice`);
          refuseIf(/[^ -~\x80-\xff]/.test(value), reason, `the header ${name} holds a control character`);
          found.set(name, value);
        } else {
          // CGI gives both one name.
          refuseIf(folded.includes(hyphens(name)), reason, `the header ${name} would stand in for a signed one`);
        }
      }
      return found;
    }

    sign(request, keyId, secret, now) {
      const lacks = (name) => values(request, name).length === 0;
      const headers = [[this.date_header, dateText(now, this.date_precision === "milliseconds")]];
      if (lacks("content-type")) headers.push(["Content-Type", this.content_type]);
      if (this.signed_headers.map(lower).includes("host") && lacks("host")) {
        refuseIf(!request.origin, "cannot_sign", "Host is signed and not known");
        headers.push(["Host", split(request.origin, "://")[1]]);
      }
      const string = this.stringToSign(withHeaders(request, headers));
      const escaped = toWire(utf8(keyId.replace(/[\\:]/g, "\\$&")));
      headers.push(["Authorization", `${this.provider} ${escaped}:${this.signature(secret, string)}`]);
      return { patch: { headers, query: [], form: [] }, target: request.target, body: request.body, string };
    }

    verify(request, keys, now) {
      const { keyId, signature } = this.credentials(request);
      const found = this.covered(request, "malformed");
      const at = dateSeconds(found.get(lower(this.date_header)) ?? "");
      refuseIf(at === null, "malformed", "no date in a form that is read");
      refuseIf(!found.has("content-type"), "malformed", "no Content-Type");
      check(request, request.target, "malformed");
      refuseIf(request.method !== request.method.toUpperCase(), "malformed", "the method is not upper case");
      const age = Math.floor(now) - at;
      refuseIf(age > this.window.past, "stale", "too old");
      refuseIf(-age > this.window.future, "future", "too far ahead");
      const secrets = secretsOf(keys, keyId);
      const string = this.stringToSign(request);
      const fits = secrets.some((secret) => same(this.signature(secret, string), signature));
      refuseIf(!fits, "mismatch", "no secret fits");
      return keyId;
    }

    credentials(request) {
      const sent = values(request, "authorization");
      const claimed = sent.some((value) => `${value} `.startsWith(`${this.provider} `));
      refuseIf(!claimed, "missing", "no Authorization of this provider");
      const size = HASHES[this.algorithm].size;
      const shape = `[A-Za-z0-9+/]{${Math.ceil((size * 4) / 3)}}={${(3 - (size % 3)) % 3}}`;
      const match = new RegExp(`^((?:[^\\\\:]|\\\\[\\\\:])+):(${shape})$`).exec(sent[0].slice(this.provider.length + 1));
      refuseIf(sent.length > 1 || !match, "malformed", "Authorization is not there once in its one form");
      const keyId = fromUtf8(wireBytes(match[1].replace(/\\([^])/g, "$1")));
      const bad = keyId === null || CONTROL_BUT_TAB.test(keyId);
      refuseIf(bad, "malformed", "the key id is not UTF-8 or holds a control character");
      return { keyId, signature: match[2] };
    }
  }

  // A name or value of a query or form as text, null where it is no UTF-8: + is a space, an escape that is none stays.
  const unescaped = (wire) => {
    const byte = (_, digits) => String.fromCharCode(parseInt(digits, 16));
    return fromUtf8(wireBytes(wire.replaceAll("+", " ").replace(/%([0-9A-Fa-f]{2})/g, byte)));
  };
  const escaped = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${hex(utf8(mark)).toUpperCase()}`);

  // The parameters of these names, decoded. Not URLSearchParams, which puts replacement characters for what is no UTF-8.
  function fields(encoded, names) {
    const pairs = encoded.split("&").map((part) => split(part, "=").map(unescaped));
    return pairs.filter(([name]) => name !== null && names.includes(name));
  }

  // A query or form with pairs set in it: replaced in place or appended, all other bytes as they are.
  function withFields(encoded, pairs) {
    for (const [name, value] of pairs) {
      const parts = encoded.split("&");
      const names = parts.map((part) => split(part, "=")[0]);
      const place = names.map(unescaped).indexOf(name);
      if (place >= 0) {
        parts[place] = `${names[place]}=${escaped(value)}`;
        encoded = parts.join("&");
      } else {
        encoded += `${encoded === "" || encoded.endsWith("&") ? "" : "&"}${escaped(name)}=${escaped(value)}`;
      }
    }
    return encoded;
  }

  // Keyed timestamp: sig = hex(hash(key id + secret + seconds)), a parameter beside the key id; the time is not sent.
  class KeyedTimestamp {
    static DEFAULTS = {
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

    constructor(options) {
      Object.assign(this, KeyedTimestamp.DEFAULTS, options);
    }

    secure(request) {
      return this.allow_http || request.origin.toLowerCase().startsWith("https://");
    }

    accepts(version) {
      return version === this.version || this.versions.includes(version);
    }

    signature(keyId, secret, second) {
      return hex(HASHES[this.algorithm].of(concat(utf8(keyId), secret, utf8(String(second)))));
    }

    // The scheme's own parameters in the query and in the form.
    places(request, body) {
      const names = [this.key_param, this.sig_param, this.version_param];
      const query = split(originForm(request.target), "?")[1];
      return [fields(query, names), hasMediaType(request, FORM) ? fields(toWire(body), names) : []];
    }

    sign(request, keyId, secret, now) {
      const refuse = (wrong, detail) => refuseIf(wrong, "cannot_sign", detail);
      const method = request.method.toUpperCase();
      refuse(CONTROL.test(keyId), "the key id holds a control character");
      refuse(request.origin && !this.secure(request), "plain http shows the signature");
      refuse(!this.methods.includes(method), "the method is not signed");
      const isForm = () => method !== "GET" && hasMediaType(request, FORM);
      const patch = { headers: [], query: [], form: [] };
      if (this.placement === "form" && !isForm()) {
        const isOther = values(request, "content-type").length || request.body.length || method === "GET";
        refuse(isOther, "the request is no form");
        patch.headers.push(["Content-Type", FORM]);
        request = withHeaders(request, patch.headers);
      }
      const place = this.placement !== "query" && isForm() ? "form" : "query";
      const [query, form] = this.places(request, request.body);
      const [here, there] = place === "form" ? [form, query] : [query, form];
      const found = new Map(here);
      refuse(there.length || found.size < here.length, "a parameter stands in the other place, or is there twice");
      const hasVersion = found.has(this.version_param);
      refuse(hasVersion && !this.accepts(found.get(this.version_param)), "the version is not supported");
      const second = Math.floor(now);
      const pairs = patch[place];
      pairs.push([this.key_param, keyId], [this.sig_param, this.signature(keyId, secret, second)]);
      if (this.version_param !== null && !hasVersion) pairs.push([this.version_param, this.version]);
      const string = utf8(`${keyId}\0${second}`); // the secret goes where the NUL stands
      if (place === "form") {
        return { patch, target: request.target, body: wireBytes(withFields(toWire(request.body), pairs)), string };
      }
      const [path, encoded] = split(request.target, "?");
      return { patch, target: `${path}?${withFields(encoded, pairs)}`, body: request.body, string };
    }

    verify(request, keys, now) {
      // The head first, so that what is wrong with it is found before a body is read.
      let claim = this.claim(request, []);
      if (hasMediaType(request, FORM)) claim = this.claim(request, request.body);
      refuseIf(!claim, "missing", "no signature parameter");
      const secrets = secretsOf(keys, claim.keyId);
      const second = Math.floor(now);
      for (let at = second - this.window.past; at <= second + this.window.future; at++) {
        const fits = secrets.some((secret) => same(this.signature(claim.keyId, secret, at), claim.signature));
        if (fits) return claim.keyId;
      }
      throw new Refused("mismatch", "no secret fits at any second of the window");
    }

    // Key id and signature; null where there is no signature.
    claim(request, body) {
      const [query, form] = this.places(request, body);
      const sent = [...query, ...form];
      const found = new Map(sent);
      if (!found.has(this.sig_param)) return null;
      refuseIf(!this.secure(request), "insecure", "not over https");
      check(request, request.target, "malformed");
      const refuse = (wrong, detail) => refuseIf(wrong, "malformed", detail);
      refuse(!this.methods.includes(request.method), "the method is not taken");
      refuse(query.length && form.length, "parameters stand in both places");
      refuse(found.size < sent.length, "a parameter is there twice");
      refuse([...found.values()].includes(null), "a parameter is not UTF-8");
      const keyId = found.get(this.key_param) ?? "";
      const signature = found.get(this.sig_param);
      refuse(!keyId || CONTROL.test(keyId), "the key id is absent, empty or holds a control character");
      const isHex = /^[0-9a-f]+$/.test(signature) && signature.length === 2 * HASHES[this.algorithm].size;
      refuse(!isHex, "the signature is not lower-case hex of its length");
      if (this.version_param !== null) {
        refuse(!found.has(this.version_param), "the version is absent");
        refuseIf(!this.accepts(found.get(this.version_param)), "unsupported_version", "not served");
      }
      return { keyId, signature };
    }
  }

  const SCHEMES = { gotom: HeaderHmac, gogrid: KeyedTimestamp };

  // What to set on a request so that it is signed, the target and body it then has, and the string that was signed.
  function sign(scheme, options, request, keyId, secret, now) {
    const bad = !keyId || CONTROL_BUT_TAB.test(keyId) || /\p{Surrogate}/u.test(keyId);
    refuseIf(bad || !secret.length, "cannot_sign", "the key id or the secret is empty, or the key id is no clean text");
    check(request, originForm(request.target), "cannot_sign");
    return new SCHEMES[scheme](options).sign(request, keyId, secret, now);
  }

  // The key id that a request verifies for.
  function verify(scheme, options, request, keys, now) {
    return new SCHEMES[scheme](options).verify({ ...request, target: originForm(request.target) }, keys, now);
  }

  // The conformance protocol

  const unbase64 = (text) => wireBytes(atob(text));
  const bytes = (holder, name) => (holder[name] !== undefined ? utf8(holder[name]) : unbase64(holder[name + "_b64"] ?? ""));
  const text = (name, value) => {
    const decoded = fromUtf8(value);
    return decoded === null ? { [name + "_b64"]: base64(value) } : { [name]: decoded };
  };

  function run({ seq, op, scheme, options, now, key_id: keyId, keys, request: given, ...rest }) {
    const known = SCHEMES[scheme]?.DEFAULTS;
    const unknown = known ? Object.keys(options).filter((option) => !(option in known)) : ["scheme"];
    if (unknown.length) return { seq, skipped: `there is no ${unknown.join(", ")}` };
    const request = { ...given, origin: given.origin ?? "", body: bytes(given, "body") };
    try {
      if (op === "sign") {
        const { patch, target, body, string } = sign(scheme, options, request, keyId, bytes(rest, "secret"), now);
        const changed = body === request.body ? {} : text("body", body);
        return { seq, patch, target, ...changed, ...text("string_to_sign", string) };
      }
      const secret = (entry) => bytes(typeof entry === "string" ? { secret: entry } : entry, "secret");
      const decoded = Object.fromEntries(Object.entries(keys).map(([name, secrets]) => [name, secrets.map(secret)]));
      return { seq, result: "valid", key_id: verify(scheme, options, request, decoded, now) };
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

  return { sign, verify, answer, utf8, Refused };
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
