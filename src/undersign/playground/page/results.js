/*
 * What was found: the answers of Python, put on the page. Nothing is computed here.
 *
 * SPDX-License-Identifier: MIT
 */
const Results = (() => {
  "use strict";

  const MARKS = { valid: "✓", invalid: "✕", unsigned: "✎", open: "?" };
  const MARK_NAMES = { LF: "line feed", CR: "carriage return", TAB: "tab", SP: "space", secret: "the secret" };
  const PROBLEMS = ["pasted", "recipe", "secret", "at", "options", "origin"];
  const KEY_HINTS = {
    typed: "As typed.",
    scheme: "This scheme sends none.",
    "": "Empty: the one that the request names.",
  };
  const CLOCKS = { request: "the request's own time", har: "as the HAR says", now: "now", typed: "as given" };
  const NO_SCHEME = { name: "", options: [], extras: [], sends_key_id: true };
  const copies = {};

  function problem(id, message) {
    $(id).textContent = message;
    $(id).hidden = !message;
  }

  const control = (text) => element("span", { class: "control", title: MARK_NAMES[text] ?? text }, text);
  const pieces = (list) => list.map(([kind, text]) => (kind === "text" ? text : control(text)));

  function verdict(state, title, detail = "") {
    $("verdict").dataset.verdict = state;
    $("mark").textContent = MARKS[state] ?? "";
    $("verdict-title").textContent = title;
    $("verdict-detail").textContent = detail;
  }

  function show(answer) {
    const problems = answer.problems ?? {};
    problem("fault", answer.error ?? problems.now ?? problems.extra ?? problems.clock ?? "");
    for (const name of PROBLEMS) problem(`problem-${name}`, problems[name] ?? (name === "pasted" ? problems.pasted_b64 : ""));
    $("pasted").setAttribute("aria-invalid", String(Boolean(problems.pasted)));
    if (problems.options || problems.origin) $("more").open = true;
    if (answer.scheme || Fields.isRecipe()) showScheme(answer.scheme ?? NO_SCHEME);
    showEntries(answer.choices, problems.entry);
    showRequest(answer);
    showString(answer);
    showDifference(answer.difference);
    showSend(answer);
    if (answer.verdict) return verdict(answer.verdict.state, answer.verdict.title, answer.verdict.detail);
    const [said] = Object.values(problems);
    return verdict("none", said || answer.error ? "Nothing to check" : "Paste a request", said);
  }

  function showScheme(scheme) {
    Fields.showScheme(scheme);
    const hint = [scheme.mistakes && `People get wrong: ${scheme.mistakes}`];
    if (scheme.example) {
      hint.push(element("button", { type: "button", class: "link", "data-example": scheme.name }, "Its published example"));
    }
    $("scheme-hint").replaceChildren(...hint.filter(Boolean).flatMap((one) => [one, " "]));
  }

  function showEntries(choices, message) {
    if (choices) {
      const none = element("option", { value: "0" }, message);
      const options = choices.map(([number, text]) => element("option", { value: String(number) }, `${number} ${text}`));
      $("entry").replaceChildren(none, ...options);
      $("entry-field").hidden = false;
    }
  }

  function showRequest({ request, key_id: keyId, key_id_from: from, clock, claimed_by: claimedBy = [] }) {
    const bytes = request ? `, with a body of ${request.body} byte${request.body === 1 ? "" : "s"}` : "";
    $("read-as").textContent = request
      ? `Read as ${request.kind_in_words}: ${request.method} ${request.url}${request.body ? bytes : ""}`
      : "";
    $("notes").replaceChildren(...(request?.notes ?? []).map((note) => element("li", {}, note)));
    $("key-hint").textContent = from === "request" ? `From the request: ${keyId}` : KEY_HINTS[from ?? ""];
    $("clock-shown").textContent = clock ? `${clock.text}, ${CLOCKS[clock.from]}. ${clock.note}` : "";
    const buttons = claimedBy.map((name) => element("button", { type: "button", class: "link", "data-scheme": name }, name));
    $("claimed").replaceChildren("It is in the form of ", ...buttons.flatMap((one, at) => (at ? [", ", one] : [one])));
    $("claimed").hidden = !buttons.length;
  }

  function showString({ string, signature }) {
    $("string-card").hidden = !string;
    if (!string) return;
    const rows = string.parts.map(({ name, source, value }) =>
      element(
        "li",
        { class: "part" },
        element("span", { class: "part-name", title: source }, name),
        element("code", { class: "value" }, ...pieces(value)),
        element("span", { class: "part-source" }, source),
      ),
    );
    $("parts").replaceChildren(...rows);
    Object.assign(copies, { string: string.text, ticket: string.ticket, signature });
    for (const button of document.querySelectorAll("[data-copy=string], [data-copy=ticket]")) button.hidden = !rows.length;
    const what = string.received ? "of the request as it is" : "of the request as it is to be signed";
    $("string-hint").textContent = string.problem || `${string.length} bytes, ${what}; nothing stands between the parts.`;
    $("signature-block").hidden = !signature;
    $("signature").textContent = signature;
    $("signature-title").textContent = string.received ? "The signature that fits" : "Signature";
  }

  function showDifference(difference) {
    $("difference-card").hidden = !difference;
    if (!difference) return;
    $("difference-card").dataset.same = String(difference.same);
    $("difference-sentence").textContent = difference.sentence;
    $("difference-notes").replaceChildren(...difference.notes.map((note) => element("li", {}, note)));
    const side = (title, marked) => {
      const shown = marked.map(([kind, text]) => (kind === "differs" ? element("mark", {}, text) : text));
      return element("pre", { class: "code" }, element("span", { class: "side" }, title), ...shown);
    };
    const rows = difference.parts.map(({ name, same, expected, own }) =>
      same
        ? element("li", { class: "same" }, element("h3", {}, `${name}: the same`))
        : element("li", {}, element("h3", {}, name), side("expected", expected), side("yours", own)),
    );
    $("difference-sides").replaceChildren(...(difference.same ? [] : rows));
  }

  function showSend({ send, verdict }) {
    $("send-card").hidden = !send;
    if (!send) return;
    $("send-title").textContent = verdict.state === "unsigned" ? "Send it" : "Sign it anew";
    $("send-hint").textContent = send.problem || `Signed for ${send.key_id} at ${send.at}.`;
    const titles = { headers: "Headers to set", url: "URL to call", form: "Form body to send" };
    const blocks = Object.entries(titles).map(([name, title]) => (send[name] ? block(name, title, send[name]) : ""));
    if (send.http) {
      const whole = [block("http", "As HTTP", send.http), block("curl", "As curl", send.curl)];
      blocks.push(element("details", {}, element("summary", {}, "The whole request"), ...whole));
    }
    $("send").replaceChildren(...blocks);
  }

  function block(name, title, text) {
    copies[name] = text;
    const copy = element("button", { type: "button", "data-copy": name, "aria-label": `Copy: ${title}` }, "Copy");
    const head = element("div", { class: "card-head" }, element("h3", {}, title), copy);
    return element("div", { class: "block" }, head, element("pre", { class: "code", id: `send-${name}` }, text));
  }

  // The causes; null while they are looked for, and nothing where none is asked for.
  function causes(found) {
    $("diagnosis").dataset.state = found === null ? "searching" : found ? "done" : "idle";
    if (found === null) return $("diagnosis").replaceChildren(element("p", { class: "quiet" }, "Looking for the cause …"));
    const rows = (found ?? []).map(({ code, detail }) =>
      element("li", {}, element("code", {}, code), element("span", {}, detail)),
    );
    return $("diagnosis").replaceChildren(...(rows.length ? [element("ul", { class: "causes" }, ...rows)] : []));
  }

  async function copy(button) {
    const name = button.dataset.copy;
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(copies[name]);
      button.textContent = "Copied";
    } catch {
      // A page that is not served securely may not write to the clipboard.
      getSelection().selectAllChildren($({ string: "parts", ticket: "parts", signature: "signature" }[name] ?? `send-${name}`));
      button.textContent = "Selected: press Ctrl+C";
    }
    $("copied").textContent = button.textContent;
    setTimeout(() => (button.textContent = label), 1500);
  }

  return { show, verdict, causes, copy, problem };
})();
