/** How busy a graphics card is kept: what is handed to its queue, and how long that is empty. Of the worker that it is begun in. */

let submissions = 0;
/** Submissions that are not done yet. */
let open = 0;
let began = 0;
let idle = 0;
/** Since when there are none. */
let empty = 0;

/** Counts from now on what is submitted. */
export function watch() {
  const { submit } = GPUQueue.prototype;
  GPUQueue.prototype.submit = function (...commands) {
    submit.apply(this, commands);
    submissions += 1;
    if (!open) idle += performance.now() - empty;
    open += 1;
    const done = () => {
      open -= 1;
      if (!open) empty = performance.now();
    };
    this.onSubmittedWorkDone().then(done, done); // a lost card has nothing to do either
  };
}

/** Begins anew. */
export function begin() {
  began = empty = performance.now();
  submissions = idle = 0;
}

/** What was submitted since, the milliseconds that the queue was empty, and those that went by. */
export function read() {
  const now = performance.now();
  return { submissions, idle_ms: idle + (open ? 0 : now - empty), ms: now - began };
}
