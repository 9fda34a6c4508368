/** The download of a model's files, one model's at a time, with its progress on the stage. */

import { $ } from "./dom.js";
import { fetchModel } from "./models.js";
import { megabytes } from "./strings.js";

/**
 * The download that is under way, or was last, and the engine that reads it.
 * @type {{id: string, abort: AbortController, files: Promise<any>, engine?: import("../pkg/index.js").Engine}}
 */
export let loading = { id: "", abort: new AbortController(), files: Promise.resolve() };

/**
 * Downloads the files of a model, and no other's any more.
 * @param {import("./models.js").Model} model
 * @param {{status: (key: string, values?: object) => void, stage: () => [string, object]}} said `stage` is what the engine does meanwhile
 */
export function fetching(model, { status, stage }) {
  if (loading.id === model.id && !loading.abort.signal.aborted) return loading;
  loading.abort.abort();
  const abort = new AbortController();
  const progress = ({ loaded: bytes, total }) => {
    // What is over may still be read, by a further worker.
    const going = loading.abort === abort && loading.id;
    if (!going || abort.signal.aborted || !$("fault").hidden) return;
    $("progress").value = bytes / total;
    $("cancel").hidden = bytes >= total;
    if (bytes < total) status("stage.downloading", { name: model.name, loaded: megabytes(bytes), total: megabytes(total) });
    else status(...stage());
  };
  const files = fetchModel(model, { progress, signal: abort.signal });
  files.catch(() => {}); // reported by the `load` that awaits it
  loading = { id: model.id, abort, files };
  return loading;
}

/** What it brought is on the device, or it failed: it is to be fetched anew when it is wanted again. */
export const over = () => (loading = { ...loading, id: "" });

/** Gives up what is on its way. */
export function giveUp() {
  loading.abort.abort();
  over();
}
