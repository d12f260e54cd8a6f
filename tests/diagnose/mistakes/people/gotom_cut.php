<?php // gotom secret-cut: explode without a limit cuts the secret at its =.
require __DIR__ . '/send.php';
$line = 'GOTOM_SECRET=' . getenv('SECRET');
[, $secret] = explode('=', $line);
$date = gmdate('Y-m-d\TH:i:s\Z', (int) getenv('NOW'));
$string = implode("\n", ['GET', md5(''), 'application/json', $date, '', '/v1/orders']);
$signature = base64_encode(hash_hmac('sha1', $string, $secret, true));
send('GET', 'https://api.example.com/v1/orders', '', [
    'Content-Type: application/json', "Date: $date", 'Authorization: gotom_app_api ' . getenv('KEY') . ":$signature",
]);
