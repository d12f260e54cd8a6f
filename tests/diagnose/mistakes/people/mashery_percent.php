<?php // mashery signature-encoding: md5 with raw output, in base64.
require __DIR__ . '/send.php';
$sig = base64_encode(md5(getenv('KEY') . getenv('SECRET') . getenv('NOW'), true));
$query = http_build_query(['q' => 'x y', 'apikey' => getenv('KEY'), 'sig' => $sig]);
send('GET', "https://api.example.com/v1/search?$query", '', []);
