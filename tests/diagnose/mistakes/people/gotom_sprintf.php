<?php // gotom line-endings: \n in single quotes is two characters.
require __DIR__ . '/send.php';
$date = gmdate('D, d M Y H:i:s', (int) getenv('NOW')) . ' GMT';
$string = 'GET' . '\n' . md5('') . '\n' . 'application/json' . '\n' . $date . '\n' . '\n' . '/v1/orders';
$signature = base64_encode(hash_hmac('sha1', $string, getenv('SECRET'), true));
send('GET', 'https://api.example.com/v1/orders', '', [
    'Content-Type: application/json', "Date: $date", 'Authorization: gotom_app_api ' . getenv('KEY') . ":$signature",
]);
