/** What scripts import. */

const IMPORTED = /\b(?:from|import)\s*["'](\.[^"']+)["']/g;

/**
 * The first of a script and of all that it imports which the server does not give; `undefined` where it gives them all.
 * @param {string} address @param {Set<string>} [seen] those that were looked for @returns {Promise<string | undefined>}
 */
export async function absentee(address, seen = new Set()) {
  if (seen.has(address)) return undefined;
  seen.add(address);
  const text = await fetch(address).then((answer) => (answer.ok ? answer.text() : undefined), () => undefined);
  if (text === undefined) return address;
  for (const [, path] of text.matchAll(IMPORTED)) {
    const gone = await absentee(new URL(path, address).href, seen);
    if (gone) return gone;
  }
  return undefined;
}
