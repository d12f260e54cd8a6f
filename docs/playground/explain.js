/*
 * What the page shows of a request: the string to sign in its parts, the signature, what to send, and the verdict.
 *
 * SPDX-License-Identifier: MIT
 */
const Explain = (() => {
  "use strict";

  const { steps, sign, verify, utf8, Refused } = Undersign;
  const { SCHEMES, toWire, lower, values, originForm, flaw, dateSeconds } = steps;

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
    return own ?? now;
  }

  // Whether the request carries what may be a signature: then it is verified.
  function carriesSignature(family, options, request) {
    if (family === "gotom") return values(request, "authorization").length > 0;
    const own = SCHEMES.gogrid[0].places(options, request, request.body).flat().map(steps.fieldName);
    return own.includes(options.sig_param);
  }

  function claimedKey(family, options, request) {
    const kind = SCHEMES[family][0];
    if (family === "gotom") {
      const sent = values(request, "authorization");
      return attempt(() => kind.credentials(options, sent).keyId).value ?? "";
    }
    return (
      attempt(() => kind.claim(options, { ...request, target: originForm(request.target) }, request.body)?.keyId)
        .value ?? ""
    );
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

  // The string of a request that is signed already: what a verifier computes.
  function receivedString(options, request) {
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
      for (const near of [second - far, second + far])
        if (kind.signature(options, keyId, secret, near) === signature) return near;
    }
    return second;
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
      [`body, as the MD5 of ${request.body.length} byte${request.body.length === 1 ? "" : "s"}`, lines[1], "body"],
      ["content type", lines[2], "type"],
      ["date", lines[3], "date"],
      ...(custom.length === 1 && custom[0] === ""
        ? [["custom headers: none", "", "custom"]]
        : custom.map((line) => ["custom header", line, "custom"])),
      ["target", lines.at(-1), "target"],
    ];
  }

  // All of it. `secret` is bytes, empty where none is given; `now` is the time of this machine.
  function explain({ family, options, request, keyId, secret, clock, now }) {
    const kind = SCHEMES[family][0];
    const at = clockOf(clock, family, options, request, now);
    const received = carriesSignature(family, options, request);
    const key = keyId || (received ? claimedKey(family, options, request) : "");
    // A request that is signed already is verified at its own date, and signed anew by the machine's clock.
    const anewAt = received && clock.mode === "request" ? now : at;
    // The string holds no secret, so it is there before one is typed.
    const signed = attempt(() =>
      sign(family, options, request, key || "key-id", secret.length ? secret : utf8("-"), anewAt),
    );
    const shown = {
      received,
      at,
      anewAt,
      key,
      parts: null,
      signature: "",
      refused: "",
      verdict: null,
      anew: null,
      anewRefused: signed.refused,
    };

    if (received && secret.length) shown.verdict = verdictOf(family, options, request, key, secret, at);
    if (signed.value && key && secret.length) {
      shown.anew = { patch: signed.value.patch, request: applied(request, signed.value) };
    }
    if (received && family === "gogrid") {
      const second =
        secret.length && key
          ? attempt(() => secondOf(options, request, key, secret, at))
          : { value: Math.floor(at), refused: "" };
      shown.refused = second.refused;
      if (second.value !== null && key) {
        shown.parts = partsOf(family, request, utf8(`${key}\0${second.value}`));
        if (secret.length) shown.signature = kind.signature(options, key, secret, second.value);
      }
      return shown;
    }
    const string = received
      ? attempt(() => receivedString(options, request))
      : { value: signed.value?.string ?? null, refused: signed.refused };
    shown.refused = string.refused;
    if (string.value) {
      shown.parts = partsOf(family, request, string.value);
      if (secret.length && family === "gotom") shown.signature = kind.signature(options, secret, string.value);
      if (secret.length && family === "gogrid" && key)
        shown.signature = kind.signature(options, key, secret, Math.floor(at));
    }
    return shown;
  }

  function applied(request, { patch, target, body }) {
    const headers = steps.withHeaders(request.headers, patch.headers);
    return { ...request, headers, target, body };
  }

  return { explain, sentence };
})();
