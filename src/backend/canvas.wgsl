// Pictures in a buffer, laid on a sheet: one triangle covers the canvas, and each of its pixels looks for its value.

struct Sheet {
    // Where the pictures begin in the buffer, in values.
    offset: u32,
    images: u32,
    channels: u32,
    height: u32,
    width: u32,
    columns: u32,
    gap: u32,
    // The value that is black, and the reciprocal of how far white is from it.
    black: f32,
    scale: f32,
}

@group(0) @binding(0) var<storage, read> values: array<f32>;
@group(0) @binding(1) var<uniform> sheet: Sheet;

@vertex
fn corner(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn pixel(@builtin(position) position: vec4f) -> @location(0) vec4f {
    let size = vec2u(sheet.width, sheet.height);
    let at = vec2u(position.xy);
    let cell = at / (size + sheet.gap);
    let inside = at % (size + sheet.gap);
    let image = cell.y * sheet.columns + cell.x;
    if any(inside >= size) || image >= sheet.images {
        return vec4f(0.0);
    }
    let plane = size.x * size.y;
    let first = sheet.offset + image * sheet.channels * plane + inside.y * size.x + inside.x;
    // Fewer than three channels are grey.
    let step = select(0u, plane, sheet.channels >= 3u);
    let colour = vec3f(values[first], values[first + step], values[first + 2u * step]);
    return vec4f(clamp((colour - sheet.black) * sheet.scale, vec3f(0.0), vec3f(1.0)), 1.0);
}
