/*
 * Takes a command apart as cmd of Windows and then the C runtime do, which is how browsers copy "as cURL (cmd)".
 *
 * Text holds the bytes of the wire, one character for each.
 *
 * SPDX-License-Identifier: MIT
 */
const Cmd = (() => {
  "use strict";

  const { Unreadable } = Reading;

  const CARETS = /[ \t]\^[ \t]*\r?\n|\bcurl(?:\.exe)?"?[ \t]+(?:-[\w-]+[ \t]+)*\^"/i;
  // Quotes doubled inside of quotes: Bash would leave both out, and nobody writes that.
  const DOUBLED = /[^"\s\\]""[^"\s]/;
  const BASH = /(?:^|\s)\$?'|\\\r?\n|\\"/;
  const VARIABLE = /%[A-Za-z_][A-Za-z0-9_()]*%/;

  const isFor = (command) => CARETS.test(command) || (DOUBLED.test(command) && !BASH.test(command));

  function words(command, notes) {
    if (VARIABLE.test(command)) {
      throw new Unreadable("The command holds a variable of cmd (%…%): paste what it stands for.");
    }
    const found = split(line(command.replaceAll("\0", "").replaceAll("\r\n", "\n").trim()));
    notes.push("The command is read as cmd of Windows does.");
    if (/[\x80-\xff]/.test(command)) {
      notes.push("What is not ASCII is taken for UTF-8, and curl on Windows may send another code page.");
    }
    if (found.some((word) => word.includes("\\\\"))) {
      notes.push("curl on Windows sends the backslashes as they are, and a browser has written each of its own twice.");
    }
    if (found.some((word) => word.includes("\n"))) {
      notes.push("Line ends within it are LF, and browsers write those that they send as CRLF so, too.");
    }
    return found;
  }

  // What cmd hands to the program. A space that is escaped is NUL: browsers put that in place of what is not ASCII.
  function line(command) {
    let made = "";
    let quoted = false;
    for (let at = 0; at < command.length; at++) {
      const one = command[at];
      if (one === "\n") {
        if (!command.slice(at).trim()) break;
        throw new Unreadable("There is another command behind curl, or a ^ is missing at the end of a line.");
      }
      if (one === '"') quoted = !quoted;
      if (one === "^" && !quoted) {
        at += command[at + 1] === "\n" ? 2 : 1; // and what follows is taken as it is, another line end too
        made += command[at] === " " ? "\0" : (command[at] ?? "");
      } else if (one === "^" && /[&|<>^%"\\{}[\]!@#$]/.test(command[at + 1] ?? "")) {
        throw new Unreadable('The command has a ^ inside of "…", where cmd keeps it: copy it "as cURL (bash)".');
      } else if (/[&|<>]/.test(one) && !quoted) {
        throw new Unreadable(`The command has a bare ${one}, where cmd ends it: copy it anew.`);
      } else {
        made += one;
      }
    }
    return made;
  }

  function split(made) {
    const found = [];
    let word = null;
    let quoted = false;
    for (const match of made.matchAll(/(\\*)"|\\+|[ \t\0]+|[^\\" \t\0]+/g)) {
      const [piece, backslashes] = match;
      if (quoted && piece.includes("\0")) {
        throw new Unreadable(
          "The copy has ^ and a space where the browser has taken out a character that is not ASCII, or a line end: " +
            'copy it "as cURL (bash)".',
        );
      }
      if (backslashes !== undefined) {
        word = (word ?? "") + "\\".repeat(backslashes.length >> 1);
        if (backslashes.length % 2) word += '"';
        else if (quoted && made[match.index + piece.length] === '"') {
          word += '"'; // the second one is seen as the opening of a quote that goes on
          quoted = false;
        } else quoted = !quoted;
      } else if (/[ \t\0]/.test(piece[0]) && !quoted) {
        if (word !== null) found.push(word);
        word = null;
      } else {
        word = (word ?? "") + piece;
      }
    }
    if (quoted) throw new Unreadable("A quote is opened and not closed.");
    if (word !== null) found.push(word);
    return found;
  }

  return { isFor, words };
})();
