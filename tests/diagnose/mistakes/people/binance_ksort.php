<?php // binance target-query-order: sorted for the signature, sent as they were.
require __DIR__ . '/send.php';
$params = ['symbol' => 'LTCBTC', 'side' => 'BUY', 'quantity' => 1, 'timestamp' => getenv('NOW') . '000'];
$sorted = $params;
ksort($sorted);
$signature = hash_hmac('sha256', http_build_query($sorted), getenv('SECRET'));
$query = http_build_query($params) . "&signature=$signature";
send('POST', "https://api.example.com/api/v3/order?$query", '', [
    'Content-Type: application/x-www-form-urlencoded', 'X-MBX-APIKEY: ' . getenv('KEY'),
]);
