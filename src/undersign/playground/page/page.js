/*
 * The page: asks Python what is made of all that is typed, whenever that changes, and shows the answer.
 *
 * SPDX-License-Identifier: MIT
 */
(() => {
  "use strict";

  const WAIT = 80; // milliseconds without a key pressed, before it is asked
  const PAUSE = 200; // more of them, before a cause is looked for, which may take a second
  let number = 0; // of the latest question; the answers of earlier ones are not shown
  let timer = 0; // of a question that is about to be asked
  let pending = 0;

  const settle = () => (document.body.dataset.state = pending || timer ? "busy" : "idle");

  async function during(work) {
    pending++;
    settle();
    try {
      return await work();
    } finally {
      pending--;
      settle();
    }
  }

  const look = () => during(lookAtAll);

  async function lookAtAll() {
    clearTimeout(timer);
    timer = 0;
    const mine = ++number;
    const asked = Fields.question("look");
    $("at-field").hidden = asked.clock !== "at";
    $("recipe-field").hidden = !Fields.isRecipe();
    const answer = await Transport.ask(asked);
    if (mine !== number) return;
    Results.show(answer);
    const wrong = ["invalid", "unsigned"].includes(answer.verdict?.state) && asked.secret;
    Results.causes(wrong ? null : undefined);
    if (!wrong) return;
    await new Promise((done) => setTimeout(done, PAUSE));
    if (mine !== number) return;
    const found = await Transport.ask({ ...asked, action: "diagnose" });
    if (mine === number) Results.causes(found.causes ?? [{ code: "unexplained", detail: found.error ?? "" }]);
  }

  function soon() {
    number++; // what is under way is of no use any more
    clearTimeout(timer);
    timer = setTimeout(look, WAIT);
    settle();
  }

  async function example(name) {
    const { fields, error } = await Transport.ask({ action: "example", name });
    if (error) return Results.problem("fault", error);
    $("scheme").value = fields.scheme;
    Fields.fill(Fields.EMPTY);
    $("entry-field").hidden = true;
    await look(); // so that the scheme's own fields are there
    Fields.fill(fields);
    return look();
  }

  function clear() {
    Fields.fill(Fields.EMPTY);
    $("recipe").value = "";
    $("entry-field").hidden = true;
    $("pasted").focus();
    look();
  }

  function listen() {
    document.addEventListener("input", (event) => {
      if (event.target.id === "file") return;
      if (event.target.id === "pasted") {
        Fields.forget();
        $("entry-field").hidden = true;
      }
      soon();
    });
    $("file").addEventListener("change", async () => {
      if ($("file").files[0]) await Fields.open($("file").files[0]);
      $("file").value = "";
      $("entry-field").hidden = true;
      look();
    });
    $("again").addEventListener("click", look);
    $("clear").addEventListener("click", clear);
    $("show-secret").addEventListener("click", () => {
      const shown = $("secret").type === "password";
      for (const input of [$("secret"), ...$("extras").querySelectorAll("input")]) input.type = shown ? "text" : "password";
      $("show-secret").setAttribute("aria-pressed", String(shown));
      $("show-secret").textContent = shown ? "Hide" : "Show";
    });
    document.addEventListener("click", (event) => {
      const { copy, example: named, scheme } = event.target.closest("button")?.dataset ?? {};
      if (copy) Results.copy(event.target.closest("button"));
      if (named) during(() => example(named));
      if (scheme) {
        $("scheme").value = scheme;
        look();
      }
    });
    // A form may come back as it was left, and a secret is not to.
    addEventListener("pagehide", () => ($("secret").value = ""));
  }

  async function start() {
    $("privacy").textContent = Transport.privacy;
    const answer = await Transport.ask({ action: "start" });
    if (answer.error) {
      Results.verdict("none", "There is no answer");
      return Results.problem("fault", answer.error);
    }
    Fields.listSchemes(answer.schemes);
    $("examples").append(
      ...answer.examples.map((name) => element("button", { type: "button", class: "link", "data-example": name }, name)),
    );
    listen();
    return look();
  }

  during(start);
})();
