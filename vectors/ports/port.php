<?php
/*
 * Signs and verifies HTTP requests: HTTP HMAC 1.0 (goTom) and keyed timestamps (GoGrid). PHP 8.1 or later, nothing else.
 *
 *     require 'port.php';
 *     $request = new Request('GET', '/path?query', [['Content-Type', 'application/json']], '', 'https://host');
 *     $signed = sign('gotom', [], $request, 'key id', 'secret', time());            // $signed['patch']['headers'], …
 *     $keyId = verify('gotom', [], $request, ['key id' => ['secret']], time());
 *
 * What cannot be signed or does not verify is thrown as Refused with a reason. `php port.php` speaks the conformance protocol.
 *
 * SPDX-License-Identifier: MIT
 */

declare(strict_types=1);

const FORM = 'application/x-www-form-urlencoded';
const OVERRIDES = ['x-http-method-override', 'x-http-method', 'x-method-override'];
const SIZES = ['md5' => 16, 'sha1' => 20, 'sha224' => 28, 'sha256' => 32, 'sha384' => 48, 'sha512' => 64];
const SCHEMES = [
    'gotom' => [
        'provider' => 'gotom_app_api', 'algorithm' => 'sha1', 'signed_headers' => [], 'drop_blank_headers' => false,
        'content_type' => 'application/json', 'date_header' => 'Date', 'date_precision' => 'seconds',
        'multipart_as_empty' => false, 'window' => ['past' => 1800, 'future' => 1800],
    ],
    'gogrid' => [
        'key_param' => 'api_key', 'sig_param' => 'sig', 'version_param' => 'v', 'version' => '1.5',
        'versions' => ['1.0', '1.1', '1.2', '1.3', '1.4', '1.5', '1.6', '1.7', '1.8', '1.9'], 'algorithm' => 'md5',
        'placement' => 'auto', 'methods' => ['GET', 'POST'], 'allow_http' => false,
        'window' => ['past' => 600, 'future' => 600],
    ],
];

final class Refused extends Exception
{
    public function __construct(public readonly string $reason, string $detail)
    {
        parent::__construct("$reason: $detail");
    }
}

function refuseIf(bool $wrong, string $reason, string $detail): void
{
    if ($wrong) {
        throw new Refused($reason, $detail);
    }
}

/** A request as it is on the wire: all strings hold its bytes. Headers are pairs, in their order. */
final class Request
{
    public function __construct(
        public string $method,
        public string $target,
        public array $headers = [],
        public string $body = '',
        public string $origin = '',
    ) {}

    /** The values of all headers of that name (lower case), without the spaces and tabs around them. */
    public function values(string $name): array
    {
        $found = array_filter($this->headers, fn ($pair) => strtolower($pair[0]) === $name);
        return array_values(array_map(fn ($pair) => trim($pair[1], " \t"), $found));
    }

    public function hasMediaType(string $type): bool
    {
        $typeOf = fn ($value) => strtolower(rtrim(explode(';', $value)[0], " \t"));
        return in_array($type, array_map($typeOf, $this->values('content-type')), true);
    }

    public function with(array $changed): self
    {
        $names = array_map(fn ($pair) => strtolower($pair[0]), $changed);
        $kept = array_filter($this->headers, fn ($pair) => !in_array(strtolower($pair[0]), $names, true));
        return new self($this->method, $this->target, [...$kept, ...$changed], $this->body, $this->origin);
    }
}

/** Path and query of a target that has the absolute form. */
function originForm(string $target): string
{
    $left = preg_replace('~^https?://[^/?#]*~i', '', $target, 1, $isAbsolute);
    return $isAbsolute && !str_starts_with($left, '/') ? "/$left" : $left;
}

