/** The worker of films. In: {call, given, videos}. Out: {done} from 0 to 1, and at last {result} or {error}. */

import start, { Film, film_frame, film_size } from "./unnoise_film.js";

/** What a video is encoded as, the first that the browser can: of H.264 every profile that it may have. */
const CODECS = { mp4: [["avc1.640033", "avc"], ["avc1.4d0033", "avc"], ["avc1.42e033", "avc"]], webm: [["vp09.00.51.08", "V_VP9"], ["vp8", "V_VP8"]] };
/** Key frames are at most so many frames apart. */
const KEYS = 30;
/** Frames that may wait for the encoder. */
const WAITING = 4;

const calls = {
  /** The sizes of a film by how far it is enlarged; none for what is too large. */
  sizes: ({ scene, zooms }) =>
    zooms.flatMap((zoom) => {
      try {
        return [{ zoom, ...film_size({ ...scene, zoom }) }];
      } catch {
        return [];
      }
    }),
  film: (given, videos) => (given.options.format in CODECS ? video(given, videos) : still(given)),
};

/** A film by the module. */
function still({ frames, options }) {
  const film = new Film({ ...options, frames: frames.length });
  const looks = film.looks();
  const whole = frames.length * (looks ? 2 : 1);
  let done = 0;
  const stepped = () => postMessage({ done: ++done / whole });
  for (const { x, denoised } of looks ? frames : []) {
    film.look(x, denoised);
    stepped();
  }
  for (const { x, denoised, step, t, alpha, sigma, texts } of frames) {
    film.add(x, denoised, { step, t, alpha, sigma, texts });
    stepped();
  }
  return film.finish(options.link);
}

/** Lays a picture into the upper left corner of one that may be a pixel wider. */
function laid(rgba, { width, height }, onto, wide) {
  for (let y = 0; y < height; y++) onto.set(rgba.subarray(4 * y * width, 4 * (y + 1) * width), 4 * y * wide);
}

/** A film by the browser's encoder. @param {string} videos the address of the library that writes such files */
async function video({ frames, options: { format, scene, rate, hold } }, videos) {
  const { Muxer, ArrayBufferTarget } = await import(videos);
  const size = film_size(scene);
  // Encoders want even sides.
  const [width, height] = [size.width, size.height].map((side) => side + (side % 2));
  const bitrate = Math.round(Math.min(Math.max(width * height * rate * 0.3, 1e6), 40e6));
  const config = (codec) => ({ codec, width, height, bitrate, framerate: rate });
  let chosen;
  for (const [codec, name] of CODECS[format]) {
    const { supported } = await VideoEncoder.isConfigSupported(config(codec)).catch(() => ({}));
    if (supported) {
      chosen = { codec, name };
      break;
    }
  }
  if (!chosen) throw new Error(`this browser encodes no ${format}`);
  const target = new ArrayBufferTarget();
  const muxer = new Muxer({ target, video: { codec: chosen.name, width, height, frameRate: format === "webm" ? rate : undefined }, ...(format === "mp4" && { fastStart: "in-memory" }) });
  let failed;
  const encoder = new VideoEncoder({ output: (chunk, meta) => muxer.addVideoChunk(chunk, meta), error: (thrown) => (failed = thrown) });
  encoder.configure(config(chosen.codec));
  const seen = frames.map(({ x, denoised }) => () => film_frame(scene, x, denoised)).filter((_, i) => scene.shows !== "denoised" || frames[i].denoised);
  // A last frame that stays is one that comes again: a file has no other way to say it.
  const stays = Math.round(hold * rate);
  const rgbx = new Uint8Array(4 * width * height);
  for (let i = 0; i < seen.length + stays; i++) {
    if (i < seen.length) laid(seen[i](), size, rgbx, width);
    const frame = new VideoFrame(rgbx, { format: "RGBX", codedWidth: width, codedHeight: height, timestamp: Math.round((i / rate) * 1e6), duration: Math.round(1e6 / rate) });
    encoder.encode(frame, { keyFrame: i % KEYS === 0 });
    frame.close();
    while (encoder.encodeQueueSize > WAITING && !failed) await new Promise((resolve) => setTimeout(resolve, 1));
    if (failed) throw failed;
    postMessage({ done: (i + 1) / (seen.length + stays + 1) });
  }
  await encoder.flush();
  if (failed) throw failed;
  muxer.finalize();
  return new Uint8Array(target.buffer);
}

addEventListener("message", async ({ data: { call, given, videos } }) => {
  try {
    await start({ module_or_path: new URL("./unnoise_film_bg.wasm", import.meta.url) });
    const result = await calls[call](given, videos);
    postMessage({ result }, ArrayBuffer.isView(result) ? [result.buffer] : []);
  } catch (thrown) {
    postMessage({ error: String(thrown?.message ?? thrown) });
  }
});
