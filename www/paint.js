/** Sheets of pictures on a canvas: one canvas pixel a picture pixel, enlarged by the browser without smoothing. */

/** @typedef {{images: number, channels: number, height: number, width: number}} Shape */

/** Canvas pixels between neighbouring pictures. */
export const GAP = 2;
const BLANK = [128, 128, 128, 30];

/** Columns of a sheet: the smallest square that holds all images, as the command line lays out its PNG. */
export const columns = (images) => Math.ceil(Math.sqrt(images));

export class Sheet {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
  }

  /** @param {Shape} shape */
  layout(shape) {
    this.shape = shape;
    const { images, height, width } = shape;
    this.columns = columns(images);
    this.rows = Math.ceil(images / this.columns);
    this.canvas.width = this.columns * (width + GAP) - GAP;
    this.canvas.height = this.rows * (height + GAP) - GAP;
  }

  /** @param {Uint8Array | undefined} bytes images × height × width × channels; undefined draws empty places */
  draw(bytes) {
    this.context.putImageData(rgba(bytes, this.shape, this.columns, this.rows, GAP), 0, 0);
  }

  /** Which image is at the event's place, or -1. */
  at({ offsetX, offsetY }) {
    const { images, height, width } = this.shape;
    const zoom = this.canvas.width / this.canvas.clientWidth;
    const column = Math.floor((offsetX * zoom) / (width + GAP));
    const image = Math.floor((offsetY * zoom) / (height + GAP)) * this.columns + column;
    return column < this.columns && image < images ? image : -1;
  }

  /** Image `i`'s box as fractions of the canvas. */
  box(i) {
    const { height, width } = this.shape;
    return {
      left: ((i % this.columns) * (width + GAP)) / this.canvas.width,
      top: (Math.floor(i / this.columns) * (height + GAP)) / this.canvas.height,
      width: width / this.canvas.width,
      height: height / this.canvas.height,
    };
  }
}

/** All pictures as one PNG without gaps, pixel for pixel what the command line writes. @returns {Promise<Blob>} */
export const png = (bytes, shape) => encoded(whole(bytes, shape));

/** The same, made small. @param {number} side the longest that it may have, in pixels @returns {Promise<Blob>} */
export function thumbnail(bytes, shape, side) {
  const all = whole(bytes, shape);
  const scale = Math.min(1, side / Math.max(all.width, all.height));
  const canvas = Object.assign(document.createElement("canvas"), { width: Math.ceil(all.width * scale), height: Math.ceil(all.height * scale) });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(all, 0, 0, canvas.width, canvas.height);
  return encoded(canvas);
}

function whole(bytes, shape) {
  const wide = columns(shape.images);
  const image = rgba(bytes, shape, wide, Math.ceil(shape.images / wide), 0);
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
  const context = canvas.getContext("2d");
  context.putImageData(image, 0, 0);
  context.globalCompositeOperation = "destination-over";
  context.fillRect(0, 0, canvas.width, canvas.height); // black where no picture is
  return canvas;
}

/** A canvas as a PNG. @param {HTMLCanvasElement} canvas @returns {Promise<Blob>} */
export const encoded = (canvas) => new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("toBlob"))), "image/png"));

/** One picture as it is; undefined is an empty place. @param {Uint8Array | undefined} bytes @param {Shape} shape */
export const picture = (bytes, shape) => rgba(bytes, { ...shape, images: 1 }, 1, 1, 0);

/** Grey (1 channel) or colour (3 or more) bytes laid out as one opaque sheet with transparent gaps. */
function rgba(bytes, { images, channels, height, width }, columns, rows, gap) {
  const sheet = new ImageData(columns * (width + gap) - gap, rows * (height + gap) - gap);
  const { data } = sheet;
  const [green, blue] = channels < 3 ? [0, 0] : [1, 2];
  for (let image = 0; image < images; image++) {
    const left = (image % columns) * (width + gap);
    const top = Math.floor(image / columns) * (height + gap);
    for (let y = 0; y < height; y++) {
      let to = ((top + y) * sheet.width + left) * 4;
      let from = (image * height + y) * width * channels;
      for (let x = 0; x < width; x++, to += 4, from += channels) {
        if (!bytes) {
          data.set(BLANK, to);
          continue;
        }
        // No array a pixel: a sheet of 64 pictures has fifty thousand, and the timeline draws two of them sixty times a second.
        data[to] = bytes[from];
        data[to + 1] = bytes[from + green];
        data[to + 2] = bytes[from + blue];
        data[to + 3] = 255;
      }
    }
  }
  return sheet;
}
