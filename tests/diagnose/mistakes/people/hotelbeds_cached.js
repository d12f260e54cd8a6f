// hotelbeds clock-skew: the signature is made once, when the program starts, and kept.
const { createHash } = require("node:crypto");
const { send } = require("./send.js");
const started = Number(process.env.NOW) - 3711;
const signature = createHash("sha256").update(process.env.KEY + process.env.SECRET + started).digest("hex");
send("GET", "https://api.example.com/hotel-api/1.0/status", "", { "Api-key": process.env.KEY, "X-Signature": signature });
