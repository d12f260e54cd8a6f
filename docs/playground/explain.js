/*
 * What the page shows of a request: the string to sign in its parts, the signature, what to send, and the verdict.
 *
 * SPDX-License-Identifier: MIT
 */
const Explain = (() => {
  "use strict";

  const { steps, sign, verify, utf8, Refused } = Undersign;
  const { SCHEMES, HASHES, hex, toWire, lower, values, originForm, flaw, dateSeconds } = steps;

  const detailOf = (error) => {
    if (!(error instanceof Refused)) throw error;
    return sentence(error.detail);
  };
  const sentence = (detail) => `${detail[0].toUpperCase()}${detail.slice(1)}.`;

  // The result of `compute`, or null and the reason where the scheme refuses.
  function attempt(compute) {
    try {
      return { value: compute(), refused: "" };
    } catch (error) {
      return { value: null, refused: detailOf(error) };
    }
  }

  // The clock's Unix seconds: `now`, a given time, or the request's own Date where it has one that is read.
  function clockOf({ mode, at }, family, options, request, now) {
    if (mode === "at") return at;
    const name = family === "gotom" ? lower(options.date_header) : "date";
    const own = mode === "request" ? dateSeconds(values(request, name)[0] ?? "") : null;
    return own !== null && Causes.isDated(own) ? own : now;
  }

  // Whether the request carries what may be a signature: then it is verified.
  function carriesSignature(family, options, request) {
    if (family === "gotom") return values(request, "authorization").length > 0;
    const own = SCHEMES.gogrid[0].places(options, request, request.body).flat().map(steps.fieldName);
    return own.includes(options.sig_param);
  }

  // The key id that a request names; "" where it names none that can be read.
  function claimedKey(family, options, request) {
    const kind = SCHEMES[family][0];
    if (family === "gotom") {
      return attempt(() => kind.credentials(options, values(request, "authorization")).keyId).value ?? "";
    }
    const own = kind.places(options, request, request.body).flat();
    const named = own.find((part) => steps.fieldName(part) === options.key_param);
    return named === undefined ? "" : steps.fromUtf8(steps.fieldBytes(steps.fieldValue(named)), false);
  }

  // What port.js says of many keys, of the one that is typed here.
  const PLAINLY = {
    unknown_key: () => "The request names another key id than the one that is typed, or none that can be read.",
    mismatch: (family) =>
      family === "gotom"
        ? "This request and this secret give another signature."
        : "This key and this secret give another signature at each second of the window.",
  };

  function verdictOf(family, options, request, keyId, secret, at) {
    try {
      return { result: "valid", keyId: verify(family, options, request, { [keyId]: [secret] }, at), detail: "" };
    } catch (error) {
      return { result: "invalid", reason: error.reason, detail: PLAINLY[error.reason]?.(family) ?? detailOf(error) };
    }
  }

  function coveredString(options, request) {
    const kind = SCHEMES.gotom[0];
    const found = kind.covered(options, request, (detail) => new Refused("malformed", detail));
    for (const name of ["Content-Type", options.date_header]) {
      if (!found.has(lower(name))) throw new Refused("malformed", `there is no ${name} header to sign`);
    }
    const wrong = flaw(request, originForm(request.target));
    if (wrong) throw new Refused("malformed", wrong);
    return kind.stringToSign(options, request);
  }

  // The second that a keyed timestamp was made at; the clock's where none of the window fits.
  function secondOf(options, request, keyId, secret, at) {
    const kind = SCHEMES.gogrid[0];
    const { signature } = kind.claim(options, { ...request, target: originForm(request.target) }, request.body);
    const second = Math.floor(at);
    for (let far = 0; far <= Math.max(options.window.past, options.window.future); far++) {
      for (const near of [second - far, second + far]) {
        if (kind.signature(options, keyId, secret, near) === signature) return near;
      }
    }
    return second;
  }

  function bodyName(body, digest) {
    if (digest !== hex(HASHES.md5.of(body))) return "body: signed as if there were none";
    return `body: MD5 of ${body.length} byte${body.length === 1 ? "" : "s"}`;
  }

  // The string to sign as [name, wire string] of each part, in order. LF stands between those of a header's string.
  function partsOf(family, request, string) {
    if (family === "gogrid") {
      const [key, second] = toWire(string).split("\0");
      return [
        ["key id", key, "key"],
        ["the secret's bytes", null, "secret"],
        ["time, in Unix seconds", second, "date"],
      ];
    }
    const lines = toWire(string).split("\n");
    const custom = lines.slice(4, -1);
    return [
      ["method", lines[0], "method"],
      [bodyName(request.body, lines[1]), lines[1], "body"],
      ["content type", lines[2], "type"],
      ["date", lines[3], "date"],
      ...(custom.length === 1 && custom[0] === ""
        ? [["custom headers: none", "", "custom"]]
        : custom.map((line) => ["custom header", line, "custom"])),
      ["target", lines.at(-1), "target"],
    ];
  }

  // The string of a request that is signed already: what a verifier computes.
  function receivedString(family, options, request, key, secret, at, verdict) {
    if (family === "gotom") return attempt(() => coveredString(options, request));
    if (!key) return { value: null, refused: "" };
    const second = verdict?.result === "valid" ? secondOf(options, request, key, secret, at) : Math.floor(at);
    return { value: utf8(`${key}\0${second}`), refused: "" };
  }

  function signatureOf(family, options, key, secret, string) {
    const kind = SCHEMES[family][0];
    if (family === "gotom") return kind.signature(options, secret, string);
    return key ? kind.signature(options, key, secret, toWire(string).split("\0")[1]) : "";
  }

  // All of it. `secret` is bytes, empty where none is given; `now` is the time of this machine.
  function explain({ family, options, request, keyId, secret, clock, now }) {
    const at = clockOf(clock, family, options, request, now);
    const received = carriesSignature(family, options, request);
    const key = keyId || (received ? claimedKey(family, options, request) : "");
    const verdict = received && secret.length ? verdictOf(family, options, request, key, secret, at) : null;

    // A request that is signed already is verified at its own date, and signed anew by the machine's clock. The string
    // holds no secret, so it is there before one is typed.
    const anewAt = received && clock.mode === "request" ? now : at;
    const stand = { key: key || "key-id", secret: secret.length ? secret : utf8("-") };
    const anew = attempt(() => sign(family, options, request, stand.key, stand.secret, anewAt));
    const string = received
      ? receivedString(family, options, request, key, secret, at, verdict)
      : { value: anew.value && anew.value.string, refused: anew.refused };
    return {
      ...{ received, at, key, verdict },
      parts: string.value && partsOf(family, request, string.value),
      refused: string.refused,
      signature: string.value && secret.length ? signatureOf(family, options, key, secret, string.value) : "",
      anew:
        anew.value && key && secret.length ? { patch: anew.value.patch, request: applied(request, anew.value) } : null,
      anewAt,
      anewRefused: anew.refused,
    };
  }

  function applied(request, { patch, target, body }) {
    const headers = steps.withHeaders(request.headers, patch.headers);
    return { ...request, headers, target, body };
  }

  return { explain };
})();
