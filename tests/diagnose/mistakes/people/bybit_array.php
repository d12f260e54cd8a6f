<?php // bybit target-parameter|target-reencoded: http_build_query numbers a list, which was sent with bare brackets.
require __DIR__ . '/send.php';
$query = 'category=linear&symbols[]=BTCUSDT&symbols[]=ETHUSDT';
$sent = str_replace(['[', ']'], ['%5B', '%5D'], $query);
parse_str($query, $params);
$time = getenv('NOW') . '000';
$signature = hash_hmac('sha256', $time . getenv('KEY') . '5000' . http_build_query($params), getenv('SECRET'));
send('GET', "https://api.example.com/v5/market?$sent", '', [
    'X-BAPI-API-KEY: ' . getenv('KEY'), "X-BAPI-TIMESTAMP: $time", 'X-BAPI-RECV-WINDOW: 5000', "X-BAPI-SIGN: $signature",
]);
