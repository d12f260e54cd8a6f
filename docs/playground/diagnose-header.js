/*
 * Why an Authorization header of HTTP HMAC does not match: the canonical form, line by line, with what clients put there.
 *
 * SPDX-License-Identifier: MIT
 */
const HeaderDiagnosis = (() => {
  "use strict";

  const { steps, Refused } = Undersign;
  const {
    SCHEMES,
    HASHES,
    hmac,
    hex,
    concat,
    wireBytes,
    toWire,
    fromUtf8,
    lower,
    values,
    originForm,
    flaw,
    dateSeconds,
  } = steps;
  const { change, difference, unexplained, otherSecret, clockCause, outside, withoutRepeats, find } = Causes;
  const { missing, repeated, digestIn, algorithmOf, compareTo } = Causes;
  const { unquoted, toUtf8 } = Encodings;

  function* causes(options, request, keyId, secret, now) {
    const form = headerForm(options, request);
    const date = values(request, lower(options.date_header))[0];
    const authorization = values(request, "authorization")[0];
    if (form.some(({ code }) => code === "header-repeated") || !date || !authorization) return form;
    const at = dateSeconds(date);
    if (at === null) {
      return form.length ? form : unexplained(Changes.flawOfDate(options.date_header, date));
    }

    const { mended, causes: mending } = mend(request);
    const wrong = flaw(mended, originForm(mended.target));
    if (wrong) return form.length ? form : unexplained(`The request is refused whatever its signature: ${wrong}.`);
    if (outside(options.window, Math.floor(now) - at)) mending.push(clockCause(at - now));

    const typed = values(request, "content-type").length > 0;
    const guesses = typed
      ? [null]
      : [...new Set([options.content_type, "application/json", "", ...values(request, "accept")])];
    for (const guess of guesses) {
      const base = typed ? mended : { ...mended, headers: [...mended.headers, ["Content-Type", guess]] };
      for (const sent of readings(options, authorization, keyId)) {
        const found = yield* searchHeader(options, base, sent, keyId, secret, typed);
        if (found && form.length + mending.length + sent.causes.length + found.length) {
          return [...form, ...mending, ...sent.causes, ...found];
        }
      }
    }
    if (form.length) return form;
    const far =
      outside(options.window, Math.floor(now) - at) && ` The ${options.date_header} header is also outside the window.`;
    return far ? unexplained(`No known mistake gives the signature that was sent.${far}`) : unexplained();
  }

  // Headers that are missing or repeated, which needs no signature to be sure of.
  function headerForm(options, request) {
    const needed = ["Authorization", options.date_header, "Content-Type"];
    return [...new Set([...needed, ...options.signed_headers])].flatMap((name) => {
      const sent = values(request, lower(name));
      if (sent.length > 1) return repeated(`header ${name}`, sent.length);
      const absent = !sent.length || (name === options.date_header && ["", "0"].includes(sent[0]));
      return needed.includes(name) && absent ? missing(`header ${name}`) : [];
    });
  }

  // The request with a method and a target as they should be, and what was wrong with them.
  function mend(request) {
    const causes = [];
    if (request.method !== request.method.toUpperCase()) {
      causes.push({
        code: "method-case",
        detail: "The client sent the method in another case than upper: send and sign it in upper case.",
      });
    }
    const [target] = request.target.split("#");
    if (target !== request.target) {
      const detail = `The client sent a fragment, which begins at target byte ${target.length}: leave it out, or write %23 for a # that belongs to the path or query.`;
      causes.push({ code: "target-fragment", detail });
    }
    return { mended: { ...request, method: request.method.toUpperCase(), target }, causes };
  }

  // What the header may mean: first as it should be read, then as clients write it.
  function readings(options, authorization, keyId) {
    const match = /^(?:([^ \t:]+)[ \t]+)?([^]+):([^:]+)$/.exec(authorization);
    const signature = match && digestIn(match[3]);
    if (!signature || ["basic", "bearer", "digest"].includes(lower(match[1] ?? ""))) return [];
    const { digest, encoding } = signature;
    const causes = [];
    if (encoding !== "base64") {
      causes.push({
        code: "signature-encoding",
        detail: `The client sent the signature as ${encoding}: send the digest in base64 with its padding.`,
      });
    }
    if (algorithmOf(digest) !== options.algorithm) {
      causes.push(algorithmCause(options, `a digest of ${digest.length / 2} bytes, as of ${algorithmOf(digest)},`));
    }
    if (match[1] !== options.provider) {
      causes.push({
        code: "provider",
        detail: `The client sent another provider in the Authorization header: it is ${options.provider} here.`,
      });
    }
    const user = match[2];
    const once = user.replace(/\\([^])/g, "$1");
    const names = [...new Set([once, user, once.replace(/\\([^])/g, "$1"), unquoted(user)])];
    return names
      .map((name) => {
        const written = name.replace(/[\\:]/g, "\\$&") === user && isUtf8(name);
        const detail =
          "The client wrote the user in the Authorization header otherwise than it is read: write it in UTF-8, a backslash as two and a colon behind one, and nothing else escaped.";
        const known = isUtf8(name) ? name : toUtf8(name);
        return { digest, keyId: known, causes: written ? causes : [...causes, { code: "user-escaping", detail }] };
      })
      .sort((one, other) => (other.keyId === toUtf8(keyId)) - (one.keyId === toUtf8(keyId)));
  }

  function isUtf8(wire) {
    try {
      fromUtf8(wireBytes(wire), true);
      return true;
    } catch {
      return false;
    }
  }

  const algorithmCause = (options, what) => ({
    code: "algorithm",
    detail: `The client used ${what} for the signature: it is HMAC-${options.algorithm.toUpperCase()} here.`,
  });

  const HEADER_MACS = {
    hmac: (hash, secret, message) => hmac(hash, secret, message),
    "HMAC with secret and message in each other's place": (hash, secret, message) => hmac(hash, message, secret),
    "a plain hash, secret first,": (hash, secret, message) => hash.of(concat(secret, message)),
    "a plain hash, secret last,": (hash, secret, message) => hash.of(concat(message, secret)),
    "a plain hash without the secret": (hash, secret, message) => hash.of(message),
  };

  function* searchHeader(options, request, sent, keyId, secret, typed) {
    let lines;
    try {
      lines = toWire(SCHEMES.gotom[0].stringToSign(options, request)).split("\n");
    } catch (error) {
      if (error instanceof Refused) return unexplained(`The request is not in form: ${error.detail}.`);
      throw error;
    }
    const [method, digest, type, date] = lines;
    const custom = lines
      .slice(4, -1)
      .map((line) => "\n" + line)
      .join("");
    const right = {
      method,
      digest,
      type,
      date,
      custom,
      target: lines.at(-1),
      join: "\n",
      end: "",
      mac: "hmac",
      secret: toWire(secret),
    };
    const hash = HASHES[algorithmOf(sent.digest)];
    const isWanted = compareTo(sent.digest);
    const fits = (changed) => {
      const parts = { ...right, ...changed };
      const head = [parts.method, parts.digest, parts.type, parts.date].join(parts.join);
      const string = head + parts.custom.replaceAll("\n", parts.join) + parts.join + parts.target + parts.end;
      return isWanted(HEADER_MACS[parts.mac](hash, wireBytes(parts.secret), wireBytes(string)));
    };
    if (keyId !== "" && sent.keyId !== toUtf8(keyId)) return fits({}) ? [otherSecret(keyId)] : null;
    const changes = [...headerChanges(options, request, right)].filter(({ part }) => typed || part !== "type");
    return yield* find(withoutRepeats(changes, right), fits);
  }

  function* headerChanges(options, request, right) {
    yield* Changes.methods(right.method);
    const date = values(request, lower(options.date_header))[0];
    yield* Changes.dates(dateSeconds(date), date);
    yield* Changes.contentTypes(request, options.content_type);
    for (const { value, causes } of Changes.bodies(request)) {
      yield { part: "digest", value: hex(HASHES.md5.of(wireBytes(value))), causes, lone: false };
    }
    yield* Changes.digestForms(right.digest);
    const detail =
      "The client put the body itself into the string to sign: put the MD5 of it there, in lower-case hex.";
    yield change("digest", toWire(request.body), "body-digest-form", detail, request.body.length > 4096);
    yield* Targets.targets(request, right.target);
    yield* customLines(options, request, right.custom);
    yield* Changes.endings();
    for (const mac of Object.keys(HEADER_MACS)) {
      if (mac !== "hmac") yield { part: "mac", value: mac, causes: [algorithmCause(options, mac)], lone: false };
    }
    yield* Changes.secrets(right.secret);
  }

  function* customLines(options, request, right) {
    if (right === "\n") {
      yield change(
        "custom",
        "",
        "custom-headers-line",
        "The client left out the empty line that stands where custom headers would: leave it in.",
      );
      yield change(
        "custom",
        "\n\n",
        "custom-headers-line",
        "The client put two empty lines where custom headers would stand: put one.",
      );
      return;
    }
    const given = options.signed_headers
      .map((name) => [name, values(request, lower(name))[0]])
      .filter(([, value]) => value !== undefined);
    const asNamed = given.map(([name, value]) => `\n${name}: ${value}`);
    const forms = [
      "",
      "\n",
      right + "\n",
      given.map(([name, value]) => `\n${lower(name)}: ${value}`).join(""),
      asNamed.join(""),
      [...asNamed].sort().join(""),
    ];
    for (const value of [...forms, right.replaceAll(": ", ":")]) {
      const detail = `The client wrote the custom headers otherwise than lower-case-name: value, one a line, the lines sorted: write them so (${difference(right, value, "custom headers")}).`;
      yield change("custom", value, "custom-headers-line", detail);
    }
  }

  return { causes };
})();