/** What no scheme signs or takes. The D of the patterns keeps $ from matching before a newline. */
function checkRequest(Request $request, string $target, string $reason): void
{
    refuseIf(!preg_match('/^[!#$%&\'*+.^_`|~0-9A-Za-z-]+$/D', $request->method), $reason, 'the method is not a token');
    $isPlain = preg_match('~^/[!"$-\~]*$~D', $target);
    refuseIf(!$isPlain, $reason, 'the target is not path and query in printable ASCII without #');
    $names = array_map(fn ($pair) => strtr(strtolower($pair[0]), '_', '-'), $request->headers);
    $isOverridden = strtoupper($request->method) === 'POST' && array_intersect($names, OVERRIDES);
    refuseIf($isOverridden, $reason, 'the method is overridden');
}

function isCleanText(string $keyId): bool
{
    return preg_match('//u', $keyId) && !preg_match('/[\x00-\x08\x0a-\x1f\x7f]/', $keyId);
}

function dateText(int|float $now, bool $milliseconds): string
{
    $second = (int) floor($now);
    refuseIf($second < -62135596800 || $second > 253402300799, 'cannot_sign', 'no date says this time');
    $fraction = min(intdiv((int) round(($now - $second) * 1e6), 1000), 999);
    return gmdate('Y-m-d\TH:i:s', $second) . ($milliseconds ? sprintf('.%03d', $fraction) : '') . 'Z';
}

/**
 * Unix seconds of a date in one of the forms that are read, else null. Never strtotime, which reads `now` and `sat`.
 * What is finer than a second is cut off.
 */
function dateSeconds(string $text): ?int
{
    $zone = '(?:Z|(?<sign>[+-])(?<zoneHour>\d\d)(?::?(?<zoneMinute>\d\d))?)';
    $day = '(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)';
    $time = '(?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)';
    $months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
    $forms = [
        "{$day}T{$time}(?:\.\d+)?)?{$zone}",
        "{$day} {$time}(?:\.\d+)?)?(?: UTC| ?{$zone})",
        "(?<year>\d{4})(?<month>\d\d)(?<day>\d\d)T(?<hour>\d\d)(?<minute>\d\d)(?<second>\d\d){$zone}",
        // RFC 5322
        '(?:(?<weekday>[A-Z][a-z]{2}), )?(?<day>\d{1,2}) (?<monthName>' . implode('|', $months) . ') (?<year>\d{4}) '
            . "{$time})? (?:GMT|UTC|(?<sign>[+-])(?<zoneHour>\d\d)(?<zoneMinute>\d\d))",
    ];
    foreach ($forms as $form) {
        if (preg_match("/^{$form}$/D", $text, $match)) {
            break;
        }
    }
    if (!$match) {
        return null;
    }
    $number = fn (string $name): int => (int) ($match[$name] ?? 0);
    $month = isset($match['monthName']) ? (int) array_search($match['monthName'], $months, true) + 1 : $number('month');
    $isTime = max($number('hour'), $number('zoneHour')) <= 23
        && max($number('minute'), $number('second'), $number('zoneMinute')) <= 59;
    $isDay = checkdate($month, $number('day'), $number('year'));
    // Not gmmktime, which takes the years 0 to 100 for 1970 to 2069.
    $date = (new DateTimeImmutable('@0'))->setDate($number('year'), $month, $number('day'));
    $isWeekday = in_array($match['weekday'] ?? '', ['', $date->format('D')], true);
    if (!$isTime || !$isDay || !$isWeekday) {
        return null;
    }
    $offset = (($match['sign'] ?? '') === '-' ? -1 : 1) * ($number('zoneHour') * 3600 + $number('zoneMinute') * 60);
    return $date->getTimestamp() + $number('hour') * 3600 + $number('minute') * 60 + $number('second') - $offset;
}

/** The secrets of a key id; one that is empty is none. A key id such as "12" is an integer among array keys. */
function secretsOf(array $keys, string $keyId): array
{
    $secrets = array_filter($keys[$keyId] ?? [], fn ($secret) => $secret !== '');
    return $secrets ?: throw new Refused('unknown_key', 'no secret is known');
}

/** HTTP HMAC 1.0: Authorization: <provider> <key id>:base64(HMAC(secret, string to sign)) */
final class HeaderHmac
{
    public function __construct(private readonly array $options) {}

