<?php // gotom secret-quoting: a hand-made reader of .env keeps the quotes.
require __DIR__ . '/send.php';
$line = 'GOTOM_SECRET="' . getenv('SECRET') . '"';
[, $secret] = explode('=', $line, 2);
$date = gmdate('Y-m-d\TH:i:sP', (int) getenv('NOW'));
$string = implode("\n", ['GET', md5(''), 'application/json', $date, '', '/v1/orders?page=2']);
$signature = base64_encode(hash_hmac('sha1', $string, $secret, true));
send('GET', 'https://api.example.com/v1/orders?page=2', '', [
    'Content-Type: application/json', "Date: $date", 'Authorization: gotom_app_api ' . getenv('KEY') . ":$signature",
]);
