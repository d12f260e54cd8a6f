/*
 * What clients do differently: for each part of what is signed, the other values that they put in its place.
 *
 * SPDX-License-Identifier: MIT
 */
const Changes = (() => {
  "use strict";

  const { hex, base64, unbase64, wireBytes, toWire, lower, trim, values, mediaTypes, dateText, dateSeconds } = Undersign.steps;
  const { change, difference, isDated } = Causes;
  const { decoded, others, toUtf8, quoted, unquoted, unhex } = Encodings;

  function* methods(method) {
    for (const value of [method.toLowerCase(), method[0] + method.slice(1).toLowerCase()]) {
      yield change(
        "method",
        value,
        "method-case",
        "The client signed the method in another case than upper: sign it in upper case.",
      );
    }
  }

  function* contentTypes(request, usual) {
    const sent = values(request, "content-type")[0] ?? "";
    const folded = lower(sent);
    const differs = (value) => difference(folded, value, "content type");
    const titled = folded.replace(/(^|[^a-z])([a-z])/g, (_, before, letter) => before + letter.toUpperCase());
    for (const value of [
      sent,
      sent.toUpperCase(),
      titled,
      folded.replace("utf-8", "UTF-8"),
      folded.replace("json", "JSON"),
    ]) {
      const detail = `The client signed the content type in another case: sign it in lower case (${differs(value)}).`;
      yield change("type", value, "content-type-case", detail);
    }
    const [bare, ...parameters] = folded.split(";").map(trim);
    const others = [
      bare,
      [bare, ...parameters].join(";"),
      [bare, ...parameters].join("; "),
      folded + ";",
      folded.replace(/;+$/, ""),
    ];
    for (const charset of ["utf-8", "iso-8859-1", '"utf-8"', "utf8"]) {
      others.push(`${bare}; charset=${charset}`, `${bare};charset=${charset}`);
    }
    for (const value of bare ? others : []) {
      const detail = `The client signed the content type with other parameters than it sent: sign the header's value as it goes out (${differs(value)}).`;
      yield change("type", value, "content-type-parameters", detail);
    }
    const usualOnes = [
      "application/json",
      usual,
      "",
      values(request, "accept")[0] ?? "",
      "application/json; charset=utf-8",
    ];
    for (const value of [...usualOnes, "application/x-www-form-urlencoded", "text/plain", "application/octet-stream"]) {
      const what =
        value === "" ? "nothing" : value === values(request, "accept")[0] ? "the value of Accept" : "a default";
      yield change(
        "type",
        lower(value),
        "content-type-default",
        `The client signed ${what} instead of the Content-Type header: sign the value that goes out.`,
      );
    }
  }

  // Other bodies; the caller hashes each of them once.
  function* bodies(request) {
    const body = toWire(request.body);
    if (request.method.toUpperCase() === "POST" && mediaTypes(request).includes("multipart/form-data")) {
      yield change(
        "body",
        "",
        "multipart-as-empty",
        "The client signed a multipart upload as if it had no body: sign the bytes that are sent.",
      );
    } else {
      yield change(
        "body",
        "",
        "body-empty",
        "The client signed the request as if it had no body: sign the bytes that are sent.",
      );
    }
    if (!body) return;
    const where = (value) => difference(body, value, "body");
    for (const value of [body + "\n", body + "\r\n", body.replace(/\r?\n$/, ""), body.replace(/[\r\n]+$/, "")]) {
      const what = value.length > body.length ? "with" : "without";
      const detail = `The client signed the body ${what} a newline at its end and sent it otherwise: sign the bytes that are sent (${where(value)}).`;
      yield change("body", value, "body-trailing-newline", detail);
    }
    const unix = body.replaceAll("\r\n", "\n");
    for (const value of [unix, unix.replaceAll("\n", "\r\n"), unix.replaceAll("\n", "\r")]) {
      const detail = `The client signed the body with other line endings than it sent: sign the bytes that are sent (${where(value)}).`;
      yield change("body", value, "body-line-endings", detail);
    }
    for (const value of reserialised(body)) {
      const detail = `The client wrote the JSON twice, once to sign and once to send, with other spacing, key order or escapes: write it once, and sign the bytes that are sent (${where(value)}).`;
      yield change("body", value, "body-reserialised", detail);
    }
    for (const [value, encoding] of others(body)) {
      const detail = `The client signed the body in ${encoding} and sent it otherwise: encode it once, and sign these bytes (${where(value)}).`;
      yield change("body", value, "body-encoding", detail);
    }
  }

  function* reserialised(body) {
    let value;
    try {
      if (!/^\s*[{[]/.test(body) || body.length > 256 * 1024) return;
      value = JSON.parse(decoded(body));
    } catch {
      return;
    }
    for (const [item, colon, indent] of [
      [",", ":", ""],
      [", ", ": ", ""],
      [",", ": ", "  "],
      [",", ": ", "    "],
      [",", ": ", "\t"],
    ]) {
      for (const sorted of [false, true]) {
        const text = json(value, { item, colon, indent, sorted }, "\n");
        for (const written of new Set([
          text,
          text.replace(/[^\0-\x7f]/g, (letter) => "\\u" + letter.charCodeAt(0).toString(16).padStart(4, "0")),
        ])) {
          yield toUtf8(written);
          if (written.includes("/")) yield toUtf8(written.replaceAll("/", "\\/"));
        }
      }
    }
  }

  function json(value, style, line) {
    if (value === null || typeof value !== "object") return JSON.stringify(value);
    const inner = style.indent && line + style.indent;
    const keys = style.sorted ? Object.keys(value).sort() : Object.keys(value);
    const items = Array.isArray(value)
      ? value.map((item) => json(item, style, inner))
      : keys.map((key) => JSON.stringify(key) + style.colon + json(value[key], style, inner));
    const [open, close] = Array.isArray(value) ? "[]" : "{}";
    if (!items.length) return open + close;
    return style.indent ? open + inner + items.join("," + inner) + line + close : open + items.join(style.item) + close;
  }

  function* digestForms(digest) {
    const detail =
      "The client put the body's MD5 into the string in another form than lower-case hex: write it as hex.";
    const raw = unhex(digest);
    for (const value of [base64(wireBytes(raw)), digest.toUpperCase(), raw, base64(wireBytes(digest))]) {
      yield change("digest", value, "body-digest-form", detail);
    }
  }

  const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

  // An instant in whole Unix seconds as RFC 5322 has it, without its zone.
  function mailDate(at) {
    const [, year, month, number, clock] = /^(\d+)-(\d+)-(\d+)T(.*)Z$/.exec(dateText(at, false));
    return `${DAYS[new Date(at * 1000).getUTCDay()]}, ${number} ${MONTHS[month - 1]} ${year} ${clock}`;
  }

  // The date as it was sent, in its own zone, with the T, the spaces and the colon of the zone otherwise.
  function respaced(sent) {
    const match = /^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9:]+)(\.[0-9]+)? ?(.*)$/.exec(sent);
    if (!match) return [];
    const [, day, clock, fraction = "", zone] = match;
    const digits = zone.replace(":", "");
    const colon = digits.length === 5 ? `${digits.slice(0, 3)}:${digits.slice(3)}` : digits;
    return [
      ...[digits, colon].map((other) => `${day}T${clock}${fraction}${other}`),
      ...[digits, colon, ` ${digits}`, ` ${colon}`].map((other) => `${day} ${clock}${fraction}${other}`),
    ];
  }

  // Other writings of an instant in whole Unix seconds.
  function* dates(at, sent) {
    if (!isDated(at)) return;
    const [whole, day, clock] = /^(.*)T(.*)$/.exec(dateText(at, false).slice(0, -1));
    const fraction = /:[0-9]{2}(\.[0-9]+)/.exec(sent)?.[1] ?? "";
    const usual = [...new Set(["", ".000", fraction])].flatMap((part) =>
      ["Z", "+00:00", "+0000", "", "UTC"].map((zone) => whole + part + zone),
    );
    const mail = mailDate(at);
    usual.push(...["GMT", "+0000", "UTC", "-0000"].map((zone) => `${mail} ${zone}`));
    if (mail[5] === "0") usual.push(...["GMT", "+0000"].map((zone) => `${mail.slice(0, 5)}${mail.slice(6)} ${zone}`));
    for (const part of new Set(["", fraction])) {
      usual.push(...["", "Z", "+00:00", " +0000", " UTC", "+00"].map((zone) => `${day} ${clock}${part}${zone}`));
    }
    usual.push(...respaced(sent), `${at}`, `${at}000`, `${whole}.000000Z`, `${whole}.000000+00:00`);
    usual.push(...["Z", "+0000"].map((zone) => whole.replace(/[-:]/g, "") + zone));
    if (clock.endsWith(":00")) usual.push(...["Z", "+00:00"].map((zone) => whole.slice(0, -3) + zone));
    const many = [];
    for (let steps = -48; steps <= 56; steps++) {
      if (!isDated(at + steps * 900)) continue;
      const local = dateText(at + steps * 900, false).slice(0, -1);
      const hours = `${steps < 0 ? "-" : "+"}${String(Math.floor(Math.abs(steps) / 4)).padStart(2, "0")}`;
      const minutes = String((Math.abs(steps) % 4) * 15).padStart(2, "0");
      many.push(`${local}${hours}:${minutes}`, `${local}${hours}${minutes}`, `${local}.000${hours}:${minutes}`);
      many.push(`${local.replace("T", " ")} ${hours}${minutes}`, `${mailDate(at + steps * 900)} ${hours}${minutes}`);
    }
    for (let fraction = 0; fraction < 1000; fraction++) many.push(`${whole}.${String(fraction).padStart(3, "0")}Z`);
    const likely = new Set(usual);
    for (const value of new Set([...usual, ...many])) {
      const detail = `The client signed another writing of the date than it sent: write it once, and sign the header's value (${difference(sent, value, "date")}).`;
      yield change("date", value, "date-differs", detail, !likely.has(value));
    }
  }

  // What is wrong with the value of the header of that name, which is no date that is read.
  function flawOfDate(name, text) {
    const remedy = "write it as YYYY-MM-DDThh:mm:ssZ";
    if (["Z", " GMT"].some((zone) => dateSeconds(text + zone) !== null)) {
      return `The ${name} header names no zone: ${remedy}.`;
    }
    return `The ${name} header is not a date in a form that is read: ${remedy}.`;
  }

  function* endings() {
    for (const [value, what] of [
      ["\r\n", "CRLF"],
      ["\\n", "a backslash and an n"],
      ["\r", "CR"],
    ]) {
      yield change(
        "join",
        value,
        "line-endings",
        `The client put ${what} between the lines of the string to sign: put one LF.`,
      );
    }
    for (const value of ["\n", "\r\n"]) {
      yield change(
        "end",
        value,
        "string-trailing-newline",
        "The client signed the string with a newline at its end: end it without one.",
      );
    }
  }

  // Other secrets that come of this one.
  function* secrets(secret) {
    const [noBreak, mark, zeroWidth] = ["\xc2\xa0", "\xef\xbb\xbf", "\xe2\x80\x8b"];
    const around = [
      ["", "\n"],
      ["", "\r\n"],
      ["", " "],
      [" ", ""],
      ["", noBreak],
      [mark, ""],
      [noBreak, ""],
      ["", "\t"],
      ["", zeroWidth],
      ["\n", ""],
      [" ", " "],
    ];
    for (const [before, behind] of around) {
      yield change(
        "secret",
        before + secret + behind,
        "secret-whitespace",
        "The client signed with a secret that has white space (or a byte order mark) around it: strip it.",
      );
    }
    const bare = [/^[ \t\r\n]+|[ \t\r\n]+$/g, /[\r\n]+$/, /^[ \t\r\n]+/, /[ \t\r\n]+$/, /^\xef\xbb\xbf/];
    for (const pattern of bare) {
      yield change(
        "secret",
        secret.replace(pattern, ""),
        "secret-whitespace",
        "The secret that is typed here has white space around it and the client signed without: store it as is.",
      );
    }
    const should = "take the secret as text in UTF-8, as it was given out.";
    const encoding = (value, what) =>
      change("secret", value, "secret-encoding", `The client ${what} before it signed: ${should}`);
    const plain = secret.replace(/-/g, "+").replace(/_/g, "/").replace(/=+$/, "");
    if (/^[A-Za-z0-9+/]{4,}$/.test(plain) && plain.length % 4 !== 1) {
      yield encoding(toWire(unbase64(plain)), "decoded the secret from base64");
    }
    if (/^([0-9A-Fa-f]{2})+$/.test(secret)) yield encoding(unhex(secret), "decoded the secret from hex");
    const coded = base64(wireBytes(secret));
    for (const value of [coded, coded.replace(/\+/g, "-").replace(/\//g, "_"), coded.replace(/=+$/, "")]) {
      yield encoding(value, "encoded the secret in base64");
    }
    for (const value of [hex(wireBytes(secret)), hex(wireBytes(secret)).toUpperCase()]) {
      yield encoding(value, "encoded the secret in hex");
    }
    for (const value of [quoted(secret, ""), unquoted(secret)]) {
      yield encoding(value, "percent-encoded or decoded the secret");
    }
    for (const [value, name] of others(secret)) yield encoding(value, `took the secret in ${name}`);
    const text = decoded(secret);
    if (text !== null) {
      yield encoding(text.replace(/[^\0-\x7f]/gu, "?"), "put ? for the secret's letters that are not ASCII");
    }
  }

  return { methods, contentTypes, bodies, digestForms, dates, flawOfDate, endings, secrets };
})();
