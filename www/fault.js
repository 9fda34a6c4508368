/** A failure that the page can put in words: `code` names a text `error.<code>`, `values` fill its placeholders. */
export class Fault extends Error {
  /** @param {string} code @param {Record<string, string | number>} [values] */
  constructor(code, values = {}) {
    super(code);
    this.code = code;
    this.values = values;
  }

  /** Any thrown thing as a fault. What has no values for a sentence of ours is reported under `code`, in its own words. */
  static from(thrown, code = "unexpected") {
    if (thrown instanceof Fault) return thrown;
    if (thrown?.code && thrown.values) return new Fault(thrown.code, thrown.values);
    return new Fault(code, { message: String(thrown?.message ?? thrown) });
  }
}
