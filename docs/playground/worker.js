/*
 * Python in a worker: loaded from beside this file, asked one question after the other.
 *
 * SPDX-License-Identifier: MIT
 */
// Pyodide calls this to find out that it is in a module worker, where the page's policy would report the attempt.
globalThis.importScripts = undefined;

const ANSWER = `
import json, sys
sys.path.insert(0, "/bundle")
from undersign.playground import answer
lambda question: json.dumps(answer(json.loads(question)))
`;

async function load() {
  const { loadPyodide } = await import("./pyodide/pyodide.mjs");
  const [python, bundle] = await Promise.all([
    loadPyodide({ indexURL: new URL("pyodide/", import.meta.url).href }),
    fetch(new URL("python.zip", import.meta.url)).then((response) => response.arrayBuffer()),
  ]);
  python.unpackArchive(bundle, "zip", { extractDir: "/bundle" });
  return python.runPython(ANSWER);
}

const answer = load();

onmessage = async ({ data: [number, question] }) => {
  try {
    const ask = await answer;
    postMessage([number, JSON.parse(ask(JSON.stringify(question)))]);
  } catch (error) {
    postMessage([number, { fatal: `Python cannot be started in this page: ${error.name}.` }]);
  }
};
