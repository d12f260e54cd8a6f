<?php
// send: prints the request that curl_exec would send, as JSON.
function send(string $method, string $url, string $body, array $headers): void
{
    $pairs = array_map(fn (string $header) => explode(': ', $header, 2), $headers);
    echo json_encode(['method' => $method, 'url' => $url, 'body' => base64_encode($body), 'headers' => $pairs]), "\n";
}
