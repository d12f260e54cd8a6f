<?php // shopify body-reserialised: a test's sender signs what it prints for people.
require __DIR__ . '/send.php';
$data = ['id' => 123, 'title' => 'Größe / Farbe <neu>', 'tags' => []];
$pretty = json_encode($data, JSON_PRETTY_PRINT | JSON_HEX_TAG);
$signature = base64_encode(hash_hmac('sha256', $pretty, getenv('SECRET'), true));
send('POST', 'https://hooks.example.com/in', json_encode($data), ['Content-Type: application/json', "X-Shopify-Hmac-Sha256: $signature"]);
