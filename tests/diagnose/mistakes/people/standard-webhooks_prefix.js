// standard-webhooks secret-encoding: the secret is used with its prefix, as text.
const { createHmac } = require("node:crypto");
const { send } = require("./send.js");
const body = '{"type":"user.created","data":{"id":7}}';
const time = process.env.NOW;
const signature = createHmac("sha256", process.env.SECRET).update(`msg_7.${time}.${body}`).digest("base64");
send("POST", "https://hooks.example.com/in", body, {
  "Content-Type": "application/json", "webhook-id": "msg_7", "webhook-timestamp": time, "webhook-signature": `v1,${signature}`,
});
