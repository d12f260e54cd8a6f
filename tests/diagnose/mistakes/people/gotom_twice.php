<?php // gotom body-reserialised: json_encode with other flags for the hash than for the body.
require __DIR__ . '/send.php';
$date = gmdate('Y-m-d\TH:i:s\Z', (int) getenv('NOW'));
$data = ['name' => 'Müller/Söhne', 'price' => 10.5, 'tags' => []];
$string = implode("\n", ['PUT', md5(json_encode($data)), 'application/json', $date, '', '/v1/orders/7']);
$signature = base64_encode(hash_hmac('sha1', $string, getenv('SECRET'), true));
send('PUT', 'https://api.example.com/v1/orders/7', json_encode($data, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES), [
    'Content-Type: application/json', "Date: $date", 'Authorization: gotom_app_api ' . getenv('KEY') . ":$signature",
]);
