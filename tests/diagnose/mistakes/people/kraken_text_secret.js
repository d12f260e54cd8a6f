// kraken secret-encoding: the secret is base64, and taken as text.
const { createHash, createHmac } = require("node:crypto");
const { send } = require("./send.js");
const nonce = process.env.NOW + "000";
const body = new URLSearchParams({ nonce, ordertype: "limit", pair: "XBT/USD" }).toString();
const inner = createHash("sha256").update(nonce + body).digest();
const signature = createHmac("sha512", process.env.SECRET).update("/0/private/AddOrder").update(inner).digest("base64");
send("POST", "https://api.example.com/0/private/AddOrder", body, {
  "Content-Type": "application/x-www-form-urlencoded", "API-Key": process.env.KEY, "API-Sign": signature,
});
