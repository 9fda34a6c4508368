//! Pictures drawn on canvases of a page by the graphics card that computed them.

use super::reading::Work;
use super::{BackendError, Present, faultless, gist, gpu};
use crate::picture;
use burn::tensor::Tensor;
use burn_cubecl::cubecl::server::ServerError;
use burn_cubecl::cubecl::wgpu::{AutoCompiler, WgpuResource, WgpuServer, WgpuSetup, wgpu};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{Cube, CubeBackend};
use std::cell::RefCell;
use std::future::ready;
pub use wgpu::web_sys::OffscreenCanvas;

/// Canvases for `x_t` and for the estimate of `x_0`, as far as they are wanted. Pictures lie on a canvas as on a
/// [`sheet`](picture::sheet), a pixel each of their own, and where there is none it is transparent.
pub struct Canvases {
    canvases: [Option<Canvas>; 2],
    pipeline: wgpu::RenderPipeline,
    /// The values that are black and white.
    range: [f64; 2],
    /// Pixels between neighbouring pictures.
    gap: u32,
}

struct Canvas {
    surface: wgpu::Surface<'static>,
    /// Of the size that it has, and before the first pictures of none.
    config: RefCell<wgpu::SurfaceConfiguration>,
    /// `Sheet` of the shader.
    sheet: wgpu::Buffer,
}

/// Bytes of `Sheet`.
const SHEET: u64 = 9 * 4;
/// Every card lets a binding begin at a multiple of so many bytes.
const ALIGNMENT: u64 = 256;

impl Canvases {
    /// # Errors
    /// No card was opened over WebGPU; a canvas has a context of another kind.
    pub fn new(canvases: [Option<OffscreenCanvas>; 2], range: [f64; 2], gap: u32) -> Result<Self, BackendError> {
        let setup = setup()?;
        let [x, denoised] = canvases.map(|canvas| canvas.map(|canvas| Canvas::new(canvas, setup)).transpose());
        let canvases = [x?, denoised?];
        let format = canvases.iter().flatten().next().map(|canvas| canvas.config.borrow().format);
        let module = setup.device.create_shader_module(wgpu::include_wgsl!("canvas.wgsl"));
        let compilation_options = wgpu::PipelineCompilationOptions::default();
        let pipeline = setup.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("sheet of pictures"),
            layout: None,
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("corner"),
                compilation_options: compilation_options.clone(),
                buffers: &[],
            },
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("pixel"),
                compilation_options,
                targets: &[Some(format.ok_or_else(|| refused("there is none"))?.into())],
            }),
            multiview_mask: None,
            cache: None,
        });
        Ok(Self { canvases, pipeline, range, gap })
    }

    fn submit(&self, x: Tensor<4>, denoised: Option<Tensor<4>>) -> Result<Work<()>, BackendError> {
        let (setup, shape) = (setup()?, x.dims());
        // What cannot be drawn on is refused before anything is asked of the device.
        let size = self.size(shape);
        let texture = |canvas: &Option<Canvas>| canvas.as_ref().map(|canvas| canvas.texture(size, setup)).transpose();
        let [first, second] = &self.canvases;
        let textures = [texture(first)?, texture(second)?];
        let x = computed(x)?;
        let denoised = denoised.map(computed).transpose()?;
        let of = |pictures: &CubeTensor| {
            pictures.client.get_resource::<WgpuServer<AutoCompiler>>(pictures.handle.clone()).map_err(failed)
        };
        // They keep the memory until what reads it is submitted.
        let resources = [Some(of(&x)?), denoised.as_ref().map(of).transpose()?];
        x.client.flush().map_err(failed)?;
        let mut encoder = setup.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for ((canvas, texture), resource) in self.canvases.iter().zip(&textures).zip(&resources) {
            if let (Some(canvas), Some(texture)) = (canvas, texture) {
                let pictures = resource.as_ref().map(|resource| resource.resource());
                self.draw((canvas, texture), pictures, shape, (setup, &mut encoder));
            }
        }
        setup.queue.submit([encoder.finish()]);
        textures.into_iter().flatten().for_each(|texture| setup.queue.present(texture));
        let done = x.client.sync();
        Ok(Box::pin(async move {
            done.await.map_err(failed)?;
            faultless()
        }))
    }

    /// Width and height of a sheet of pictures of this shape.
    fn size(&self, [images, _, height, width]: [usize; 4]) -> [u64; 2] {
        let (columns, gap) = (picture::columns(images), u64::from(self.gap));
        let side = |count: usize, pixels: usize| count as u64 * (pixels as u64 + gap) - gap;
        [side(columns, width), side(images.div_ceil(columns), height)]
    }

    /// Draws pictures of this shape on a canvas; where there are none it is empty.
    fn draw(
        &self,
        (canvas, texture): (&Canvas, &wgpu::SurfaceTexture),
        pictures: Option<&WgpuResource>,
        shape: [usize; 4],
        (setup, encoder): (&WgpuSetup, &mut wgpu::CommandEncoder),
    ) {
        let columns = picture::columns(shape[0]) as u32;
        let [images, channels, height, width] = shape.map(|n| n as u32);
        let view = texture.texture.create_view(&wgpu::TextureViewDescriptor::default());
        let bound = pictures.map(|pictures| {
            // The place of a slice in its buffer need not be one where a binding can begin.
            let offset = pictures.offset / ALIGNMENT * ALIGNMENT;
            let before = pictures.offset - offset;
            let counts = [(before / 4) as u32, images, channels, height, width, columns, self.gap];
            let [black, white] = self.range.map(|v| v as f32);
            let values =
                counts.map(u32::to_le_bytes).into_iter().chain([black, 1.0 / (white - black)].map(f32::to_le_bytes));
            setup.queue.write_buffer(&canvas.sheet, 0, &values.flatten().collect::<Vec<u8>>());
            let size = (before + pictures.size).next_multiple_of(4).try_into().ok();
            let values = wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer: &pictures.buffer, offset, size });
            let sheet = canvas.sheet.as_entire_binding();
            setup.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &self.pipeline.get_bind_group_layout(0),
                entries: &[
                    wgpu::BindGroupEntry { binding: 0, resource: values },
                    wgpu::BindGroupEntry { binding: 1, resource: sheet },
                ],
            })
        });
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &view,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT),
                    store: wgpu::StoreOp::Store,
                },
            })],
            ..Default::default()
        });
        if let Some(bound) = &bound {
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, bound, &[]);
            pass.draw(0..3, 0..1);
        }
    }
}

