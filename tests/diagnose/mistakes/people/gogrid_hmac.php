<?php // gogrid algorithm: an HMAC, as it is with all the others.
require __DIR__ . '/send.php';
$query = http_build_query(['format' => 'json', 'api_key' => getenv('KEY'),
    'sig' => hash_hmac('md5', getenv('KEY') . getenv('NOW'), getenv('SECRET')), 'v' => '1.8']);
send('GET', "https://api.example.com/api/grid/server/list?$query", '', []);
