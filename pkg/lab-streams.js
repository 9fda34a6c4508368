/** What the laboratory answers item by item. Runs in the worker. */

/** As many steps of training as take about this long (milliseconds) are done at a time. */
const SLICE = 15;

/** How many steps the next slice is to have. @param {number} took milliseconds of this one @param {number} left steps to go */
const next = (slice, took, left) => Math.max(Math.min(Math.round((slice * SLICE) / took), 2 * slice, left), 1);

/** A stream that is written as a generator. */
const generated = (generator) => ({ next: async () => (await generator.next()).value });

/** Trains in slices. @param {(steps: number) => any} train @param {(state: any) => number} left steps still to be done after a slice */
function* slices(train, left) {
  for (let slice = 1, more = 1; more > 0; ) {
    const begun = performance.now();
    const state = train(slice);
    more = left(state);
    slice = next(slice, performance.now() - begun, more);
    yield state;
  }
}

/** @param {() => any} lab the laboratory, once it is open */
export const streams = (lab) => ({
  lab_run: (pane) => lab().run(pane),
  lab_latent_run: (within) => lab().latent_run(within),
  lab_anneal: (which) => lab().anneal(which),
  lab_race: () => lab().race(),
  /** Trains the network. @param {number} until the step to stop at */
  lab_train: (until) => generated(slices((steps) => lab().train(steps), ({ step }) => until - step)),
  /** Trains the classifier, as far as it needs; one that is trained answers at once. */
  lab_classify: () => generated(slices((steps) => lab().classify(steps), ({ done, step, steps }) => (done ? 0 : steps - step))),
});
