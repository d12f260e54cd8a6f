/*
 * Reads the request that a curl command sends, as far as the command alone tells it. It is split into words as Bash does.
 *
 * SPDX-License-Identifier: MIT
 */
const Curl = (() => {
  "use strict";

  const { wireBytes, lower, trim } = Undersign.steps;
  const { Unreadable, TOKEN, made, text, wire } = Reading;

  const FORM = "application/x-www-form-urlencoded";

  const PROMPT = /^(?:\s*#[^\n]*\n)*\s*(?:[$%>]\s+|PS [^>\n]*>\s*|[A-Za-z]:\\[^>\n]*>\s*)?/;
  const isCommand = (given) => /^(?:[^\s"']*[/\\])?curl(?:\.exe)?[\s\\^`]/i.test(given.replace(PROMPT, ""));
  const FOR_POWERSHELL =
    /`\r?\n\s*-|\bcurl(?:\.exe)?\s+(?:\S+\s+)?-(?:Uri|Method|Headers|Body|UseBasicParsing|WebSession)\b/i;
  // What stands for a space where text was copied from a page, and is none to a shell: their bytes.
  const OTHER_SPACE = /^(?:\xc2\xa0|\xe2\x80[\x80-\x8b\xaf]|\xe2\x81\x9f|\xe3\x80\x80|\xe1\x9a\x80|\xef\xbb\xbf)/;
  const BEHIND_A_SPACE = /^(?:[\s'"\\;&|<>#-]|\$'|https?:|$)/i;
  const TYPOGRAPHIC = /^\xe2(?:\x80[\x93\x94\x98-\x9e]|\x88\x92)/;

  const named = (text) => text.trim().split(/\s+/);

  const SHORT = Object.fromEntries(
    named(`
    0:http1.0 1:tlsv1 2:sslv2 3:sslv3 4:ipv4 6:ipv6 #:progress-bar A:user-agent B:use-ascii C:continue-at
    D:dump-header E:cert F:form G:get H:header I:head J:remote-header-name K:config L:location M:manual
    N:no-buffer O:remote-name P:ftp-port Q:quote R:remote-time S:show-error T:upload-file U:proxy-user V:version
    X:request Y:speed-limit Z:parallel a:append b:cookie c:cookie-jar d:data e:referer f:fail g:globoff h:help
    i:include j:junk-session-cookies k:insecure l:list-only m:max-time n:netrc o:output p:proxytunnel q:disable
    r:range s:silent t:telnet-option u:user v:verbose w:write-out x:proxy y:speed-time z:time-cond
  `).map((pair) => [pair[0], "--" + pair.slice(2)]),
  );
  SHORT[":"] = "--next";
  const TAKEN = named(
    "request header user-agent referer cookie url url-query request-target user form form-string upload-file config",
  );
  const DATA = named("data data-ascii data-raw data-binary data-urlencode json");
  const PLAIN = named("get head globoff path-as-is compressed next");
  const MULTIPART = "A multipart form has a boundary that curl draws at random: paste the raw request instead.";
  const ASKS_FIRST =
    "curl asks the server how to authenticate, and what it sends then is not known here: leave it out.";
  const LOGIN_IN_A_FILE = "The login stands in a file: leave it out.";
  const SENDS_NOTHING = "curl sends nothing with it: leave it out.";
  const NOT_HERE = {
    form: MULTIPART,
    "form-string": MULTIPART,
    "upload-file": "The page cannot read the file of --upload-file: paste its content as --data-binary.",
    config: "The page cannot read the file of --config.",
    next: "This is more than one request: paste one.",
    anyauth: ASKS_FIRST,
    digest: ASKS_FIRST,
    negotiate: ASKS_FIRST,
    ntlm: ASKS_FIRST,
    "ntlm-wb": ASKS_FIRST,
    netrc: LOGIN_IN_A_FILE,
    "netrc-file": LOGIN_IN_A_FILE,
    "netrc-optional": LOGIN_IN_A_FILE,
    help: SENDS_NOTHING,
    manual: SENDS_NOTHING,
    version: SENDS_NOTHING,
  };
  // What says how to reach the server, and what to do with its answer; and what other protocols than HTTP have.
  const IGNORED_VALUES = named(`
    abstract-unix-socket alt-svc cacert capath cert cert-type ciphers connect-timeout connect-to cookie-jar
    create-file-mode crlfile curves delegation dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers doh-url
    dump-header ech egd-file engine etag-save expect100-timeout ftp-account ftp-alternative-to-user ftp-method
    ftp-port ftp-ssl-ccc-mode happy-eyeballs-timeout-ms haproxy-clientip hostpubmd5 hostpubsha256 hsts interface
    ip-tos ipfs-gateway keepalive-cnt keepalive-time key key-type knownhosts krb libcurl limit-rate local-port
    login-options mail-auth mail-from mail-rcpt max-filesize max-redirs max-time noproxy output output-dir
    parallel-max parallel-max-host pass pinnedpubkey preproxy proto proto-redir proxy proxy-cacert proxy-capath
    proxy-cert proxy-cert-type proxy-ciphers proxy-crlfile proxy-header proxy-key proxy-key-type proxy-pass
    proxy-pinnedpubkey proxy-service-name proxy-tls13-ciphers proxy-tlsauthtype proxy-tlspassword proxy-tlsuser
    proxy-user proxy1.0 pubkey quote random-file rate resolve retry retry-delay retry-max-time sasl-authzid
    service-name sigalgs socks4 socks4a socks5 socks5-gssapi-service socks5-hostname speed-limit speed-time stderr
    telnet-option tftp-blksize tls-max tls13-ciphers tlsauthtype tlspassword tlsuser trace trace-ascii
    trace-config unix-socket upload-flags vlan-priority write-out
  `);
  const IGNORED = named(`
    append basic ca-native cert-status compressed-ssh create-dirs disable disable-eprt disable-epsv
    disallow-username-in-url doh-cert-status doh-insecure dump-ca-embed fail fail-early fail-with-body false-start
    follow form-escape ftp-create-dirs ftp-pasv ftp-pret ftp-skip-pasv-ip ftp-ssl-ccc ftp-ssl-control
    haproxy-protocol http0.9 http1.0 http1.1 http2 http2-prior-knowledge http3 http3-only ignore-content-length
    include insecure ipv4 ipv6 junk-session-cookies list-only location location-trusted mail-rcpt-allowfails
    metalink mptcp no-alpn no-buffer no-clobber no-keepalive no-npn no-progress-meter no-sessionid out-null
    parallel parallel-immediate post301 post302 post303 progress-bar proxy-anyauth proxy-basic proxy-ca-native
    proxy-digest proxy-http2 proxy-insecure proxy-negotiate proxy-ntlm proxy-ssl-allow-beast
    proxy-ssl-auto-client-cert proxy-tlsv1 proxytunnel raw remote-header-name remote-name remote-name-all
    remote-time remove-on-error retry-all-errors retry-connrefused sasl-ir show-error silent skip-existing
    socks5-basic socks5-gssapi socks5-gssapi-nec ssl ssl-allow-beast ssl-auto-client-cert ssl-no-revoke ssl-reqd
    ssl-revoke-best-effort sslv2 sslv3 styled-output suppress-connect-headers tcp-fastopen tcp-nodelay
    tftp-no-options tls-earlydata tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 trace-ids trace-time use-ascii verbose
    xattr
  `);

  function read(given) {
    const notes = [];
    const command = wire(given.replace(PROMPT, "").trim());
    if (FOR_POWERSHELL.test(command)) {
      throw new Unreadable('The command is written for PowerShell: let the browser copy it "as cURL (bash)".');
    }
    const [, ...rest] = Cmd.isFor(command) ? Cmd.words(command, notes) : words(command, notes);
    const options = [...optionsOf(rest)];
    const has = (name) => options.some(([option]) => option === name);
    const all = (...names) => options.filter(([option]) => names.includes(option));
    const last = (name) => all(name).at(-1)?.[1];

    for (const [name] of options) {
      if (Object.hasOwn(NOT_HERE, name.slice(2))) throw new Unreadable(NOT_HERE[name.slice(2)]);
    }
    if (has("--user")) notes.push("-u is left out: a signature takes the place of a password.");
    if (!options.some(([name, value]) => name === "--header" && /^user-agent:/i.test(value)) && !has("--user-agent")) {
      notes.push("curl also sends a User-Agent with its version, which is not known here.");
    }
    if (has("--compressed")) notes.push("--compressed is left out: curl adds an Accept-Encoding header of its own.");
    const urls = all("--url");
    if (urls.length !== 1) {
      throw new Unreadable(urls.length ? "There is more than one URL: paste one request." : "The command has no URL.");
    }

    let url = urls[0][1];
    if (!/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(url)) {
      notes.push("The URL has no scheme, and curl takes http://.");
      url = "http://" + url;
    }
    if (!has("--globoff")) {
      // As Chrome writes them: so escaped they are what they are.
      const rest = url.replace(/^https?:\/\/\[[^\]]*\]/i, "").replace(/\\[[\]{}]|\[\]/g, "");
      if (/[[\]{}]/.test(rest)) {
        throw new Unreadable(
          "curl expands [ ] and { } in a URL to several requests: escape them (%5B), or add --globoff.",
        );
      }
      url = url.replace(/\\([[\]{}])/g, "$1");
    }
    const data = dataOf(all(...DATA.map((name) => "--" + name)));
    const queries = all("--url-query").map(([, value]) => (value.startsWith("+") ? value.slice(1) : urlencoded(value)));
    // Where there is data for --get, curl forgets --url-query.
    const query = has("--get") && data !== null ? data : queries.length ? queries.join("&") : null;
    if (query !== null) url = withQuery(url, query, notes);
    if (!has("--path-as-is")) url = withoutDots(url, notes);

    const asQuery = has("--get") || data === null;
    const headers = curlHeaders({ all, last, has }, asQuery ? null : has("--json") ? "application/json" : FORM, notes);
    const method = last("--request") ?? (has("--head") ? "HEAD" : asQuery ? "GET" : "POST");
    const request = made(method, url, headers, asQuery ? new Uint8Array() : wireBytes(data), notes);
    return { request: { ...request, target: last("--request-target") ?? request.target }, notes };
  }

  // The words of a command as Bash splits it. What a shell would put in another's place is not known here.
  function words(command, notes) {
    const found = [];
    let word = null;
    let at = 0;
    const add = (part) => (word = (word ?? "") + part);
    while (at < command.length) {
      const rest = command.slice(at);
      let match;
      if ((match = /^\\\r?\n/.exec(rest))) {
        // a line that goes on
      } else if ((match = OTHER_SPACE.exec(rest)) && isSpace(word, rest.slice(match[0].length))) {
        if (!notes.includes(OTHER_SPACES)) notes.push(OTHER_SPACES);
        if (word !== null) found.push(word);
        word = null;
      } else if (match) {
        throw new Unreadable("The command holds a no-break space within a word: write a space there, or quote it.");
      } else if (word === null && TYPOGRAPHIC.test(rest)) {
        throw new Unreadable("The command holds quotes or dashes of a word processor: write the plain ones.");
      } else if ((match = /^[ \t\r\n]+/.exec(rest))) {
        if (match[0].includes("\n") && command.slice(at).trim() && found.length + (word !== null) > 0) {
          throw new Unreadable(
            "The command ends at a line end that no backslash precedes, and more follows: paste one command.",
          );
        }
        if (word !== null) found.push(word);
        word = null;
      } else if ((match = /^\$'((?:[^'\\]|\\[^])*)'/.exec(rest))) {
        add(escapes(match[1]).split("\0")[0]); // no word holds a NUL, so Bash ends this one there
      } else if ((match = /^'([^']*)'/.exec(rest))) {
        add(match[1]);
      } else if ((match = /^\$?"((?:[^"\\]|\\[^])*)"/.exec(rest))) {
        const inner = match[1].replace(/\\\r?\n/g, "");
        if (/(?<!\\)(?:\\\\)*(`|\$[A-Za-z_({])/.test(inner)) {
          throw new Unreadable(`The shell would put something in place of ${shown(inner)}: paste what it stands for.`);
        }
        add(inner.replace(/\\(["$`\\])/g, "$1"));
      } else if (/^\$?['"]/.test(rest)) {
        throw new Unreadable("A quote is opened and not closed.");
      } else if ((match = /^\\([^])/.exec(rest))) {
        add(match[1]);
      } else if (/^[&|;<>()]/.test(rest)) {
        throw new Unreadable(
          `An unquoted ${rest[0]} ends the command in a shell: put the URL and the values in quotes.`,
        );
      } else if (/^(`|\$[A-Za-z_({])/.test(rest)) {
        throw new Unreadable(`The shell would put something in place of ${shown(rest)}: paste what it stands for.`);
      } else {
        match = /^[^\\'"$`&|;<>() \t\r\n\x80-\xff]+|^[^]/.exec(rest);
        add(match[0]);
      }
      at += match[0].length;
    }
    if (word !== null) found.push(word);
    return found;
  }

  const OTHER_SPACES = "A no-break space, or another that is none to a shell, is read as a space.";
  const isSpace = (word, behind) =>
    word === null || /^curl(\.exe)?$/i.test(word) || BEHIND_A_SPACE.test(behind) || OTHER_SPACE.test(behind);

  const shown = (value) => (value.length > 24 ? text(value.slice(0, 24)) + "…" : text(value));

  const ESCAPES = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", e: "\x1b", E: "\x1b", f: "\f", v: "\v" };
  const escapes = (quoted) =>
    quoted.replace(
      /\\(?:u([Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|([^]))/g,
      (whole, pair, byte, short, long, octal, one) => {
        // Browsers write a character beyond U+FFFF as the two halves that JavaScript has of it.
        if (pair) return wire(String.fromCharCode(...pair.split("\\u").map((half) => parseInt(half, 16))));
        if (byte) return String.fromCharCode(parseInt(byte, 16));
        if (octal) return String.fromCharCode(parseInt(octal, 8) & 0xff);
        if (one) return ESCAPES[one] ?? (/["'\\?]/.test(one) ? one : whole);
        const point = parseInt(short ?? long, 16);
        return wire(point > 0x10ffff ? "\ufffd" : String.fromCodePoint(point));
      },
    );

  // [long name, value] of each option; a word that is none is a URL.
  function* optionsOf(rest) {
    const wantsValue = (name) => [...TAKEN, ...DATA, ...IGNORED_VALUES].includes(name.slice(2));
    const isFlag = (name) => [...PLAIN, ...IGNORED, ...Object.keys(NOT_HERE)].includes(name);
    const known = (name) => wantsValue(name) || isFlag(name.slice(2)) || isFlag(name.replace(/^--no-/, ""));
    const queue = [...rest];
    let onlyUrls = false;
    while (queue.length) {
      const word = queue.shift();
      if (onlyUrls || !/^-./.test(word)) {
        yield ["--url", word];
      } else if (word === "--") {
        onlyUrls = true;
      } else if (word.startsWith("--")) {
        if (!known(word)) {
          throw new Unreadable(
            `This page does not know curl's option ${shown(word)}: leave it out if it does not change the request.`,
          );
        }
        if (wantsValue(word) && !queue.length) throw new Unreadable(`${word} wants a value.`);
        yield [word, wantsValue(word) ? queue.shift() : ""];
      } else {
        for (let at = 1; at < word.length; at++) {
          const name = SHORT[word[at]];
          if (!name) {
            throw new Unreadable(
              `This page does not know curl's option -${shown(word[at])}: leave it out if it does not change the request.`,
            );
          }
          if (!wantsValue(name)) {
            yield [name, ""];
            continue;
          }
          const value = word.slice(at + 1) || queue.shift();
          if (value === undefined) throw new Unreadable(`-${word[at]} wants a value.`);
          yield [name, value];
          break;
        }
      }
    }
  }

  function dataOf(given) {
    if (!given.length) return null;
    return given.reduce((joined, [name, value], place) => {
      if (name !== "--data-raw" && value.startsWith("@")) {
        throw new Unreadable(
          `The page cannot read the file of ${name} ${shown(value)}: paste its content as --data-raw.`,
        );
      }
      const part = name === "--data-urlencode" ? urlencoded(value) : value;
      return joined + (place && name !== "--json" ? "&" : "") + part;
    }, "");
  }

  // As --data-urlencode takes it: content, =content, name=content.
  function urlencoded(value) {
    const mark = /[=@]/.exec(value);
    if (mark?.[0] === "@") throw new Unreadable(`The page cannot read the file of --data-urlencode ${shown(value)}.`);
    const name = mark ? value.slice(0, mark.index) : "";
    const content = mark ? value.slice(mark.index + 1) : value;
    const encoded = content.replace(/[^A-Za-z0-9._~-]/g, (byte) =>
      byte === " " ? "+" : "%" + byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0"),
    );
    return name ? `${name}=${encoded}` : encoded;
  }

  function withQuery(url, query, notes) {
    const [, before, fragment] = /^([^#]*)(#?.*)$/s.exec(url);
    const [, place, , there = ""] = /^([^?]*)(\?([^]*))?$/.exec(before);
    const added = query.replace(/%[0-9A-Fa-f]{2}/g, lower);
    if (added !== query) {
      notes.push(
        "What --get and --url-query escape is in lower case, as curl 7.88 sends it; other versions may differ.",
      );
    }
    const whole = there + (there && !there.endsWith("&") ? "&" : "") + added;
    return place + (whole && "?") + whole + fragment;
  }

  // curl takes . and .. out of a path before it sends it (RFC 3986, section 5.2.4).
  function withoutDots(url, notes) {
    const [, origin, path, rest] = /^([^/]*\/\/[^/?#]*)([^?#]*)([^]*)$/.exec(url);
    if (!path.split("/").some((segment) => segment === "." || segment === "..")) return url;
    notes.push("curl takes . and .. out of the path before it sends it.");
    const kept = [];
    const segments = path.split("/").slice(1);
    segments.forEach((segment, place) => {
      if (segment === "..") kept.pop();
      else if (segment !== ".") kept.push(segment);
      if (/^\.\.?$/.test(segment) && place === segments.length - 1) kept.push("");
    });
    return `${origin}/${kept.join("/")}${rest}`;
  }

  function curlHeaders({ all, last, has }, contentType, notes) {
    const found = [];
    const removed = [];
    for (const [, value] of all("--header")) {
      if (value.startsWith("@")) throw new Unreadable(`The page cannot read the file of -H ${shown(value)}.`);
      const colon = value.indexOf(":");
      const empty = colon < 0 && /;\s*$/.test(value); // curl's way to send a header without a value
      const name = empty ? value.replace(/;\s*$/, "") : value.slice(0, Math.max(colon, 0));
      if (!TOKEN.test(name)) throw new Unreadable(`-H ${shown(value)} is not a header. It is Name: value.`);
      if (/[\r\n\0]/.test(value)) throw new Unreadable(`-H ${name} holds a line end.`);
      if (!empty && !trim(value.slice(colon + 1))) removed.push(lower(name));
      else found.push([name, empty ? "" : trim(value.slice(colon + 1))]);
    }
    const add = (name, value) => {
      const there = removed.includes(lower(name)) || found.some(([held]) => lower(held) === lower(name));
      if (value !== undefined && value !== null && value !== "" && !there) found.push([name, value]);
    };
    add("User-Agent", last("--user-agent"));
    add("Referer", last("--referer")?.replace(/;auto$/, ""));
    const cookies = all("--cookie").map(([, value]) => value);
    if (cookies.some((value) => !value.includes("="))) notes.push("-b with the name of a file is left out.");
    add("Cookie", cookies.filter((value) => value.includes("=")).join(";"));
    add("Accept", has("--json") ? "application/json" : "*/*");
    add("Content-Type", contentType);
    return found;
  }

  return { isCommand, read };
})();
