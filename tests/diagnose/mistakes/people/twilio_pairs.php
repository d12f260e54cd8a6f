<?php // twilio separator|target-reencoded|target-query-order|body-reserialised: the form is signed as a query, behind the URL.
require __DIR__ . '/send.php';
$params = ['Body' => 'Hi there', 'From' => '+14158675309', 'To' => '+18005551212'];
$signed = 'https://hooks.example.com/sms?id=7' . http_build_query($params);
$signature = base64_encode(hash_hmac('sha1', $signed, getenv('SECRET'), true));
send('POST', 'https://hooks.example.com/sms?id=7', http_build_query($params), [
    'Content-Type: application/x-www-form-urlencoded', "X-Twilio-Signature: $signature",
]);
