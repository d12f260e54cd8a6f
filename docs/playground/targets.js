/*
 * What clients sign in the target's place.
 *
 * SPDX-License-Identifier: MIT
 */
const Targets = (() => {
  "use strict";

  const { values } = Undersign.steps;
  const { change, difference } = Causes;
  const { quoted, unquoted } = Encodings;

  function* targets(request, target) {
    for (const [code, detail, value, lone] of targetsOf(request, target)) {
      yield change("target", value, code, `${detail} (${difference(target, value, "target")}).`, lone);
    }
  }

  function* targetsOf(request, target) {
    const [path, mark, query] = [
      target.split("?")[0],
      target.includes("?") ? "?" : "",
      target.slice(target.split("?")[0].length + 1),
    ];
    const asSent = "sign path and query exactly as they stand on the request line";
    if (mark) yield ["target-no-query", "The client signed the path without the query: sign both", path];
    const hosts = new Set([request.origin.split("://")[1], ...values(request, "host")].filter(Boolean));
    for (const host of hosts) {
      for (const origin of [`https://${host}`, `http://${host}`, `//${host}`, host, `https://${host}:443`]) {
        yield ["target-absolute", "The client signed the whole URL: sign path and query alone", origin + target];
      }
    }
    const segments = path.split("/");
    for (let count = 2; count < Math.min(segments.length, 10); count++) {
      const detail =
        "The client signed the path without a prefix that it sent, such as a base path: sign the whole path";
      yield ["target-no-path-prefix", detail, "/" + segments.slice(count).join("/") + mark + query];
    }
    if (path === "/") {
      yield [
        "target-no-path-prefix",
        "The client signed an empty path where it sent a slash: sign the /",
        mark + query,
      ];
    }
    for (const prefix of ["/api", "/v1", "/v2", "/api/v1", "/api/v2", "/rest"]) {
      const detail =
        "The client signed the path with a prefix that did not arrive, which a proxy may have taken off: sign the path as it arrives";
      yield ["target-no-path-prefix", detail, prefix + target];
    }
    const spaced = unquoted(query.replaceAll("+", " "));
    for (const value of [
      unquoted(path) + mark + unquoted(query),
      unquoted(path) + mark + spaced,
      unquoted(path) + mark + query,
      path + mark + unquoted(query),
      path + mark + spaced,
    ]) {
      yield ["target-decoded", `The client signed the target percent-decoded: ${asSent}`, value];
    }
    for (const value of reencoded(target, path, mark, query)) {
      yield [
        "target-reencoded",
        `The client signed the target with other percent-escapes than it sent: ${asSent}`,
        value,
      ];
    }
    for (const value of [target + "#", target.replace(/%23/g, "#")]) {
      yield [
        "target-fragment",
        "The client signed a bare #: a fragment is not part of a request, and a # of the path or query is %23",
        value,
      ];
    }
    const fields = mark ? query.split("&") : [];
    const byName = [...fields].sort((one, other) => compared(one.split("=")[0], other.split("=")[0]));
    const orders = [
      byName,
      [...fields].sort(compared),
      [...fields].reverse(),
      ...(fields.length <= 5 ? permutations(fields) : []),
    ];
    for (const [place, order] of orders.entries()) {
      const detail =
        "The client signed the query's parameters in another order than it sent them: sign the query as sent";
      yield ["target-query-order", detail, path + mark + order.join("&"), place > 2];
    }
  }

  const compared = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
  const permutations = (items) =>
    items.length < 2
      ? [items]
      : items.flatMap((item, place) =>
          permutations([...items.slice(0, place), ...items.slice(place + 1)]).map((rest) => [item, ...rest]),
        );

  function* reencoded(target, path, mark, query) {
    const escapes = /%[0-9A-Fa-f]{2}/g;
    yield target.replace(escapes, (escape) => escape.toUpperCase());
    yield target.replace(escapes, (escape) => escape.toLowerCase());
    for (const [from, to] of [
      ["%20", "+"],
      ["+", "%20"],
      ["+", "%2B"],
    ]) {
      yield path + mark + query.replaceAll(from, to);
      yield target.replaceAll(from, to);
    }
    for (const value of [
      target.replaceAll("%", "%25"),
      path.replaceAll("%", "%25") + mark + query,
      path + mark + query.replaceAll("%", "%25"),
    ]) {
      yield value;
    }
    for (const [bare, space] of [
      ["", "%20"],
      ["", "+"],
      ["!'()*", "%20"],
      ["*", "+"],
      ["/", "%20"],
      ["/:@!$'()*,;[]", "%20"],
    ]) {
      const write = (wire, more) => quoted(unquoted(wire), bare + more).replaceAll("%20", space);
      const newQuery = query
        .split("&")
        .map((field) =>
          field
            .split(/=([^]*)/, 2)
            .map((side) => write(side.replaceAll("+", " "), ""))
            .join("="),
        )
        .join("&");
      yield write(path, "/") + mark + newQuery;
      yield write(path, "/") + mark + query;
      yield path + mark + newQuery;
    }
  }

  return { targets };
})();
