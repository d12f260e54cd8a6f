/*
 * What a diagnosis consists of: causes and their order, changes, and the search for one or two of them.
 *
 * A cause is {code, detail}: a code of the documentation's list and a sentence that holds neither a secret nor a
 * signature. A change is {part, value, causes, lone}: the wire string `value` stands where the right one would. One that
 * is `lone` is one of very many, and is tried without another beside it.
 *
 * SPDX-License-Identifier: MIT
 */
const Causes = (() => {
  "use strict";

  const { HASHES, hex, base64, unbase64, wireBytes, toWire, lower } = Undersign.steps;
  const { unhex, unquoted } = Encodings;

  // In this order: where two names fit one mistake, the earlier one is given.
  const CODES = [
    ...[
      "header-missing",
      "header-repeated",
      "clock-skew",
      "timezone",
      "date-differs",
      "method-case",
      "content-type-case",
    ],
    ...[
      "content-type-parameters",
      "content-type-default",
      "body-trailing-newline",
      "body-line-endings",
      "body-reserialised",
    ],
    ...[
      "body-empty",
      "body-encoding",
      "body-digest-form",
      "target-no-query",
      "target-absolute",
      "target-no-path-prefix",
    ],
    ...["target-decoded", "target-reencoded", "target-fragment", "target-query-order", "custom-headers-line"],
    ...["string-trailing-newline", "line-endings", "timestamp-milliseconds", "timestamp-format", "concatenation-order"],
    ...[
      "separator",
      "signature-case",
      "signature-encoding",
      "algorithm",
      "secret-whitespace",
      "secret-encoding",
      "secret-other",
    ],
    ...["key-encoded", "user-escaping", "provider", "multipart-as-empty", "unexplained"],
  ];
  const rank = ({ code }) => CODES.indexOf(code);
  const inOrder = (causes) => [...causes].sort((one, other) => rank(one) - rank(other));

  const change = (part, value, code, detail, lone = false) => ({ part, value, causes: [{ code, detail }], lone });

  // Where two spellings of a part of the request part ways.
  function difference(sent, signed, part) {
    let place = 0;
    while (place < sent.length && sent[place] === signed[place]) place++;
    const at = (value) => (place < value.length ? "0x" + hex(wireBytes(value[place])) : "past the end");
    return `${part} byte ${place} is ${at(sent)} as sent and ${at(signed)} as signed`;
  }

  const unexplained = (detail) => [
    {
      code: "unexplained",
      detail: detail ?? "No known mistake gives the signature that was sent: compare the strings to sign line by line.",
    },
  ];
  const missing = (what) => ({
    code: "header-missing",
    detail: `The client sent no ${what}: send it, and sign it as it is sent.`,
  });
  const repeated = (what, times) => ({
    code: "header-repeated",
    detail: `The client sent the ${what} ${times} times: send it once.`,
  });
  const otherSecret = (keyId) => ({
    code: "secret-other",
    detail: `The client signed with the secret of the key ${keyId}: sign with the secret of the key that the request names, or name the other key.`,
  });

  // What is wrong with a client whose time lies so many seconds ahead of the clock (negative: behind).
  function clockCause(ahead) {
    const quarters = Math.round(ahead / 900);
    const side = ahead > 0 ? "ahead of" : "behind";
    if (quarters && quarters >= -48 && quarters <= 56 && Math.abs(ahead - quarters * 900) <= 120) {
      const far = `${Math.floor(Math.abs(quarters) / 4)}:${String((Math.abs(quarters) % 4) * 15).padStart(2, "0")}`;
      const detail = `The client's time is ${far} hours ${side} the clock, as local time that is sent as UTC: take the time in UTC.`;
      return { code: "timezone", detail };
    }
    const detail = `The client's time is ${Math.abs(ahead).toFixed(0)} seconds ${side} the clock, which is outside the window: set its clock, by NTP, and sign right before sending.`;
    return { code: "clock-skew", detail };
  }

  // Whether a date can say this second: those of the years 1 to 9999.
  const isDated = (second) => second >= -62135596800 && second <= 253402300799;

  const outside = ({ past, future }, age) => age > past || -age > future;

  // The changes that change something, one for each value, in the order of their names.
  function withoutRepeats(changes, right) {
    const found = new Map();
    for (const one of [...changes].sort((first, second) => rank(first.causes[0]) - rank(second.causes[0]))) {
      const key = `${one.part} ${one.value}`;
      if (one.value !== right[one.part] && !found.has(key) && !(one.part === "secret" && one.value === "")) {
        found.set(key, one);
      }
    }
    return [...found.values()];
  }

  // The causes of the first change, or pair of changes, that fits: none, one, two; null where nothing does.
  function* find(changes, fits) {
    if (fits({})) return [];
    for (const { part, value, causes } of [...changes].sort((one, other) => one.lone - other.lone)) {
      yield;
      if (fits({ [part]: value })) return causes;
    }
    for (const [one, other] of pairs(changes)) {
      yield;
      if (fits({ [one.part]: one.value, [other.part]: other.value })) return [...one.causes, ...other.causes];
    }
    return null;
  }

  function* pairs(changes) {
    const single = changes.filter(({ lone }) => !lone);
    for (let later = 1; later < single.length; later++) {
      for (let earlier = 0; earlier < later; earlier++) {
        if (single[earlier].part !== single[later].part) yield [single[earlier], single[later]];
      }
    }
  }

  // A digest in whatever encoding it was sent, as lower-case hex, with how it was encoded; null where it is none.
  function digestIn(sent) {
    const known = (length) => Object.values(HASHES).some(({ size }) => size === length);
    if (/^([0-9A-Fa-f]{2})+$/.test(sent) && known(sent.length / 2)) return { digest: lower(sent), encoding: "hex" };
    const written = unquoted(sent).replace(/ /g, "+");
    const plain = written.replace(/-/g, "+").replace(/_/g, "/").replace(/=+$/, "");
    if (!/^[A-Za-z0-9+/]+$/.test(plain) || plain.length % 4 === 1) return null;
    const raw = unbase64(plain);
    const inner = toWire(raw).trim();
    if (/^([0-9A-Fa-f]{2})+$/.test(inner) && known(inner.length / 2)) {
      return { digest: lower(inner), encoding: "base64 of hex" };
    }
    if (!known(raw.length)) return null;
    const right = base64(raw);
    const encoding =
      sent === right
        ? "base64"
        : written === right
          ? "percent-encoded base64"
          : /[-_]/.test(written)
            ? "url-safe base64"
            : "base64 with other padding";
    return { digest: hex(raw), encoding };
  }

  const algorithmOf = (digest) => Object.keys(HASHES).find((name) => HASHES[name].size * 2 === digest.length);

  // Whether bytes are those of a digest in hex; quick where they are not.
  function compareTo(digest) {
    const wanted = wireBytes(unhex(digest));
    return (bytes) => bytes.every((byte, at) => byte === wanted[at]);
  }

  return {
    CODES,
    inOrder,
    change,
    difference,
    unexplained,
    missing,
    repeated,
    otherSecret,
    clockCause,
    isDated,
    outside,
    withoutRepeats,
    find,
    pairs,
    digestIn,
    algorithmOf,
    compareTo,
  };
})();
