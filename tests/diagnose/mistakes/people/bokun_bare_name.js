// bokun target-parameter|target-reencoded: URLSearchParams writes an = behind a bare name.
const { createHmac } = require("node:crypto");
const { send } = require("./send.js");
const date = new Date(Number(process.env.NOW) * 1000).toISOString().replace("T", " ").slice(0, 19);
const url = new URL("https://api.example.com/activity.json/search?active&lang=EN");
const target = `${url.pathname}?${url.searchParams}`;
const signature = createHmac("sha1", process.env.SECRET).update(date + process.env.KEY + "GET" + target).digest("base64");
send("GET", url.href, "", { "X-Bokun-AccessKey": process.env.KEY, "X-Bokun-Date": date, "X-Bokun-Signature": signature });
