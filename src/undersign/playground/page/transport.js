/*
 * How the page reaches Python: on loopback, at the address that it was read from.
 *
 * SPDX-License-Identifier: MIT
 */
const Transport = {
  privacy:
    "What is typed here goes to undersign on this machine, at 127.0.0.1, and no further. Nothing is stored or logged.",

  async ask(question) {
    const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(question) };
    let response;
    try {
      response = await fetch("answer", { ...options, credentials: "omit", redirect: "error" });
    } catch {
      return { error: "undersign does not answer: start “undersign inspect” again, and open the address that it prints." };
    }
    return response.ok ? response.json() : { error: await response.text() };
  },
};
