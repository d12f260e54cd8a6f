<?php
// Recomputes every expected signature in the vectors with PHP's hash functions, and the MD5 of every body with them:
//
//     php vectors/recompute.php [FILE…]
//
// It shares no code with the library. Prints one line for each value that differs, then the count; exits 1 if any does.

declare(strict_types=1);

function bytes(array $holder, string $name): ?string
{
    if (isset($holder[$name . '_b64'])) {
        return base64_decode($holder[$name . '_b64'], true);
    }
    return $holder[$name] ?? null;
}

function secrets(array $group, string $keyId): array
{
    return array_map(fn ($secret) => is_array($secret) ? bytes($secret, 'secret') : $secret, $group['keys'][$keyId]);
}

// Header HMAC: the signature is what follows the last colon of Authorization.
function headerHolds(array $group, array $test, array $headers): ?bool
{
    $string = bytes($test, 'string_to_sign');
    if ($string === null) {
        return null;
    }
    $sent = null;
    foreach ($headers as [$name, $value]) {
        $sent = strtolower($name) === 'authorization' ? substr(strrchr($value, ':'), 1) : $sent;
    }
    $md5 = explode("\n", $string)[1];
    $types = array_filter($test['request']['headers'], fn ($pair) => strtolower($pair[0]) === 'content-type');
    $isUpload = array_filter($types, fn ($pair) => strtolower(trim(explode(';', $pair[1])[0])) === 'multipart/form-data');
    $asEmpty = ($group['options']['multipart_as_empty'] ?? false) && $test['request']['method'] === 'POST' && $isUpload;
    if ($md5 !== md5($asEmpty ? '' : (string) bytes($test['request'], 'body'))) {
        return false;
    }
    $algorithm = $group['options']['algorithm'] ?? 'sha1';
    foreach (secrets($group, $test['key_id']) as $secret) {
        if (rtrim($sent) === base64_encode(hash_hmac($algorithm, $string, $secret, true))) {
            return true;
        }
    }
    return false;
}

// The signature parameter of a query or form, decoded.
function value(array $group, string $parameters): ?string
{
    foreach (explode('&', $parameters) as $part) {
        [$name, $value] = explode('=', $part, 2) + [1 => ''];
        if (urldecode($name) === ($group['options']['sig_param'] ?? 'sig')) {
            return urldecode($value);
        }
    }
    return null;
}

// Keyed timestamp: a signed request holds that of the group's second, a valid one that of a second in the window.
function parameterHolds(array $group, array $test, string $parameters): bool
{
    $sent = value($group, $parameters);
    $window = $group['options']['window'] ?? ['past' => 600, 'future' => 600];
    $now = (int) floor($group['now']);
    $seconds = $group['op'] === 'sign' ? [$now] : range($now - $window['past'], $now + $window['future']);
    foreach (secrets($group, $test['key_id']) as $secret) {
        foreach ($seconds as $second) {
            if ($sent === hash($group['options']['algorithm'] ?? 'md5', $test['key_id'] . $secret . $second)) {
                return true;
            }
        }
    }
    return false;
}

function holds(string $scheme, array $group, array $test): ?bool
{
    if ($scheme === 'gotom') {
        return headerHolds($group, $test, $test['patch']['headers'] ?? $test['request']['headers']);
    }
    if ($test['result'] === 'invalid') {
        return null;
    }
    $target = $test['target'] ?? $test['request']['target'];
    $body = (string) (bytes($test, 'body') ?? bytes($test['request'], 'body'));
    $query = explode('?', $target, 2)[1] ?? '';
    return parameterHolds($group, $test, value($group, $query) === null ? $body : $query);
}

$files = array_slice($argv, 1) ?: [__DIR__ . '/gotom.json', __DIR__ . '/gogrid.json'];
$same = $different = 0;
foreach ($files as $file) {
    $document = json_decode(file_get_contents($file), true, 512, JSON_THROW_ON_ERROR);
    foreach ($document['groups'] as $group) {
        foreach ($group['tests'] as $test) {
            $holds = holds($document['scheme'], $group, $test);
            $same += $holds === true ? 1 : 0;
            if ($holds === false) {
                $different++;
                echo basename($file), ' ', $test['name'], ": the signature differs\n";
            }
        }
    }
}
echo "$same signatures recomputed, $different differ\n";
exit($different === 0 ? 0 : 1);
