// slack body-reserialised: an Express app that passes req.body on, and signs what it writes itself.
const { createHmac } = require("node:crypto");
const { send } = require("./send.js");
const raw = '{"type": "message", "text": "caf\\u00e9 & <b>", "ts": 10.0}';
const time = process.env.NOW;
const signature = createHmac("sha256", process.env.SECRET).update(`v0:${time}:${JSON.stringify(JSON.parse(raw))}`).digest("hex");
send("POST", "https://hooks.example.com/in", raw, {
  "Content-Type": "application/json", "X-Slack-Request-Timestamp": time, "X-Slack-Signature": `v0=${signature}`,
});
