// send: prints the request that fetch would send, as JSON.
exports.send = (method, url, body, headers) =>
  console.log(JSON.stringify({ method, url, body: Buffer.from(body).toString("base64"), headers: Object.entries(headers) }));
