// twilio target-query-order|body-reserialised|concatenation-order: the form's parameters are signed as they are sent.
const { createHmac } = require("node:crypto");
const { send } = require("./send.js");
const params = { To: "+18005551212", From: "+14158675309", Body: "Hi there" };
let signed = "https://hooks.example.com/sms?id=7";
for (const [name, value] of Object.entries(params)) signed += name + value;
send("POST", "https://hooks.example.com/sms?id=7", new URLSearchParams(params).toString(), {
  "Content-Type": "application/x-www-form-urlencoded",
  "X-Twilio-Signature": createHmac("sha1", process.env.SECRET).update(signed).digest("base64"),
});