    public function stringToSign(Request $request): string
    {
        $found = $this->covered($request, 'cannot_sign');
        $asEmpty = $this->options['multipart_as_empty'] && strtoupper($request->method) === 'POST'
            && $request->hasMediaType('multipart/form-data');
        $custom = [];
        foreach (array_unique($this->options['signed_headers'], SORT_STRING) as $name) {
            $value = $found[strtolower($name)] ?? null;
            if ($value !== null && !($this->options['drop_blank_headers'] && ($value === '' || $value === '0'))) {
                $custom[] = strtolower($name) . ': ' . $value;
            }
        }
        sort($custom, SORT_STRING); // whole lines, by bytes
        return implode("\n", [
            strtoupper($request->method),
            md5($asEmpty ? '' : $request->body),
            strtolower($found['content-type']),
            $found[strtolower($this->options['date_header'])],
            implode("\n", $custom),
            originForm($request->target),
        ]);
    }

    public function signature(string $secret, string $string): string
    {
        return base64_encode(hash_hmac($this->options['algorithm'], $string, $secret, true));
    }

    public function sign(Request $request, string $keyId, string $secret, int|float $now): array
    {
        $date = dateText($now, $this->options['date_precision'] === 'milliseconds');
        $headers = [[$this->options['date_header'], $date]];
        if (!$request->values('content-type')) {
            $headers[] = ['Content-Type', $this->options['content_type']];
        }
        $signed = array_map('strtolower', $this->options['signed_headers']);
        if (in_array('host', $signed, true) && !$request->values('host')) {
            $host = explode('://', $request->origin)[1] ?? throw new Refused('cannot_sign', 'Host is signed and not known');
            $headers[] = ['Host', $host];
        }
        $string = $this->stringToSign($request->with($headers));
        $escaped = addcslashes($keyId, '\\:');
        $headers[] = ['Authorization', "{$this->options['provider']} $escaped:{$this->signature($secret, $string)}"];
        $patch = ['headers' => $headers, 'query' => [], 'form' => []];
        return ['patch' => $patch, 'target' => $request->target, 'body' => $request->body, 'string_to_sign' => $string];
    }

    public function verify(Request $request, array $keys, int|float $now): string
    {
        [$keyId, $signature] = $this->credentials($request);
        $found = $this->covered($request, 'malformed');
        $at = dateSeconds($found[strtolower($this->options['date_header'])] ?? '');
        refuseIf($at === null || !isset($found['content-type']), 'malformed', 'no date that is read, or no Content-Type');
        checkRequest($request, $request->target, 'malformed');
        refuseIf($request->method !== strtoupper($request->method), 'malformed', 'the method is not upper case');
        $age = (int) floor($now) - $at;
        refuseIf($age > $this->options['window']['past'], 'stale', 'too old');
        refuseIf(-$age > $this->options['window']['future'], 'future', 'too far ahead');
        $string = $this->stringToSign($request);
        foreach (secretsOf($keys, $keyId) as $secret) {
            if (hash_equals($this->signature($secret, $string), $signature)) {
                return $keyId;
            }
        }
        throw new Refused('mismatch', 'no secret fits');
    }

    private function credentials(Request $request): array
    {
        $provider = $this->options['provider'];
        $sent = $request->values('authorization');
        $claims = array_filter($sent, fn ($value) => str_starts_with("$value ", "$provider "));
        refuseIf(!$claims, 'missing', 'no Authorization of this provider');
        $size = SIZES[$this->options['algorithm']];
        $shape = sprintf('[A-Za-z0-9+\/]{%d}={%d}', ceil($size * 4 / 3), (3 - $size % 3) % 3);
        // Possessive, since a long key id would reach the limits of backtracking.
        $form = "/^((?:[^\\\\:]++|\\\\[\\\\:])++):($shape)\$/D";
        preg_match($form, substr($sent[0], strlen($provider) + 1), $match);
        refuseIf(count($sent) > 1 || !$match, 'malformed', 'Authorization is not there once in its one form');
        $keyId = preg_replace('/\\\\(.)/s', '$1', $match[1]);
        refuseIf(!isCleanText($keyId), 'malformed', 'the key id is not UTF-8 or holds a control character');
        return [$keyId, $match[2]];
    }

