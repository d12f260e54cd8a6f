/*
 * The schemes that the page offers, and their options. port.js knows two families by the names of their best-known
 * members; every other scheme is one of the two with other options.
 *
 * SPDX-License-Identifier: MIT
 */
const Schemes = (() => {
  "use strict";

  const { SCHEMES, HASHES } = Undersign.steps;
  const UNVERSIONED = { version_param: null, version: null, versions: [] };
  const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
  const MASHERY = {
    key_param: "apikey",
    ...UNVERSIONED,
    placement: "query",
    methods: METHODS,
    window: { past: 300, future: 300 },
  };

  const LIST = {
    gotom: { title: "goTom", family: "gotom", options: {} },
    gogrid: { title: "GoGrid", family: "gogrid", options: {} },
    acquia: {
      title: "Acquia (HTTP HMAC 1.0)",
      family: "gotom",
      options: { provider: "Acquia", window: { past: 900, future: 900 } },
    },
    mashery: { title: "Mashery", family: "gogrid", options: MASHERY },
    tyk: { title: "Tyk", family: "gogrid", options: { ...MASHERY, algorithm: "sha256" } },
    "http-hmac": { title: "HTTP HMAC 1.0, with your options", family: "gotom", options: { provider: "provider" } },
    "keyed-timestamp": {
      title: "Keyed timestamp, with your options",
      family: "gogrid",
      options: { key_param: "key", ...UNVERSIONED },
    },
  };

  const defaults = (name) => ({ ...SCHEMES[LIST[name].family][1], ...LIST[name].options });

  // [option, label, kind]: how an option is written in a field. A list is written with commas.
  const FIELDS = {
    gotom: [
      ["provider", "Provider", "token"],
      ["algorithm", "HMAC of", Object.keys(HASHES)],
      ["signed_headers", "Signed headers", "list"],
      ["content_type", "Default content type", "text"],
      ["date_header", "Date header", "token"],
      ["date_precision", "Date written in", ["seconds", "milliseconds"]],
      ["window.past", "Seconds it may be old", "seconds"],
      ["window.future", "Seconds it may be ahead", "seconds"],
      ["drop_blank_headers", "Leave out signed headers that are empty or 0", "flag"],
      ["multipart_as_empty", "Sign a multipart POST as if it had no body", "flag"],
    ],
    gogrid: [
      ["key_param", "Key parameter", "param"],
      ["sig_param", "Signature parameter", "param"],
      ["version_param", "Version parameter, or none", "maybe"],
      ["version", "Version that is sent", "maybe"],
      ["versions", "Versions taken", "list"],
      ["algorithm", "Hash", Object.keys(HASHES)],
      ["placement", "Parameters go into", ["auto", "query", "form"]],
      ["methods", "Methods", "list"],
      ["window.past", "Seconds it may be old", "seconds"],
      ["window.future", "Seconds it may be ahead", "seconds"],
      ["allow_http", "Allow plain http", "flag"],
    ],
  };

  const LONGEST_WINDOW = 86400;
  const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
  const items = (written) =>
    written
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");

  // What a field says as the option's value. What it cannot be is thrown as a RangeError, in a sentence.
  function valueOf(kind, label, written) {
    const wrong = (what) => new RangeError(`${label}: ${what}.`);
    if (kind === "flag" || Array.isArray(kind)) return written;
    if (kind === "list") return items(written);
    if (kind === "maybe") return written.trim() || null;
    if (kind === "seconds") {
      if (!/^\d{1,9}$/.test(written.trim())) throw wrong("give a whole number of seconds");
      return Number(written);
    }
    if (kind === "token" && !TOKEN.test(written.trim())) throw wrong("give one word of letters, digits and -_.~");
    if (kind === "param" && !written.trim()) throw wrong("give a name");
    if (kind === "text" && /[^ -~]/.test(written)) throw wrong("give printable ASCII");
    return written.trim();
  }

  // All options of a scheme, from what the fields say by the options' names.
  function optionsOf(name, written) {
    const options = { ...defaults(name), window: {} };
    for (const [option, label, kind] of FIELDS[LIST[name].family]) {
      const value = valueOf(kind, label, written[option]);
      if (option.startsWith("window.")) options.window[option.slice(7)] = value;
      else options[option] = value;
    }
    if (LIST[name].family === "gotom") checkHeaders(options);
    else checkParameters(options);
    return options;
  }

  function checkHeaders({ signed_headers: names }) {
    const odd = names.find((header) => !TOKEN.test(header));
    if (odd !== undefined) throw new RangeError(`Signed headers: ${odd} is not the name of a header.`);
  }

  function checkParameters(options) {
    const { window, methods, versions, version, version_param: versionParam } = options;
    const names = [options.key_param, options.sig_param, versionParam].filter((param) => param !== null);
    if (new Set(names).size < names.length) {
      throw new RangeError("The parameters need names that differ from each other.");
    }
    if ((versionParam === null) !== (version === null)) {
      throw new RangeError("Version: give its parameter and the version, or neither.");
    }
    if (version !== null && versions.length && !versions.includes(version)) {
      throw new RangeError("Version that is sent: it is not among those taken.");
    }
    if (!methods.length || methods.some((method) => method !== method.toUpperCase())) {
      throw new RangeError("Methods: give one or more, in upper case.");
    }
    if (window.past + window.future > LONGEST_WINDOW) {
      throw new RangeError(`The window is over ${LONGEST_WINDOW} seconds, and each of them is searched.`);
    }
  }

  // How the fields write the options.
  function written(name) {
    const options = defaults(name);
    return Object.fromEntries(
      FIELDS[LIST[name].family].map(([option, , kind]) => {
        const value = option.startsWith("window.") ? options.window[option.slice(7)] : options[option];
        return [option, kind === "flag" ? value : Array.isArray(value) ? value.join(", ") : String(value ?? "")];
      }),
    );
  }

  return { LIST, FIELDS, defaults, optionsOf, written };
})();
