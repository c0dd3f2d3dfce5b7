// The calls of the API: what was answered, to whom, and why some were refused.
import { call, copyIcon, element, repeats } from "/dev/kit.js";

const KEPT = 200;
const list = document.getElementById("requests-list");
const none = document.getElementById("no-requests");
const refused = document.getElementById("refused");
let last = 0;

function show(request) {
  const item = element("li");
  const failed = request.status >= 400;
  item.dataset.refused = String(failed);
  const target = element("code", "target");
  target.append(element("span", "method", `${request.method} `));
  // A long path breaks before its slashes.
  for (const part of request.path.split(/(?=\/)/)) target.append(element("wbr"), part);
  item.append(element("span", `status-number ${failed ? "bad" : "good"}`, request.status), target, element("span", "took", request.ms < 1_000 ? `${request.ms} ms` : `${(request.ms / 1_000).toFixed(1)} s`));
  if (failed) {
    const why = [request.message, request.reason].filter((text, at, all) => text && all.indexOf(text) === at).join(" · ");
    item.append(element("p", "why", why || "Refused"));
  }
  const about = element("p", "about");
  about.append(element("span", "", `${request.at.slice(11, 19)} UTC`), element("span", "", request.client ?? "no client"));
  if (request.request_id) {
    const id = element("span", "secret-value");
    id.append(element("code", "", request.request_id), copyIcon(`Copy the request id ${request.request_id}`, () => request.request_id));
    about.append(id);
  }
  item.append(about);
  list.prepend(item);
}

function filter() {
  for (const item of list.children) item.hidden = refused.checked && item.dataset.refused !== "true";
  const seen = [...list.children].filter((item) => !item.hidden).length;
  list.hidden = seen === 0;
  none.hidden = seen > 0;
  none.querySelector("h3").textContent = list.childElementCount ? "No call was refused" : "No calls yet";
}

async function look() {
  const { ok, json } = await call("GET", `/dev/requests?after=${last}`);
  if (!ok) return;
  for (const request of json) {
    show(request);
    last = request.id;
  }
  while (list.childElementCount > KEPT) list.lastElementChild.remove();
  if (json.length || !list.childElementCount) filter();
}

refused.addEventListener("change", filter);
repeats("requests", 1_000, look);
