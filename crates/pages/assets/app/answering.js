// A request, its answer, and how that ended.

/** A press so soon after a request has appeared was meant for something else. */
const TOO_SOON = 500;
/** With so little time left, a request says so. */
const LATE = 20_000;

function request({ id }, options) {
  const asked = requests.get(id);
  if (!asked) return goHome();
  const pairing = pairingOf(asked);
  const values = {
    ...asked,
    client: clientOf(asked),
    asked: timeOf(asked.asked_at),
    device: pairings.length > 1 && asked.device_name,
  };
  const node = screen("request", values, { digits: asked.digits, heed: !asked.digits });
  timed(node.querySelector("[data-time]"), asked, node.querySelector("progress"));
  const appeared = performance.now();
  const unlessTooSoon = (act) => () => performance.now() - appeared >= TOO_SOON && act();
  show(
    bind(node, {
      accept: unlessTooSoon(() => accept(asked, pairing)),
      deny: unlessTooSoon(() => go("deny", { id })),
      home: () => goHome(),
    }),
    options,
  );
  tick();
  const field = document.getElementById("digits");
  if (!field) return;
  const button = view.querySelector("[type=submit]");
  const typed = () => {
    field.value = field.value.normalize("NFKC").replace(/\D/g, "").slice(0, asked.digits);
    button.disabled = field.value.length !== asked.digits;
  };
  field.addEventListener("input", typed);
  typed();
}

async function accept(asked, pairing) {
  const field = document.getElementById("digits");
  // The Enter key sends a form whose button is disabled in some browsers.
  if (field && field.value.length !== asked.digits) return;
  const state = await answer(asked, pairing, "accept", field?.value);
  if (state === "older_number") {
    field.value = "";
    field.dispatchEvent(new Event("input"));
    wrong(field, "older");
  }
}

/** Why it is denied. Nothing is sent before it is clear: a denial is final, and cannot become a report. */
function deny({ id }, options) {
  const asked = requests.get(id);
  if (!asked) return goHome();
  const pairing = pairingOf(asked);
  const node = screen("deny", pairing);
  timed(node.querySelector("[data-time]"), asked, node.querySelector("progress"));
  show(
    bind(node, {
      report: () => answer(asked, pairing, "report"),
      mind: () => answer(asked, pairing, "deny"),
      back: () => go("request", { id }, { replace: true }),
    }),
    options,
  );
  tick();
}

/** Answers, and shows how that ended. */
async function answer(asked, pairing, decision, digits) {
  fault();
  settled.add(asked.id);
  try {
    const state = await busy(() => answerTo(pairing, asked, decision, digits));
    if (state === "older_number" || state === "locked") settled.delete(asked.id);
    else settle(asked, state);
    if (state !== "older_number") go("result", { state }, { replace: true });
    return state;
  } catch (error) {
    settled.delete(asked.id);
    faultOf(error);
    return undefined;
  }
}

function result({ state }, options) {
  const [next] = state === "locked" ? [] : waiting();
  const node = screen(`result-${state}`, {}, { next });
  show(bind(node, { next: () => go("request", { id: next.id }, { replace: true }), home: () => goHome() }), options);
  refreshed();
}

/** New requests. The newest opens by itself if the person is not in the middle of something. */
function arrived(fresh) {
  const [newest] = fresh.sort((one, other) => other.asked_at - one.asked_at);
  announce(plainText("arrived", { client: clientOf(newest) }), true);
  if (["home", "paired", "starting"].includes(here.name)) openNewest();
}

function openNewest() {
  const [newest] = waiting();
  if (newest && !["request", "deny", "pair"].includes(here.name)) go("request", { id: newest.id });
}

/** A request is over, perhaps the one that is shown. */
function ended({ id }) {
  const isShown = ["request", "deny"].includes(here.name) && here.parameters.id === id;
  if (isShown) go("result", { state: "over" }, { replace: true });
}

/** Shows the time that a request has left. */
function timed(place, asked, bar) {
  place.dataset.until = asked.expires_at;
  place.dataset.sentence = bar ? "left" : "";
  if (!bar) return;
  bar.max = Math.max(1, asked.expires_at - asked.asked_at);
  bar.dataset.until = asked.expires_at;
}

function tick() {
  for (const asked of waiting()) if (left(asked) <= 0) {
    end(asked);
    refreshed();
  }
  for (const place of view.querySelectorAll("[data-until]")) {
    const rest = Math.max(0, Number(place.dataset.until) - now());
    const time = clock(rest);
    if (place.tagName === "PROGRESS") place.value = rest;
    else if (place.dataset.sentence) place.textContent = plainText("left", { time });
    else place.textContent = time;
    const box = place.closest(".countdown, .choice");
    if (place.dataset.sentence && rest < LATE && !box.classList.contains("late")) announce(place.textContent);
    if (place.tagName !== "PROGRESS") box.classList.toggle("late", rest < LATE);
  }
}

