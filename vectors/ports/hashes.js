/*
 * Hashes and HMAC for port.js: browsers have no MD5, and their others only behind promises. Bytes are Uint8Arrays.
 *
 * SPDX-License-Identifier: MIT
 */
const Hashes = (() => {
  "use strict";

  const concat = (...parts) => {
    const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    parts.reduce((at, part) => (joined.set(part, at), at + part.length), 0);
    return joined;
  };

  function padded(bytes, block, littleEndian) {
    const length = Math.ceil((bytes.length + 1 + block / 8) / block) * block;
    const view = new DataView(concat(bytes, [0x80], new Uint8Array(length - bytes.length - 1)).buffer);
    const low = (bytes.length * 8) >>> 0;
    const high = Math.floor(bytes.length / 2 ** 29);
    view.setUint32(length - 8, littleEndian ? low : high, littleEndian);
    view.setUint32(length - 4, littleEndian ? high : low, littleEndian);
    return view;
  }

  // What MD5 and SHA-1 do alike: each block of 16 words is mixed with the state, and the result added to it.
  function digest(bytes, state, mixed, littleEndian) {
    const view = padded(bytes, 64, littleEndian);
    for (let at = 0; at < view.byteLength; at += 64) {
      const words = Array.from({ length: 16 }, (_, i) => view.getUint32(at + 4 * i, littleEndian));
      const added = mixed(words, ...state);
      state = state.map((word, i) => (word + added[i]) | 0);
    }
    const written = new DataView(new ArrayBuffer(4 * state.length));
    state.forEach((word, i) => written.setUint32(4 * i, word, littleEndian));
    return new Uint8Array(written.buffer);
  }

  const rotated = (word, by) => (word << by) | (word >>> (32 - by));

  const MD5_SHIFTS = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
  const MD5_SINES = Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32) | 0);

  function mixedByMd5(words, a, b, c, d) {
    for (let i = 0; i < 64; i++) {
      const round = i >> 4;
      const f = [(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)][round];
      const word = words[[i, 5 * i + 1, 3 * i + 5, 7 * i][round] % 16];
      const sum = (a + f + MD5_SINES[i] + word) | 0;
      [a, b, c, d] = [d, (b + rotated(sum, MD5_SHIFTS[round][i % 4])) | 0, b, c];
    }
    return [a, b, c, d];
  }

  function mixedBySha1(w, a, b, c, d, e) {
    for (let i = 16; i < 80; i++) w[i] = rotated(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (let i = 0; i < 80; i++) {
      const round = Math.floor(i / 20);
      const f = [(b & c) | (~b & d), b ^ c ^ d, (b & c) | (b & d) | (c & d), b ^ c ^ d][round];
      const constant = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6][round];
      [a, b, c, d, e] = [(rotated(a, 5) + f + e + constant + w[i]) | 0, a, rotated(b, 30), c, d];
    }
    return [a, b, c, d, e];
  }

  const STATE = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
  const md5 = (bytes) => digest(bytes, STATE, mixedByMd5, true);
  const sha1 = (bytes) => digest(bytes, [...STATE, 0xc3d2e1f0], mixedBySha1, false);

  // SHA-2 takes its constants from the roots of the first primes: 64 bits behind the point.
  const primes = [2];
  for (let n = 3; primes.length < 80; n += 2) if (primes.every((prime) => n % prime)) primes.push(n);
  const root = (n, power) => {
    let found = 0n;
    for (let bit = 1n << 68n; bit; bit >>= 1n) if ((found | bit) ** power <= n) found |= bit;
    return found & 0xffffffffffffffffn;
  };
  const CUBE_ROOTS = primes.map((prime) => root(BigInt(prime) << 192n, 3n));
  const SQUARE_ROOTS = primes.slice(0, 16).map((prime) => root(BigInt(prime) << 128n, 2n));

  function sha2(bytes, size) {
    const wide = size > 32;
    const [bits, block, rounds] = wide ? [64n, 128, 80] : [32n, 64, 64];
    const mask = (1n << bits) - 1n;
    const rotations = wide
      ? [[1n, 8n, -7n], [19n, 61n, -6n], [28n, 34n, 39n], [14n, 18n, 41n]]
      : [[7n, 18n, -3n], [17n, 19n, -10n], [2n, 13n, 22n], [6n, 11n, 25n]];
    // A rotation below zero is a shift.
    const turned = (word, by) => (by < 0n ? word >> -by : (word >> by) | ((word << (bits - by)) & mask));
    const sigma = (which, word) => rotations[which].reduce((sum, by) => sum ^ turned(word, by), 0n);
    const high = (word) => (wide ? word : word >> 32n);
    const roots = size === 64 || size === 32 ? SQUARE_ROOTS.slice(0, 8) : SQUARE_ROOTS.slice(8);
    const state = roots.map(size === 28 ? (word) => word & mask : high);
    const view = padded(bytes, block, false);
    for (let at = 0; at < view.byteLength; at += block) {
      const word = (i) => (wide ? view.getBigUint64(at + 8 * i) : BigInt(view.getUint32(at + 4 * i)));
      const w = Array.from({ length: 16 }, (_, i) => word(i));
      for (let i = 16; i < rounds; i++) w[i] = (w[i - 16] + sigma(0, w[i - 15]) + w[i - 7] + sigma(1, w[i - 2])) & mask;
      let [a, b, c, d, e, f, g, h] = state;
      for (let i = 0; i < rounds; i++) {
        const one = h + sigma(3, e) + ((e & f) ^ (~e & mask & g)) + high(CUBE_ROOTS[i]) + w[i];
        const two = sigma(2, a) + ((a & b) ^ (a & c) ^ (b & c));
        [a, b, c, d, e, f, g, h] = [(one + two) & mask, a, b, c, (d + one) & mask, e, f, g];
      }
      [a, b, c, d, e, f, g, h].forEach((word, i) => (state[i] = (state[i] + word) & mask));
    }
    const text = state.map((word) => word.toString(16).padStart(Number(bits / 4n), "0")).join("");
    return Uint8Array.from(text.match(/../g).slice(0, size), (pair) => parseInt(pair, 16));
  }

  const HASHES = {
    md5: { size: 16, block: 64, of: md5 },
    sha1: { size: 20, block: 64, of: sha1 },
    sha224: { size: 28, block: 64, of: (bytes) => sha2(bytes, 28) },
    sha256: { size: 32, block: 64, of: (bytes) => sha2(bytes, 32) },
    sha384: { size: 48, block: 128, of: (bytes) => sha2(bytes, 48) },
    sha512: { size: 64, block: 128, of: (bytes) => sha2(bytes, 64) },
  };

  function hmac(hash, secret, message) {
    const short = secret.length > hash.block ? hash.of(secret) : secret;
    const key = concat(short, new Uint8Array(hash.block - short.length));
    const inner = hash.of(concat(key.map((byte) => byte ^ 0x36), message));
    return hash.of(concat(key.map((byte) => byte ^ 0x5c), inner));
  }

  return { HASHES, hmac, concat };
})();

if (typeof module === "object") module.exports = Hashes;
