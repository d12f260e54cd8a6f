<?php // gotom signature-encoding: hash_hmac gives hex unless its last argument is true.
require __DIR__ . '/send.php';
$date = gmdate('c', (int) getenv('NOW'));
$body = json_encode(['name' => 'Müller', 'path' => 'a/b']);
$string = implode("\n", ['POST', md5($body), 'application/json', $date, '', '/v1/orders?page=2']);
$signature = base64_encode(hash_hmac('sha1', $string, getenv('SECRET')));
send('POST', 'https://api.example.com/v1/orders?page=2', $body, [
    'Content-Type: application/json', "Date: $date", 'Authorization: gotom_app_api ' . getenv('KEY') . ":$signature",
]);