    /** The headers that are signed, by name in lower case, each there once and with a clean value. */
    private function covered(Request $request, string $reason): array
    {
        $signed = ['content-type', $this->options['date_header'], ...$this->options['signed_headers']];
        $names = array_map('strtolower', $signed);
        $folded = array_map(fn ($name) => strtr($name, '_', '-'), $names);
        $found = [];
        foreach ($request->headers as [$name, $value]) {
            $name = strtolower($name);
            if (in_array($name, $names, true)) {
                $value = trim($value, " \t");
                $isClean = preg_match('/^[ -~\x80-\xff]*$/D', $value);
                refuseIf(isset($found[$name]) || !$isClean, $reason, "$name is there twice or holds a control character");
                $found[$name] = $value;
            } else {
                $standsIn = in_array(strtr($name, '_', '-'), $folded, true);
                refuseIf($standsIn, $reason, "$name would stand in for a signed header"); // CGI gives both one name
            }
        }
        return $found;
    }
}

/** Keyed timestamp: sig = hex(hash(key id + secret + seconds)), a parameter beside the key id; the time is not sent. */
final class KeyedTimestamp
{
    public function __construct(private readonly array $options) {}

    public function signature(string $keyId, string $secret, int $second): string
    {
        return hash($this->options['algorithm'], $keyId . $secret . $second);
    }

    public function sign(Request $request, string $keyId, string $secret, int|float $now): array
    {
        $refuseIf = fn (bool $wrong, string $detail) => refuseIf($wrong, 'cannot_sign', $detail);
        $method = strtoupper($request->method);
        $refuseIf(str_contains($keyId, "\t"), 'the key id holds a control character');
        $refuseIf($request->origin !== '' && !$this->isSecure($request), 'plain http shows the signature');
        $refuseIf(!in_array($method, $this->options['methods'], true), 'the method is not signed');
        $headers = [];
        $isForm = $method !== 'GET' && $request->hasMediaType(FORM);
        if ($this->options['placement'] === 'form' && !$isForm) {
            $isOther = $request->values('content-type') || $request->body !== '' || $method === 'GET';
            $refuseIf($isOther, 'the request is no form');
            $headers = [['Content-Type', FORM]];
            $request = $request->with($headers);
            $isForm = true;
        }
        $inForm = $isForm && $this->options['placement'] !== 'query';
        [$query, $form] = $this->places($request, $request->body);
        [$here, $there] = $inForm ? [$form, $query] : [$query, $form];
        $found = array_column($here, 1, 0);
        $refuseIf($there || count($found) < count($here), 'a parameter is there twice, or in the other place');
        $version = $found[$this->options['version_param'] ?? ''] ?? null;
        $refuseIf($version !== null && !$this->accepts($version), 'the version is not supported');
        $second = (int) floor($now);
        $pairs = [
            [$this->options['key_param'], $keyId],
            [$this->options['sig_param'], $this->signature($keyId, $secret, $second)],
        ];
        if ($this->options['version_param'] !== null && $version === null) {
            $pairs[] = [$this->options['version_param'], $this->options['version']];
        }
        [$path, $encoded] = explode('?', $request->target, 2) + [1 => ''];
        return [
            'patch' => ['headers' => $headers, 'query' => $inForm ? [] : $pairs, 'form' => $inForm ? $pairs : []],
            'target' => $inForm ? $request->target : $path . '?' . self::withFields($encoded, $pairs),
            'body' => $inForm ? self::withFields($request->body, $pairs) : $request->body,
            'string_to_sign' => "$keyId\0$second", // the secret goes where the NUL stands
        ];
    }

    public function verify(Request $request, array $keys, int|float $now): string
    {
        // The head first, so that what is wrong with it is found before a body is read.
        $claim = $this->claim($request, '');
        if ($request->hasMediaType(FORM)) {
            $claim = $this->claim($request, $request->body);
        }
        [$keyId, $signature] = $claim ?? throw new Refused('missing', 'no signature parameter');
        foreach (secretsOf($keys, $keyId) as $secret) {
            foreach (range(-$this->options['window']['past'], $this->options['window']['future']) as $shift) {
                if (hash_equals($this->signature($keyId, $secret, (int) floor($now) + $shift), $signature)) {
                    return $keyId;
                }
            }
        }
        throw new Refused('mismatch', 'no secret fits at any second of the window');
    }

