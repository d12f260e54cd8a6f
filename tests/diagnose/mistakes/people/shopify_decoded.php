<?php // shopify body-reserialised: a test's sender signs what it has decoded and encoded again.
require __DIR__ . '/send.php';
$body = '{"id": 123, "title": "Größe / Farbe", "price": "10.00"}';
$signature = base64_encode(hash_hmac('sha256', json_encode(json_decode($body, true)), getenv('SECRET'), true));
send('POST', 'https://hooks.example.com/in', $body, ['Content-Type: application/json', "X-Shopify-Hmac-Sha256: $signature"]);
