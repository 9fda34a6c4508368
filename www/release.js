/** Which release of the site this page belongs to, and whether there is a newer one. */

/** The folder of this release's files: `assets-…/` where the site is published, nothing where it is edited. */
export const RELEASE = new URL("../", import.meta.url).href.slice(new URL(".", document.baseURI).href.length);
/** Whether the site was put up anew since this page was opened: then its own files may be gone. */
export async function outdated() {
  if (!RELEASE) return false;
  const page = await fetch(document.baseURI.split("#")[0], { cache: "no-store" }).then((answer) => (answer.ok ? answer.text() : ""), () => "");
  return page.includes("www/main.js") && !page.includes(`${RELEASE}www/main.js`);
}

/** Has the browser fetch a file of this release anew: a copy that is broken would be broken the next time, too. @param {string | undefined} file */
export const renew = async (file) => file && fetch(new URL(`../${file}`, import.meta.url), { cache: "reload" }).catch(() => {});