impl Present for Canvases {
    fn present(&self, x: Tensor<4>, denoised: Option<Tensor<4>>) -> Work<()> {
        self.submit(x, denoised).unwrap_or_else(|e| Box::pin(ready(Err(e))))
    }
}

impl Canvas {
    fn new(canvas: OffscreenCanvas, setup: &WgpuSetup) -> Result<Self, BackendError> {
        let surface = setup.instance.create_surface(wgpu::SurfaceTarget::OffscreenCanvas(canvas));
        let surface = surface.map_err(|e| refused(&e.to_string()))?;
        let config = surface.get_default_config(&setup.adapter, 0, 0).ok_or_else(|| refused("it has no format"))?;
        let alpha_mode = wgpu::CompositeAlphaMode::PreMultiplied;
        let config = RefCell::new(wgpu::SurfaceConfiguration { alpha_mode, ..config });
        let sheet = setup.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: SHEET,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        Ok(Self { surface, config, sheet })
    }

    /// What is drawn on next, of this width and height.
    fn texture(
        &self,
        size @ [width, height]: [u64; 2],
        setup: &WgpuSetup,
    ) -> Result<wgpu::SurfaceTexture, BackendError> {
        let mut config = self.config.borrow_mut();
        if [config.width, config.height].map(u64::from) != size {
            let most = setup.device.limits().max_texture_dimension_2d;
            if width.max(height) > most.into() {
                return Err(refused(&format!("a sheet of {width} × {height} pixels has a side of more than {most}")));
            }
            [config.width, config.height] = size.map(|side| side as u32);
            self.surface.configure(&setup.device, &config);
        }
        match self.surface.get_current_texture() {
            wgpu::CurrentSurfaceTexture::Success(texture) | wgpu::CurrentSurfaceTexture::Suboptimal(texture) => {
                Ok(texture)
            }
            other => Err(refused(&format!("{other:?}"))),
        }
    }
}

/// A tensor whose computation is with its device.
fn computed(tensor: Tensor<4>) -> Result<CubeTensor, BackendError> {
    let fused = tensor.try_into_primitive::<Cube>().map_err(|e| refused(&format!("{e:?}")))?;
    let client = fused.client.clone();
    Ok(into_contiguous(client.resolve_tensor_float::<CubeBackend>(fused)))
}

fn setup() -> Result<&'static WgpuSetup, BackendError> {
    gpu::SETUP.get().ok_or_else(|| refused("no card is open"))
}

fn refused(why: &str) -> BackendError {
    BackendError::Canvas(gist(why))
}

fn failed(e: ServerError) -> BackendError {
    BackendError::Failed(gist(&e.to_string()))
}
