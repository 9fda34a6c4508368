/** Keeps what a person is typing: the form is written anew whenever the engine answers, and that may be in mid-word. */

/** The field with an entry that is not yet taken over. @type {EventTarget | null} */
let busy = null;

const begun = ({ target }) => (busy = target);
const over = () => (busy = null);
addEventListener("input", begun, true);
// Before anyone who listens on the field itself, who may well write into it.
addEventListener("change", over, true);
addEventListener("focusout", over, true);

/** Writes into a field, unless it is being typed in. @param {HTMLInputElement | HTMLSelectElement} field */
export function put(field, text) {
  if (field !== busy) field.value = text;
}
