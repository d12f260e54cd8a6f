/*
 * Text as bytes in several encodings. A wire string has one character for each byte.
 *
 * SPDX-License-Identifier: MIT
 */
const Encodings = (() => {
  "use strict";

  const { steps, utf8 } = Undersign;
  const { toWire, wireBytes, fromUtf8 } = steps;

  const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const CP1252 = new Map(
    Array.from(new TextDecoder("windows-1252").decode(EVERY_BYTE), (letter, byte) => [letter, byte]),
  );
  const decoded = (bytes) => {
    try {
      return fromUtf8(wireBytes(bytes), true);
    } catch {
      return null;
    }
  };
  const inLatin1 = (text) => (/[^\0-\xff]/.test(text) ? null : text);
  const inCp1252 = (text) =>
    [...text].every((letter) => CP1252.has(letter)) ? toWire([...text].map((letter) => CP1252.get(letter))) : null;
  const inUtf16 = (text) =>
    Array.from({ length: text.length }, (_, at) =>
      String.fromCharCode(text.charCodeAt(at) & 0xff, text.charCodeAt(at) >> 8),
    ).join("");
  const toUtf8 = (text) => toWire(utf8(text));
  const percent = (byte) => "%" + byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0");
  const quoted = (wire, bare) =>
    wire.replace(/[^A-Za-z0-9._~-]/g, (byte) => (bare.includes(byte) ? byte : percent(byte)));
  const unquoted = (wire) =>
    wire.replace(/%([0-9A-Fa-f]{2})/g, (_, digits) => String.fromCharCode(parseInt(digits, 16)));

  const unhex = (digits) => digits.replace(/../g, (pair) => String.fromCharCode(parseInt(pair, 16)));

  // The same text in each encoding that has it, other than the one it is in, with the encoding's name.
  function others(wire) {
    if (/^[\0-\x7f]*$/.test(wire)) return [];
    const text = decoded(wire);
    const fromCp1252 = new TextDecoder("windows-1252").decode(wireBytes(wire));
    const found = [
      [toUtf8(wire), "UTF-8"],
      [toUtf8(fromCp1252), "UTF-8"],
    ];
    if (text !== null) found.push([inLatin1(text), "Latin-1"], [inCp1252(text), "CP1252"], [inUtf16(text), "UTF-16"]);
    return found.filter(([value]) => value !== null);
  }

  return { decoded, others, toUtf8, percent, quoted, unquoted, unhex };
})();
