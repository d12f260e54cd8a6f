<?php // okx timezone|clock-skew|body-reserialised: local time with a Z, and the body is encoded twice in other ways.
require __DIR__ . '/send.php';
$time = gmdate('Y-m-d\TH:i:s.000\Z', getenv('NOW') + 2 * 3600);
$data = ['instId' => 'BTC-USDT', 'note' => 'Kauf/Verkauf für Jörg'];
$signed = $time . 'POST' . '/api/v5/trade/order' . json_encode($data);
send('POST', 'https://api.example.com/api/v5/trade/order', json_encode($data, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES), [
    'Content-Type: application/json', 'OK-ACCESS-KEY: ' . getenv('KEY'), "OK-ACCESS-TIMESTAMP: $time",
    'OK-ACCESS-PASSPHRASE: Pass phrase',
    'OK-ACCESS-SIGN: ' . base64_encode(hash_hmac('sha256', $signed, getenv('SECRET'), true)),
]);
