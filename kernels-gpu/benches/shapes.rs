//! What the kernels reach on the graphics card of this machine, as a Markdown table: `cargo xtask bench gpu`.

use cubecl::Device;
use cubecl::device::WgpuDeviceKind;
use cubecl::server::ServerError;
use cubecl::wgpu::wgpu::DeviceType;
use cubecl::wgpu::{AutoGraphicsApi, RuntimeOptions, WgpuDevice, try_init_setup};
use unnoise_kernels_gpu::Adapter;
use unnoise_kernels_gpu::bench::{layers, peak};
use unnoise_kernels_gpu::shapes::Timed;

fn main() -> Result<(), ServerError> {
    let setup = try_init_setup::<AutoGraphicsApi>(&WgpuDevice::default(), RuntimeOptions::default());
    let (Ok(setup), Ok(device)) = (setup, Device::wgpu(WgpuDeviceKind::default())) else {
        println!("No graphics card answers here over Vulkan, Metal or DirectX 12.");
        return Ok(());
    };
    let software = setup.adapter.get_info().device_type == DeviceType::Cpu;
    let (client, adapter) = (device.client(), if software { Adapter::Software } else { Adapter::Card });
    pollster::block_on(async {
        let peak = peak(&client).await?;
        println!("| | GFLOP/s | share of the most |\n|---|---:|---:|");
        println!("| the most that it multiplies and adds | {:.1} | |", peak / 1e9);
        for (network, layer) in layers() {
            let rate = layer.rate(&client, adapter).await?;
            println!("| {network}: {} | {:.1} | {:.0} % |", named(&layer), rate / 1e9, 100.0 * rate / peak);
        }
        Ok(())
    })
}

fn named(layer: &Timed) -> String {
    match layer {
        Timed::Convolution(shape) => {
            let ([height, width], [kernel, _]) = (shape.size, shape.kernel);
            let (batch, inputs, outputs) = (shape.batch, shape.inputs, shape.outputs);
            format!("{batch} × {inputs} to {outputs}, {height} × {width}, kernel {kernel}")
        }
        Timed::Attention(shape) => {
            let (batch, heads, width) = (shape.batch, shape.heads, shape.width);
            format!("{batch} × {} to {}, {heads} heads of {width}", shape.positions, shape.sources)
        }
    }
}