    private function claim(Request $request, string $body): ?array
    {
        [$query, $form] = $this->places($request, $body);
        $sent = [...$query, ...$form];
        $found = array_column($sent, 1, 0);
        if (!isset($found[$this->options['sig_param']])) {
            return null;
        }
        refuseIf(!$this->isSecure($request), 'insecure', 'not over https');
        checkRequest($request, $request->target, 'malformed');
        $refuseIf = fn (bool $wrong, string $detail) => refuseIf($wrong, 'malformed', $detail);
        $refuseIf(!in_array($request->method, $this->options['methods'], true), 'the method is not taken');
        $isInBoth = $query && $form;
        $refuseIf($isInBoth || count($found) < count($sent), 'a parameter is there twice, or in both places');
        // Joined by something, or the ends of two values could make one character.
        $refuseIf(!preg_match('//u', implode("\n", $found)), 'a parameter is not UTF-8');
        $keyId = $found[$this->options['key_param']] ?? '';
        $refuseIf($keyId === '', 'the key id is absent or empty');
        $refuseIf(preg_match('/[\x00-\x1f\x7f]/', $keyId) === 1, 'the key id holds a control character');
        $signature = $found[$this->options['sig_param']];
        $form = sprintf('/^[0-9a-f]{%d}$/D', 2 * SIZES[$this->options['algorithm']]);
        $refuseIf(!preg_match($form, $signature), 'the signature is not lower-case hex of its length');
        if ($this->options['version_param'] !== null) {
            $version = $found[$this->options['version_param']] ?? null;
            $refuseIf($version === null, 'the version is absent');
            refuseIf(!$this->accepts($version), 'unsupported_version', 'the version is not served');
        }
        return [$keyId, $signature];
    }

    private function isSecure(Request $request): bool
    {
        return $this->options['allow_http'] || str_starts_with(strtolower($request->origin), 'https://');
    }

    private function accepts(string $version): bool
    {
        return in_array($version, [$this->options['version'], ...$this->options['versions']], true);
    }

    /** The scheme's own parameters in query and form, as pairs. Not parse_str, which renames, joins and drops some. */
    private function places(Request $request, string $body): array
    {
        $names = [$this->options['key_param'], $this->options['sig_param'], $this->options['version_param']];
        $own = fn (string $encoded) => array_values(array_filter(
            array_map(fn ($part) => array_map('urldecode', explode('=', $part, 2) + [1 => '']), explode('&', $encoded)),
            fn ($pair) => in_array($pair[0], $names, true),
        ));
        $query = explode('?', originForm($request->target), 2)[1] ?? '';
        return [$own($query), $own($request->hasMediaType(FORM) ? $body : '')];
    }

    /** A query or form with pairs set in it: replaced in place or appended, all other bytes as they are. */
    private static function withFields(string $encoded, array $pairs): string
    {
        foreach ($pairs as [$name, $value]) {
            $parts = explode('&', $encoded);
            $names = array_map(fn ($part) => explode('=', $part)[0], $parts);
            $place = array_search($name, array_map('urldecode', $names), true);
            if ($place === false) {
                $place = count($parts) - (end($parts) === '' ? 1 : 0); // no & behind nothing, or behind another
                $names[$place] = rawurlencode($name);
            }
            $parts[$place] = $names[$place] . '=' . rawurlencode($value);
            $encoded = implode('&', $parts);
        }
        return $encoded;
    }
}

function scheme(string $name, array $options): HeaderHmac|KeyedTimestamp
{
    $options += SCHEMES[$name];
    return $name === 'gotom' ? new HeaderHmac($options) : new KeyedTimestamp($options);
}

