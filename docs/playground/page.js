/*
 * The page: reads what is typed, and shows what Explain and Diagnosis make of it.
 *
 * SPDX-License-Identifier: MIT
 */
(() => {
  "use strict";

  const { steps, utf8 } = Undersign;
  const { dateSeconds, dateText } = steps;
  const $ = (id) => document.getElementById(id);

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [attribute, value] of Object.entries(attributes)) {
      if (attribute === "class") made.className = value;
      else if (value !== false) made.setAttribute(attribute, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  }

  function problem(id, message) {
    $(id).textContent = message;
    $(id).hidden = !message;
  }

  // The request: three ways to give it, of which the one that is edited leads

  const TABS = ["http", "curl", "fields"];
  const FIELD_IDS = ["method", "url", "headers", "body", "crlf"];
  let request = null;

  const READERS = {
    http: () => (Curl.isCommand($("http").value) ? Curl.read($("http").value) : Reading.http($("http").value)),
    curl: () => (Reading.isHttp($("curl").value) ? Reading.http($("curl").value) : Curl.read($("curl").value)),
    fields: () =>
      Reading.fields({ ...Object.fromEntries(FIELD_IDS.map((id) => [id, $(id).value])), crlf: $("crlf").checked }),
  };
  const WRITERS = {
    http: (given) => ($("http").value = Writing.asHttp(given)),
    curl: (given) => ($("curl").value = Writing.asCurl(given)),
    fields: (given) => {
      const { crlf, ...texts } = Writing.asFields(given);
      for (const [id, value] of Object.entries(texts)) $(id).value = value;
      $("crlf").checked = crlf;
    },
  };

  function readRequest(tab) {
    let notes = [];
    try {
      ({ request, notes } = READERS[tab]());
      problem("unreadable", "");
      for (const other of TABS) if (other !== tab) WRITERS[other](request);
      if (!Reading.isText(request.body)) {
        notes.push("The body is not text: what is shown of it, edited in another tab, is no longer its bytes.");
      }
    } catch (error) {
      if (!(error instanceof Reading.Unreadable)) throw error;
      request = null;
      problem("unreadable", error.message);
    }
    for (const id of ["http", "curl"]) $(id).setAttribute("aria-invalid", String(request === null));
    $("notes").replaceChildren(...notes.map((note) => element("li", {}, note)));
    update();
  }

  function selectTab(tab) {
    for (const name of TABS) {
      $(`tab-${name}`).setAttribute("aria-selected", String(name === tab));
      $(`tab-${name}`).tabIndex = name === tab ? 0 : -1;
      $(`panel-${name}`).hidden = name !== tab;
    }
  }

  function listenToTabs() {
    const moves = { ArrowRight: 1, ArrowLeft: -1 };
    TABS.forEach((tab, place) => {
      $(`tab-${tab}`).addEventListener("click", () => selectTab(tab));
      $(`tab-${tab}`).addEventListener("keydown", (event) => {
        const to =
          { Home: 0, End: TABS.length - 1 }[event.key] ??
          (moves[event.key] && (place + moves[event.key] + TABS.length) % TABS.length);
        if (to === undefined) return;
        event.preventDefault();
        selectTab(TABS[to]);
        $(`tab-${TABS[to]}`).focus();
      });
    });
    for (const tab of ["http", "curl"]) $(tab).addEventListener("input", () => readRequest(tab));
    // What is pasted in the wrong tab is read all the same, and then shown where it belongs.
    $("http").addEventListener("paste", () =>
      setTimeout(() => Curl.isCommand($("http").value) && moveTo("curl", $("http").value)),
    );
    $("curl").addEventListener("paste", () =>
      setTimeout(() => Reading.isHttp($("curl").value) && moveTo("http", $("curl").value)),
    );
    for (const id of FIELD_IDS) $(id).addEventListener("input", () => readRequest("fields"));
  }

  function moveTo(tab, given) {
    $(tab).value = given;
    selectTab(tab);
    $(tab).focus();
    readRequest(tab);
  }

  // Scheme and options

  const optionId = (option) => `option-${option.replace(".", "-")}`;
  const schemeNow = () => Schemes.LIST[$("scheme").value];

  function showOptions() {
    const name = $("scheme").value;
    const written = Schemes.written(name);
    $("options").replaceChildren(
      ...Schemes.FIELDS[schemeNow().family].map(([option, label, kind]) =>
        optionField(option, label, kind, written[option]),
      ),
    );
    if (name === "http-hmac" || name === "keyed-timestamp") $("option-details").open = true;
  }

  function optionField(option, label, kind, value) {
    const id = optionId(option);
    const listen = (input) => (input.addEventListener("input", update), input);
    if (kind === "flag") {
      const box = listen(element("input", { id, type: "checkbox" }));
      box.checked = value;
      return element("label", { class: "check" }, box, ` ${label}`);
    }
    const input = Array.isArray(kind)
      ? element("select", { id }, ...kind.map((choice) => element("option", { value: choice }, choice)))
      : element("input", {
          id,
          class: "code",
          spellcheck: "false",
          autocomplete: "off",
          autocapitalize: "off",
          inputmode: kind === "seconds" && "numeric",
        });
    input.value = value;
    listen(input);
    return element("div", { class: "field" }, element("label", { for: id }, label), input);
  }

  function readOptions() {
    const written = schemeFields().map(([option, , kind]) => [
      option,
      kind === "flag" ? $(optionId(option)).checked : $(optionId(option)).value,
    ]);
    try {
      const options = Schemes.optionsOf($("scheme").value, Object.fromEntries(written));
      problem("option-problem", "");
      return options;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      problem("option-problem", error.message);
      return null;
    }
  }

  const schemeFields = () => Schemes.FIELDS[schemeNow().family];

  // The clock

  function readClock() {
    const mode = $("clock").value;
    const given = $("at").value.trim();
    $("at-field").hidden = mode !== "at";
    if (mode !== "at") {
      problem("clock-problem", "");
      return { mode, at: null };
    }
    const at = /^\d{1,12}(\.\d+)?$/.test(given) ? Number(given) : dateSeconds(given);
    const good = at !== null && at >= 0 && Causes.isDated(at);
    problem(
      "clock-problem",
      good ? "" : "Give the time as Unix seconds (1730974875) or as a date (2024-11-07T10:21:15Z).",
    );
    return good ? { mode, at } : null;
  }

  // Output

  let copies = {};

  function update() {
    stopSearch();
    copies = {};
    const options = readOptions();
    const clock = readClock();
    if (!request || !options || !clock) {
      $("clock-shown").textContent = "";
      return showNothing(
        request ? "An option or the time is not in form; see there." : "There is no request yet that can be read.",
      );
    }
    const now = Math.floor(Date.now() / 1000);
    const typed = (id) => $(id).value.replace(/\p{Surrogate}/gu, "\ufffd"); // half a pair is no text
    const given = {
      family: schemeNow().family,
      options,
      request,
      keyId: typed("key-id"),
      secret: utf8(typed("secret")),
      clock,
      now,
    };
    const shown = Explain.explain(given);
    $("clock-shown").textContent = `The clock says ${dateText(shown.at, false)}, which is ${Math.floor(shown.at)}.`;
    $("again").hidden = shown.at !== now;
    showVerdict(given, shown);
    showString(given, shown);
    showSend(given, shown);
  }

  function showNothing(why) {
    setVerdict("none", "–", "Nothing to check", why);
    $("string-card").hidden = $("send-card").hidden = true;
  }

  function setVerdict(kind, mark, title, detail) {
    $("verdict").dataset.verdict = kind;
    $("diagnosis").replaceChildren();
    $("diagnosis").dataset.state = "idle";
    // A live region speaks when it changes, so it changes only when there is news.
    for (const [id, text] of [
      ["mark", mark],
      ["verdict-title", title],
      ["verdict-detail", detail],
    ]) {
      if ($(id).textContent !== text) $(id).textContent = text;
    }
  }

  function showVerdict(given, shown) {
    if (!shown.received) {
      const what = given.family === "gotom" ? "no Authorization header" : `no parameter ${given.options.sig_param}`;
      return setVerdict(
        "none",
        "–",
        "Not signed yet",
        `The request has ${what}, so there is nothing to verify. Below is how it is signed.`,
      );
    }
    if (!shown.verdict) {
      return setVerdict(
        "none",
        "–",
        "The secret is missing",
        "Type the secret, and the signature of the request is verified.",
      );
    }
    const { result, reason, detail, keyId } = shown.verdict;
    if (result === "valid") {
      const { past } = given.options.window;
      const old = given.clock.mode === "request" && given.now - shown.at > past && given.family === "gotom";
      const late = ` By now it is older than ${past} seconds, so a server would refuse it as stale.`;
      return setVerdict("valid", "✓", "Valid", `Signed by ${keyId}.${old ? late : ""}`);
    }
    setVerdict("invalid", "✗", `Invalid: ${reason}`, detail);
    diagnose(given, shown.at);
  }

  // The diagnosis, computed in slices so that typing stays smooth.

  let searching = 0;
  const stopSearch = () => searching++;
  const SLICE = 12; // milliseconds

  function diagnose({ family, options, request: sent, keyId, secret }, at) {
    const mine = searching;
    const search = Diagnosis.search(family, options, sent, keyId, secret, at);
    $("diagnosis").dataset.state = "searching";
    $("diagnosis").replaceChildren(element("p", { class: "quiet" }, "Searching for the cause…"));
    const slice = () => {
      if (mine !== searching) return;
      const end = performance.now() + SLICE;
      for (let step = search.next(); ; step = search.next()) {
        if (step.done) return showCauses(step.value);
        if (performance.now() > end) return void setTimeout(slice);
      }
    };
    setTimeout(slice, 120); // while somebody types nothing is searched
  }

  function showCauses(causes) {
    const items = causes.map(({ code, detail }) =>
      element("li", {}, element("code", {}, code), element("span", {}, detail)),
    );
    const more = element("p", { class: "hint" });
    more.append(
      "The command ",
      element("code", {}, "undersign diagnose"),
      " searches more: pairs of mistakes further, and the secrets of other keys.",
    );
    $("diagnosis").replaceChildren(
      element("h3", {}, causes[0]?.code === "unexplained" ? "No cause found" : "Why"),
      element("ul", { class: "causes" }, ...items),
      more,
    );
    $("diagnosis").dataset.state = "done";
  }

  const CONTROLS = { "\n": "LF", "\r": "CR", "\t": "TAB", "\0": "NUL", "\x7f": "DEL" };
  const nameOf = (character) => CONTROLS[character] ?? `0x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;

  // Text with its control characters as marks. What is not UTF-8 shows each byte.
  function visible(wire) {
    const pieces = wire.split(/([\x00-\x1f\x7f])/);
    return pieces.map((piece, place) =>
      place % 2 ? element("span", { class: "control" }, nameOf(piece)) : Reading.text(piece),
    );
  }

  function showString({ family, options }, shown) {
    $("string-card").hidden = false;
    const parts = shown.parts ?? [];
    $("parts").hidden = !parts.length;
    $("string-hint").textContent = stringHint(family, shown);
    $("parts").replaceChildren(
      ...parts.map(([name, value, kind], place) => {
        const line = element("code", { class: "value" }, ...(value === null ? ["<secret>"] : visible(value)));
        if (family === "gotom" && place < parts.length - 1) line.append(element("span", { class: "control" }, "LF"));
        return element("li", { class: `part part-${kind}` }, element("span", { class: "part-name" }, name), line);
      }),
    );
    copies.string =
      family === "gotom"
        ? Reading.text(parts.map(([, value]) => value).join("\n"))
        : parts.map(([, value]) => (value === null ? "<secret>" : Reading.text(value))).join("");
    copies.signature = shown.signature;
    document.querySelector('[data-copy="string"]').hidden = !parts.length;
    $("signature-block").hidden = !shown.signature;
    $("signature").textContent = shown.signature;
    $("signature-title").textContent =
      shown.received && shown.verdict?.result === "invalid" ? "The right signature" : "Signature";
    $("signature-hint").textContent = signatureHint(family, options);
  }

  function stringHint(family, shown) {
    if (!shown.parts) return shown.refused || "It begins with the key id: type one.";
    const count = family === "gotom" ? ` ${shown.parts.map(([, value]) => value).join("\n").length} bytes;` : "";
    if (!shown.received) {
      return family === "gotom"
        ? `Of the request with its Date set:${count} LF stands between the lines, and none at the end.`
        : "Key id, secret and time, with nothing between them.";
    }
    if (family === "gotom") return `Of the request as it is:${count} LF stands between the lines, and none at the end.`;
    return shown.verdict?.result === "valid"
      ? "At the second at which it was signed; nothing stands between the parts."
      : "At the clock's second: the time is not sent, and nothing stands between the parts.";
  }

  const signatureHint = (family, { algorithm }) =>
    family === "gotom"
      ? `HMAC-${algorithm.toUpperCase()} of the string, with the secret as its key, in base64.`
      : `${algorithm.toUpperCase()} of key id, secret and time, in lower-case hex.`;

  function showSend({ secret }, shown) {
    $("send-card").hidden = false;
    $("send-title").textContent = shown.received ? "Sign it anew" : "Send it";
    if (!shown.anew) {
      const lacking = shown.key ? "Type a secret." : secret.length ? "Type a key id." : "Type a key id and a secret.";
      $("send-hint").textContent = shown.anewRefused ? `It cannot be signed. ${shown.anewRefused}` : lacking;
      return $("send").replaceChildren();
    }
    const { patch, request: signed } = shown.anew;
    $("send-hint").textContent = `Signed for ${shown.key} at ${dateText(shown.anewAt, false)}.`;
    const blocks = [];
    if (patch.headers.length) {
      blocks.push(
        block(
          "headers",
          "Headers to set",
          Reading.text(patch.headers.map(([name, value]) => `${name}: ${value}`).join("\n")),
        ),
      );
    }
    if (patch.query.length) blocks.push(block("url", "URL to call", Reading.text(Writing.urlOf(signed))));
    if (patch.form.length) blocks.push(block("form", "Form body to send", Reading.text(signed.body)));
    const whole = element(
      "details",
      {},
      element("summary", {}, "The whole request"),
      block("signed-http", "As HTTP", Writing.asHttp(signed)),
      block("signed-curl", "As curl", Writing.asCurl(signed)),
    );
    $("send").replaceChildren(...blocks, whole);
  }

  function block(id, title, text) {
    copies[id] = text;
    const copy = element("button", { type: "button", "data-copy": id, "aria-label": `Copy: ${title}` }, "Copy");
    return element(
      "div",
      { class: "block" },
      element("div", { class: "card-head" }, element("h3", {}, title), copy),
      element("pre", { class: "code", id: `send-${id}` }, text),
    );
  }

  async function copy(button) {
    const name = button.dataset.copy;
    try {
      await navigator.clipboard.writeText(copies[name]);
      $("copied").textContent = "Copied.";
      button.textContent = "Copied";
    } catch {
      // A page that is not served securely may not write to the clipboard.
      const shown = { string: "parts", signature: "signature" }[name] ?? `send-${name}`;
      getSelection().selectAllChildren($(shown));
      $("copied").textContent = "Selected: press Ctrl+C.";
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  }

  // Examples

  function showExample(name) {
    const { scheme, key, clock, at, tab, text } = Examples.all[name];
    $("scheme").value = scheme;
    showOptions();
    [$("key-id").value, $("secret").value] = key;
    $("clock").value = clock;
    $("at").value = at ?? "";
    $(tab).value = text;
    selectTab(tab);
    readRequest(tab);
  }

  $("scheme").append(
    ...Object.entries(Schemes.LIST).map(([name, { title }]) => element("option", { value: name }, title)),
  );
  listenToTabs();
  $("scheme").addEventListener("input", () => (showOptions(), update()));
  for (const id of ["key-id", "secret", "clock", "at"]) $(id).addEventListener("input", update);
  $("again").addEventListener("click", update);
  $("show-secret").addEventListener("click", () => {
    const shown = $("secret").type === "password";
    $("secret").type = shown ? "text" : "password";
    $("show-secret").setAttribute("aria-pressed", String(shown));
    $("show-secret").textContent = shown ? "Hide" : "Show";
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.copy) copy(button);
    if (button?.dataset.example) showExample(button.dataset.example);
  });
  showExample("gotom");
})();
