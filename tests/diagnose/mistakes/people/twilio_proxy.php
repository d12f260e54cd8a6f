<?php // twilio host-differs|target-absolute: a sender's test signs the URL that the app has behind its proxy.
require __DIR__ . '/send.php';
$params = ['From' => '+14158675309', 'Body' => 'Hi there', 'To' => '+18005551212'];
ksort($params);
$signed = 'http://hooks.example.com/sms?id=7';
foreach ($params as $name => $value) {
    $signed .= $name . $value;
}
$signature = base64_encode(hash_hmac('sha1', $signed, getenv('SECRET'), true));
send('POST', 'https://hooks.example.com/sms?id=7', http_build_query($params), [
    'Content-Type: application/x-www-form-urlencoded', "X-Twilio-Signature: $signature",
]);
