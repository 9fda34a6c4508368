/** What a run does besides its steps, said where it takes long enough to be read. */

const LONG = 300;

let waiting = 0;
let said = false;

/** Something begins. @param {() => void} say */
export function begins(say) {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    said = true;
    say();
  }, LONG);
}

/** It is over. @returns {boolean} whether it was said, so that something else is to stand in its place */
export function over() {
  clearTimeout(waiting);
  const was = said;
  said = false;
  return was;
}
