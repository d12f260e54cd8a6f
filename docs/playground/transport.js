/*
 * How the page reaches Python in the documentation: it runs in the page itself, in a worker, on Pyodide.
 *
 * SPDX-License-Identifier: MIT
 */
const Transport = (() => {
  "use strict";

  // A worker from a blob has the policy of its page, which a worker from a file has only where the server says so.
  const code = `import ${JSON.stringify(new URL("worker.js", location.href.replace(/[?#].*/s, "")).href)};`;
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const trusted = globalThis.trustedTypes?.createPolicy("undersign", {
    createScriptURL: (url) => {
      if (url !== address) throw new TypeError("no script but the worker's");
      return url;
    },
  });
  const waiting = new Map();
  let number = 0;
  let broken = "";

  function fail(message) {
    broken = message;
    for (const done of waiting.values()) done({ error: broken });
    waiting.clear();
  }

  function start() {
    const worker = new Worker(trusted?.createScriptURL(address) ?? address, { type: "module" });
    worker.onmessage = ({ data: [of, answer] }) => {
      if (answer.fatal) return fail(answer.fatal);
      waiting.get(of)?.(answer);
      return waiting.delete(of);
    };
    worker.onerror = () =>
      fail("Python cannot be started in this page. A page from a file may not load it: serve it over HTTP, or run “undersign inspect”.");
    return worker;
  }

  const worker = start();

  return {
    privacy:
      "Python runs in this page, and nothing leaves it: once it is loaded, it asks for nothing more, and the page's policy allows no other address. A production secret is still better kept out of any page that is not your own: “undersign inspect” serves this one from your machine.",

    ask: (question) =>
      new Promise((done) => {
        if (broken) return done({ error: broken });
        waiting.set(++number, done);
        return worker.postMessage([number, question]);
      }),
  };
})();
