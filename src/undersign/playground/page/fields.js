/*
 * What is typed: the fields as a question, and the fields that a scheme adds.
 *
 * SPDX-License-Identifier: MIT
 */
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

const Fields = (() => {
  "use strict";

  const RECIPE = " recipe";
  const PLAIN = { spellcheck: "false", autocomplete: "off", autocapitalize: "off" };
  const GROUPS = { own: "goTom, GoGrid and their families", api: "APIs and webhooks", installed: "Installed here" };
  let file = null; // the bytes of a file that was opened, in base64, until something is pasted
  let shown = ""; // the scheme whose fields are there

  function base64(bytes) {
    let text = "";
    for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
    return btoa(text);
  }

  async function open(chosen) {
    const bytes = new Uint8Array(await chosen.arrayBuffer());
    $("pasted").value = new TextDecoder().decode(bytes.subarray(0, 65536));
    file = base64(bytes);
  }

  const forget = () => (file = null);

  function ofGroup(id) {
    const typed = [...$(id).querySelectorAll("[data-name]")].map((field) => [field.dataset.name, field.value]);
    return Object.fromEntries(typed);
  }

  // All that is typed, as `undersign.playground.question` takes it.
  function question(action) {
    const ofRecipe = $("scheme").value === RECIPE;
    return {
      action,
      ...(file === null ? { pasted: $("pasted").value } : { pasted_b64: file }),
      entry: $("entry-field").hidden ? "" : $("entry").value,
      origin: $("origin").value,
      scheme: ofRecipe ? "" : $("scheme").value,
      recipe: ofRecipe ? $("recipe").value || " " : "",
      options: ofRecipe ? {} : ofGroup("options"),
      key_id: $("key-id").value,
      secret: $("secret").value,
      extra: ofGroup("extras"),
      clock: $("clock").value,
      at: $("at").value,
      now: Date.now() / 1000,
      nonce: nonce(),
      signed_string: $("own").value,
    };
  }

  const nonce = () =>
    [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  function listSchemes(schemes) {
    const groups = Object.entries(GROUPS).map(([group, label]) => {
      const fitting = schemes.filter((scheme) => scheme.group === group);
      const options = fitting.map(({ name, sentence }) => element("option", { value: name, title: sentence }, name));
      return options.length ? element("optgroup", { label }, ...options) : "";
    });
    const own = element("optgroup", { label: "Not here" }, element("option", { value: RECIPE }, "a recipe of mine"));
    $("scheme").replaceChildren(...groups, own);
  }

  function field(id, name, label, attributes, hint = "") {
    const input = element("input", { id, class: "code", "data-name": name, ...PLAIN, ...attributes });
    return element("div", { class: "field" }, element("label", { for: id }, label), input, hint);
  }

  function optionField({ name, type, default: usual, needed }) {
    const placeholder = needed ? "needed" : usual === "none" ? "" : usual;
    if (type !== "true or false") return field(`option-${name}`, name, name, { placeholder, title: type });
    const options = ["", "true", "false"].map((value) => element("option", { value }, value || `${usual}, by default`));
    const select = element("select", { id: `option-${name}`, "data-name": name }, ...options);
    return element("div", { class: "field" }, element("label", { for: `option-${name}` }, name), select);
  }

  // The fields that the scheme of an answer has of its own; what is typed in them stays while it is the same scheme.
  function showScheme({ name, options, extras, sends_key_id: sendsKeyId }) {
    $("key-id").disabled = !sendsKeyId;
    const kind = JSON.stringify([$("scheme").value, name, options.map((option) => option.name), extras]);
    if (kind === shown) return;
    shown = kind;
    $("options").replaceChildren(...options.map(optionField));
    $("extras").replaceChildren(...extras.map((extra) => field(`extra-${extra}`, extra, extra, { type: "password" })));
    if (options.some((option) => option.needed)) $("more").open = true;
  }

  // Put what an example says into the fields; the scheme's own fields have to be there.
  function fill(values) {
    for (const [id, value] of [
      ["pasted", values.pasted],
      ["key-id", values.key_id],
      ["secret", values.secret],
      ["clock", values.clock],
      ["at", values.at],
      ["origin", values.origin ?? ""],
      ["own", ""],
    ]) {
      $(id).value = value;
    }
    forget();
    for (const [group, given] of [
      ["options", values.options ?? {}],
      ["extras", values.extra ?? {}],
    ]) {
      for (const input of $(group).querySelectorAll("[data-name]")) input.value = given[input.dataset.name] ?? "";
    }
  }

  const EMPTY = { pasted: "", key_id: "", secret: "", clock: "request", at: "" };
  const isRecipe = () => $("scheme").value === RECIPE;

  return { question, listSchemes, showScheme, fill, open, forget, isRecipe, EMPTY };
})();