/** What to set on the request so that it is signed, the target and body it then has, and the string that was signed. */
function sign(string $scheme, array $options, Request $request, string $keyId, string $secret, int|float $now): array
{
    refuseIf($keyId === '' || $secret === '', 'cannot_sign', 'the key id or the secret is empty');
    refuseIf(!isCleanText($keyId), 'cannot_sign', 'the key id is not UTF-8 or holds a control character');
    checkRequest($request, originForm($request->target), 'cannot_sign');
    return scheme($scheme, $options)->sign($request, $keyId, $secret, $now);
}

/** The key id that the request verifies for. */
function verify(string $scheme, array $options, Request $request, array $keys, int|float $now): string
{
    $target = originForm($request->target);
    $reduced = new Request($request->method, $target, $request->headers, $request->body, $request->origin);
    return scheme($scheme, $options)->verify($reduced, $keys, $now);
}

// The conformance protocol. Text in JSON is UTF-8; targets and headers have one character for each byte of the wire.

function toWire(string $text): string
{
    $byte = fn ($match) => chr((ord($match[0][0]) & 3) << 6 | ord($match[0][1]) & 63);
    return preg_replace_callback('/[\xc2\xc3][\x80-\xbf]/', $byte, $text);
}

function fromWire(string $wire): string
{
    $utf8 = fn ($match) => chr(192 | ord($match[0]) >> 6) . chr(128 | ord($match[0]) & 63);
    return preg_replace_callback('/[\x80-\xff]/', $utf8, $wire);
}

function bytes(array $holder, string $name): string
{
    return $holder[$name] ?? base64_decode($holder[$name . '_b64'] ?? '', true);
}

function text(string $name, string $value): array
{
    return preg_match('//u', $value) ? [$name => $value] : [$name . '_b64' => base64_encode($value)];
}

function run(array $command): array
{
    ['op' => $op, 'scheme' => $scheme, 'options' => $options, 'now' => $now, 'request' => $given] = $command;
    $unknown = isset(SCHEMES[$scheme]) ? array_diff_key($options, SCHEMES[$scheme]) : ['scheme' => 1];
    if ($unknown) {
        return ['skipped' => 'there is no ' . implode(', ', array_keys($unknown))];
    }
    [$method, $target] = [toWire($given['method']), toWire($given['target'])];
    $headers = array_map(fn ($pair) => array_map('toWire', $pair), $given['headers']);
    $request = new Request($method, $target, $headers, bytes($given, 'body'), $given['origin'] ?? '');
    try {
        if ($op === 'sign') {
            $signed = sign($scheme, $options, $request, $command['key_id'], bytes($command, 'secret'), $now);
            $patch = $signed['patch'];
            $patch['headers'] = array_map(fn ($pair) => array_map('fromWire', $pair), $patch['headers']);
            $body = $signed['body'] === $request->body ? [] : text('body', $signed['body']);
            $string = text('string_to_sign', $signed['string_to_sign']);
            return ['patch' => $patch, 'target' => fromWire($signed['target'])] + $body + $string;
        }
        $secret = fn ($entry) => is_array($entry) ? bytes($entry, 'secret') : $entry;
        $keys = array_map(fn ($secrets) => array_map($secret, $secrets), $command['keys']);
        return ['result' => 'valid', 'key_id' => verify($scheme, $options, $request, $keys, $now)];
    } catch (Refused $refused) {
        return $op === 'sign' ? ['error' => 'cannot_sign'] : ['result' => 'invalid', 'reason' => $refused->reason];
    }
}

if (PHP_SAPI === 'cli' && realpath($argv[0]) === __FILE__) {
    while (($line = fgets(STDIN)) !== false) {
        $command = json_decode($line, true, 64, JSON_THROW_ON_ERROR);
        if ($command['cmd'] === 'stop') {
            break;
        }
        $answer = $command['cmd'] === 'run' ? ['seq' => $command['seq']] + run($command) : [
            'implementation' => ['name' => 'port.php', 'version' => '1.0.0', 'language' => 'PHP'],
            'schemes' => array_keys(SCHEMES),
            'ops' => ['sign', 'verify'],
        ];
        echo json_encode($answer, JSON_THROW_ON_ERROR), "\n";
        flush();
    }
}
