/**
 * The chart library makes a number format of `navigator.language` as soon as it is loaded. A browser without a locale calls it
 * `C` or nothing, which is no language tag, and the library throws: such a browser is given English. To be imported before the library.
 */

try {
  Intl.getCanonicalLocales(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en", configurable: true });
}
