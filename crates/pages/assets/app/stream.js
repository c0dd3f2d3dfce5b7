// Hearing of requests while the app is open (contract 20.6): a stream of events, or asking where the server has no room
// for another stream.

/** Without a word for so long, a stream is dead: the server comments every 20 s. */
const SILENCE = 45_000;
/** How long the app asks before it tries a stream again. */
const ASKING = 60_000;

let status = "connecting";
let stream;
let wake = () => {};

function setStatus(name, values) {
  if (!active().length) name = "unpaired";
  if (status === name && name !== "busy") return;
  status = name;
  document.getElementById("status").dataset.state = name;
  put(document.getElementById("status-text"), name, values);
}

/** Waits, or until the connection is back, the app is looked at again, or its pairings have changed. */
function pause(milliseconds) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

/** Begins to listen anew. */
function listenAgain() {
  stream?.abort();
  wake();
}

async function listen() {
  let failures = 0;
  let asking = { until: 0, seconds: 5 };
  for (;;) {
    try {
      if (!active().length) {
        setStatus("unpaired");
        await pause(3_600_000);
      } else if (Date.now() < asking.until) {
        if (document.visibilityState === "visible") await askAll();
        setStatus("polling");
        await pause(asking.seconds * 1000);
      } else {
        await onTime(follow);
        // The server ends streams by itself. All phones of a server that restarts must not come back at once.
        await pause(200 + Math.random() * 1_000);
      }
      failures = 0;
    } catch (error) {
      if (error.restarted) continue;
      if (error.word === "streams") {
        asking = { until: Date.now() + ASKING, seconds: error.seconds ?? 5 };
      } else if (error.word === "not_paired") {
        await Promise.all(active().map(unpaired));
      } else {
        failures = error.heard ? 0 : failures + 1;
        const seconds = Math.max(error.seconds ?? 0, Math.min(30, 2 ** failures / 2));
        if (error.status === 429) setStatus("busy", { time: clock(seconds * 1000) });
        else setStatus("offline");
        await pause(seconds * 1000 * (1 + Math.random() / 4));
      }
    }
  }
}

/** Reads one stream to its end. */
async function follow() {
  const control = new AbortController();
  stream = control;
  let heard = false;
  let quiet;
  const alive = () => {
    clearTimeout(quiet);
    quiet = setTimeout(() => control.abort(new Error("silence")), SILENCE);
  };
  alive();
  try {
    const listening = active();
    const phones = await Promise.all(listening.map((pairing) => signed(pairing, "events")));
    const response = await post("events", { phones }, control.signal);
    // A phone that is left out of the stream may be paired no longer. Asking says so.
    const missing = new Set(listening);
    setTimeout(() => missing.forEach((pairing) => ask(pairing).catch(() => {})), 3_000);
    setStatus("ready");
    for await (const { event, data } of events(response.body, alive)) {
      heard = true;
      const pairing = pairings.find(({ user, device }) => user === data.user && device === data.device);
      if (!pairing) continue;
      missing.delete(pairing);
      if (event === "requests") take(pairing, data);
      if (event === "unpaired") await unpaired(pairing);
    }
  } catch (error) {
    // `listenAgain` gives no reason of ours, silence does.
    if (control.signal.aborted && control.signal.reason?.name === "AbortError") error.restarted = true;
    error.heard = heard;
    throw error;
  } finally {
    clearTimeout(quiet);
    control.abort();
  }
}

/** The events of a body in the form `text/event-stream`. `alive` is called whenever anything arrives. */
async function* events(body, alive) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    alive();
    const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const fields = { event: "message", data: [] };
      for (const line of block.split("\n")) {
        const [, name, content] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
        if (name === "event") fields.event = content;
        if (name === "data") fields.data.push(content);
      }
      if (fields.data.length) yield { event: fields.event, data: JSON.parse(fields.data.join("\n")) };
    }
  }
}

