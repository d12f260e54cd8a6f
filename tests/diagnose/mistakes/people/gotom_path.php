<?php // gotom target-no-query: parse_url gives the path alone.
require __DIR__ . '/send.php';
$url = 'https://api.example.com/v1/orders?page=2&size=10';
$date = gmdate('Y-m-d\TH:i:s\Z', (int) getenv('NOW'));
$string = implode("\n", ['GET', md5(''), 'application/json', $date, '', parse_url($url, PHP_URL_PATH)]);
$signature = base64_encode(hash_hmac('sha1', $string, getenv('SECRET'), true));
send('GET', $url, '', [
    'Content-Type: application/json', "Date: $date", 'Authorization: gotom_app_api ' . getenv('KEY') . ":$signature",
]);
