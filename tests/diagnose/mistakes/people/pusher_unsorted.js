// pusher target-query-order: the parameters are signed as they are sent, and not sorted.
const { createHash, createHmac } = require("node:crypto");
const { send } = require("./send.js");
const body = '{"name":"my-event","channel":"my-channel","data":"{}"}';
const md5 = createHash("md5").update(body).digest("hex");
const query = `body_md5=${md5}&auth_version=1.0&auth_key=${process.env.KEY}&auth_timestamp=${process.env.NOW}`;
const signature = createHmac("sha256", process.env.SECRET).update(`POST\n/apps/3/events\n${query}`).digest("hex");
send("POST", `https://api.example.com/apps/3/events?${query}&auth_signature=${signature}`, body, {
  "Content-Type": "application/json",
});
