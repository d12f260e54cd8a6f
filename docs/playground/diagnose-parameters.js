/*
 * Why a keyed timestamp does not match: what was put together, in which order, and at which second.
 *
 * SPDX-License-Identifier: MIT
 */
const ParameterDiagnosis = (() => {
  "use strict";

  const { steps, utf8, Refused } = Undersign;
  const { SCHEMES, HASHES, hmac, concat, wireBytes, toWire, originForm, dateText } = steps;
  const { change, unexplained, otherSecret, clockCause, withoutRepeats, pairs } = Causes;
  const { missing, repeated, isDated, digestIn, algorithmOf, compareTo } = Causes;
  const { quoted, unquoted, toUtf8 } = Encodings;

  function* causes(options, request, keyId, secret, now) {
    const names = [options.key_param, options.sig_param, options.version_param].filter((name) => name !== null);
    const given = SCHEMES.gogrid[0]
      .places(options, request, request.body)
      .flat()
      .map((part) => [steps.fieldName(part), toWire(steps.fieldBytes(steps.fieldValue(part)))]);
    const form = names.flatMap((name) => {
      const sent = given.filter(([held]) => held === name);
      if (sent.length > 1) return repeated(`parameter ${name}`, sent.length);
      return sent.length && (sent[0][1] || name === options.version_param) ? [] : missing(`parameter ${name}`);
    });
    const found = Object.fromEntries(given);
    const sent = digestIn(found[options.sig_param] ?? "");
    const key = found[options.key_param];
    if (form.some(({ code }) => code === "header-repeated") || !key || !found[options.sig_param]) return form;
    if (!form.length) {
      const refused = refusedOtherwise(options, request);
      if (refused) return unexplained(`The request is refused whatever its signature: ${refused}.`);
    }
    if (!sent) return form.length ? form : unexplained();
    const causes = signatureCauses(options, found[options.sig_param], sent);
    for (const [reading, extra] of [
      [key, []],
      [unquoted(key), [KEY_TWICE]],
    ]) {
      if (extra.length && reading === key) continue;
      const result = yield* searchParameters(options, sent.digest, reading, keyId, secret, now);
      if (result && form.length + causes.length + extra.length + result.length) {
        return [...form, ...causes, ...extra, ...result];
      }
    }
    return form.length ? form : unexplained();
  }

  const KEY_TWICE = {
    code: "key-encoded",
    detail: "The client percent-encoded the key twice: encode it once, and hash it as it is.",
  };

  // What is wrong with the request whatever its signature is.
  function refusedOtherwise(options, request) {
    try {
      SCHEMES.gogrid[0].claim(options, { ...request, target: originForm(request.target) }, request.body);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return /^the (signature|key id)/.test(error.detail) ? null : error.detail;
    }
    return null;
  }

  function signatureCauses(options, written, { digest, encoding }) {
    const causes = [];
    if (encoding !== "hex") {
      causes.push({
        code: "signature-encoding",
        detail: "The client sent the signature in base64: send it in lower-case hex.",
      });
    } else if (written !== digest) {
      causes.push({
        code: "signature-case",
        detail: "The client sent the signature with upper-case letters: send it in lower-case hex.",
      });
    }
    if (algorithmOf(digest) !== options.algorithm) {
      causes.push({
        code: "algorithm",
        detail: `The client sent a digest as long as ${algorithmOf(digest)}'s: hash with plain ${options.algorithm}.`,
      });
    }
    return causes;
  }

  const KEYED_MACS = {
    "key and time": (mac, { key, secret, time }) => mac(secret, key + time),
    "all three": (mac, { key, secret, time }) => mac(secret, key + secret + time),
    time: (mac, { secret, time }) => mac(secret, time),
    "time and key": (mac, { key, secret, time }) => mac(secret, time + key),
    swapped: (mac, { key, secret, time }) => mac(key + time, secret),
  };

  // How far from the clock is searched, in seconds: the more mistakes, and the slower the hash, the less far.
  const FURTHEST = 26 * 3600;
  const WITH_TWO = 15;
  const SLOWLY = 15;
  const QUICK = ["md5", "sha1"];

  function* searchParameters(options, digest, key, keyId, secret, now) {
    const algorithm = algorithmOf(digest);
    const hash = HASHES[algorithm];
    const right = {
      key,
      secret: toWire(secret),
      time: "seconds",
      order: "key secret time",
      between: "",
      end: "",
      mac: "",
    };
    const isWanted = compareTo(digest);
    const mac = (secretBytes, message) => hmac(hash, wireBytes(secretBytes), wireBytes(message));
    const fits = (changed, second) => {
      const parts = { ...right, ...changed };
      return TIMES[parts.time].write(second).some((time) => {
        const named = { key: parts.key, secret: parts.secret, time };
        const message =
          parts.order
            .split(" ")
            .map((part) => named[part])
            .join(parts.between) + parts.end;
        return isWanted(parts.mac ? KEYED_MACS[parts.mac](mac, named) : hash.of(wireBytes(message)));
      });
    };
    const near = function* (changed, reach) {
      const { past, future } = options.window;
      for (const second of outwards(now, Math.min(past, reach), Math.min(future, reach))) {
        yield;
        if (fits(changed, second)) return true;
      }
      return false;
    };
    const quick = QUICK.includes(algorithm);
    if (keyId !== "" && key !== toUtf8(keyId)) return (yield* near({}, Infinity)) ? [otherSecret(keyId)] : null;
    if (yield* near({}, Infinity)) return [];
    const changes = withoutRepeats(keyedChanges(options, right), right);
    for (const { part, value, causes } of changes) {
      const reach = TIMES[value]?.reach ?? (quick ? Infinity : SLOWLY);
      if (yield* near({ [part]: value }, reach)) return causes;
    }
    const before = concat(wireBytes(key), secret);
    const furthest = quick ? FURTHEST : 2 * SLOWLY + Math.max(options.window.past, options.window.future);
    for (const second of outwards(now, furthest, furthest)) {
      yield;
      if (isWanted(hash.of(concat(before, utf8(String(second)))))) return [clockCause(second - now)];
    }
    for (const [one, other] of quick ? pairs(changes) : []) {
      if (yield* near({ [one.part]: one.value, [other.part]: other.value }, WITH_TWO)) {
        return [...one.causes, ...other.causes];
      }
    }
    return null;
  }

  // The seconds around the clock's, the near ones first.
  function* outwards(now, past, future) {
    const second = Math.floor(now);
    yield second;
    for (let far = 1; far <= Math.max(past, future); far++) {
      if (far <= past) yield second - far;
      if (far <= future) yield second + far;
    }
  }

  const day = (second) => (isDated(second) ? dateText(second, false).slice(0, -1) : "");
  const fractions = (digits) => (second) =>
    Array.from({ length: 10 ** digits }, (_, fraction) => `${second}.${String(fraction).padStart(digits, "0")}`);
  const TIMES = {
    seconds: { write: (second) => [`${second}`] },
    "whole milliseconds": { write: (second) => [`${second}000`] },
    milliseconds: {
      write: (second) => Array.from({ length: 1000 }, (_, at) => `${second}${String(at).padStart(3, "0")}`),
      reach: 10,
      lone: true,
    },
    "with decimals": { write: (second) => [`${second}.0`, `${second}.00`, `${second}.000`, `${second}.000000`] },
    "with fractions": {
      write: (second) => [1, 2, 3].flatMap((digits) => fractions(digits)(second)),
      reach: 3,
      lone: true,
    },
    "ISO 8601": { write: (second) => ["Z", "+00:00", "", ".000Z"].map((zone) => day(second) + zone) },
    "date and time": {
      write: (second) => [day(second).replace("T", " "), day(second).replace(/[-:]/g, "") + "Z"],
      lone: true,
    },
    padded: { write: (second) => [11, 12, 13, 14, 16, 20].map((width) => String(second).padStart(width, "0")) },
    hex: { write: (second) => [second.toString(16)], lone: true },
    quoted: { write: (second) => [`"${second}"`], lone: true },
  };

  function* keyedChanges(options, right) {
    for (const [name, { lone }] of Object.entries(TIMES)) {
      if (name.endsWith("milliseconds")) {
        yield change(
          "time",
          name,
          "timestamp-milliseconds",
          "The client hashed the time in milliseconds: hash whole seconds.",
          lone,
        );
      } else if (name !== "seconds") {
        yield change(
          "time",
          name,
          "timestamp-format",
          `The client hashed the time in another form (${name}): hash whole Unix seconds in decimal digits.`,
          lone,
        );
      }
    }
    for (const order of [
      "secret key time",
      "key time secret",
      "secret time key",
      "time key secret",
      "time secret key",
    ]) {
      yield change(
        "order",
        order,
        "concatenation-order",
        `The client hashed ${order.replaceAll(" ", ", ")}: hash key, secret, time, in this order.`,
      );
    }
    for (const between of [":", "-", "|", "\n", " ", "&", ",", "_", "+", ".", "/", ";", "\0"]) {
      yield change(
        "between",
        between,
        "separator",
        "The client hashed key, secret and time with something between them: put nothing between them.",
        !":-|\n &".includes(between),
      );
    }
    for (const end of ["\n", "\r\n"]) {
      yield change(
        "end",
        end,
        "string-trailing-newline",
        "The client signed the string with a newline at its end: end it without one.",
      );
    }
    for (const mac of Object.keys(KEYED_MACS)) {
      yield change(
        "mac",
        mac,
        "algorithm",
        `The client used HMAC-${options.algorithm.toUpperCase()} (${mac}): hash key, secret and time as they are.`,
      );
    }
    yield* Changes.secrets(right.secret);
    for (const value of [quoted(right.key, ""), quoted(right.key, "/"), quoted(right.key, "@:")]) {
      for (const written of [value, value.replace(/%../g, (escape) => escape.toLowerCase())]) {
        yield change(
          "key",
          written,
          "key-encoded",
          "The client hashed the percent-encoded key: hash the key itself, and encode it for the URL alone.",
        );
      }
    }
  }

  return { causes };
})();
