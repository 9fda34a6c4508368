/** Addresses of scripts, as pages want them that ask for Trusted Types: a policy called `unnoise`, which takes those of the package's own origin. */

let policy;

/** @param {string | URL} address @returns {string} where the browser knows the types, a `TrustedScriptURL` */
export function script_url(address) {
  if (!globalThis.trustedTypes) return String(address);
  policy ??= trustedTypes.createPolicy("unnoise", {
    createScriptURL(text) {
      if (new URL(text).origin !== new URL(import.meta.url).origin) throw new TypeError(`${text} is no script of this site`);
      return text;
    },
  });
  return policy.createScriptURL(String(address));
}
