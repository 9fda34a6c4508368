/** The element of an id. @returns {any} */
export const $ = (id) => document.getElementById(id);
