/** A page that has unnoise in a frame, and talks to it (docs/embed.md). */

/** Where unnoise is: your own copy, or the one that `cargo xtask serve` serves. */
const PAGE = "http://127.0.0.1:8080/";
/** What it draws at first. */
const RUN = "model=fashion-mnist&sampler=ddim&steps=10&seed=7&images=2&backend=cpu";

const $ = (id) => document.getElementById(id);
const frame = $("frame");
const send = (message) => frame.contentWindow.postMessage(message, new URL(PAGE).origin);

/** What the frame says, by the name of the event. */
const events = {
  ready: () => ($("run").disabled = $("stop").disabled = false),
  step: ({ step, steps }) => ($("said").textContent = `Step ${step} of ${steps ?? "as many as it takes"}`),
  done: ({ how, seconds }) => ($("said").textContent = `${how === "done" ? "Done" : "Stopped"} after ${seconds.toFixed(1)} s`),
  failed: ({ message }) => ($("said").textContent = message),
  refused: ({ message }) => ($("said").textContent = message),
};

addEventListener("message", ({ source, origin, data }) => {
  if (source !== frame.contentWindow || origin !== new URL(PAGE).origin) return;
  events[data?.unnoise]?.(data);
});

$("run").addEventListener("click", () => send({ unnoise: "run" }));
$("stop").addEventListener("click", () => send({ unnoise: "stop" }));
$("seed").addEventListener("change", () => send({ unnoise: "set", settings: { seed: $("seed").value } }));
frame.src = `${PAGE}#${RUN}&embed=1`;
