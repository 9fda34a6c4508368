//! The layers of networks: what the tests hold the kernels to, and what the benchmark times.

use crate::{Attention, Convolution, Layout, Normalisation};

/// A layer that a kernel computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Layer {
    /// With or without a residual that the result is added to.
    Convolution {
        shape: Convolution,
        residual: bool,
    },
    /// With or without a time embedding that is added before.
    Normalisation {
        shape: Normalisation,
        added: bool,
    },
    Attention(Attention),
}

/// A layer that takes most of its time to compute, and not to read and write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timed {
    Convolution(Convolution),
    Attention(Attention),
}

/// A network by what decides the shapes of its layers.
#[derive(Clone, Copy, Debug)]
pub struct Network {
    pub name: &'static str,
    /// Its folder below `models/`, where it ships.
    pub folder: Option<&'static str>,
    pub kind: Kind,
    /// Height and width of what it takes; of an autoencoder, of its pictures.
    pub size: usize,
    /// Channels that go in and come out; of an autoencoder, of pictures and of latents.
    pub ends: [usize; 2],
    /// Channels of each level, from the largest pictures to the smallest.
    pub channels: &'static [usize],
    /// Residual blocks of a level on the way down.
    pub blocks: usize,
    pub groups: usize,
    pub attention: Attends,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    UNet,
    Autoencoder,
    /// The way down of a U-Net.
    Classifier,
}

/// Which levels have attention, and of what kind.
#[derive(Clone, Copy, Debug)]
pub enum Attends {
    Nowhere,
    /// In the middle, and after each residual block of these levels.
    Positions {
        levels: &'static [usize],
        width: usize,
    },
    /// Likewise, to the picture itself and to so many tokens of a prompt.
    Words {
        levels: &'static [usize],
        heads: usize,
        tokens: usize,
    },
}

const UNET: Network = Network {
    name: "",
    folder: None,
    kind: Kind::UNet,
    size: 28,
    ends: [1, 1],
    channels: &[],
    blocks: 1,
    groups: 8,
    attention: Attends::Nowhere,
};

/// The U-Net of Stable Diffusion 1 at latents of 64 × 64.
pub const STABLE_DIFFUSION: Network = Network {
    name: "Stable Diffusion 1",
    size: 64,
    ends: [4, 4],
    channels: &[320, 640, 1280, 1280],
    blocks: 2,
    groups: 32,
    attention: Attends::Words { levels: &[0, 1, 2], heads: 8, tokens: 77 },
    ..UNET
};

/// The autoencoder of Stable Diffusion 1, for pictures of 512 × 512.
pub const STABLE_DIFFUSION_VAE: Network = Network {
    name: "Stable Diffusion 1, autoencoder",
    kind: Kind::Autoencoder,
    size: 512,
    ends: [3, 4],
    channels: &[128, 256, 512, 512],
    blocks: 2,
    groups: 32,
    attention: Attends::Positions { levels: &[], width: 512 },
    ..UNET
};

/// As in `google/ddpm-cifar10-32`, narrow.
pub const CIFAR: Network = Network {
    name: "ddpm-cifar10-32, narrow",
    size: 32,
    ends: [3, 3],
    channels: &[16, 32, 32, 32],
    blocks: 2,
    attention: Attends::Positions { levels: &[1], width: 32 },
    ..UNET
};

const CLASSIFIER: Network = Network { kind: Kind::Classifier, ends: [1, 10], ..UNET };

/// Of the networks that ship, those whose shapes differ.
pub const SHIPPED: [Network; 9] = [
    Network {
        name: "fashion-mnist",
        folder: Some("fashion-mnist/unet"),
        channels: &[32, 64, 112],
        attention: Attends::Positions { levels: &[2], width: 28 },
        ..UNET
    },
    Network {
        name: "emoji-text",
        folder: Some("emoji-text/unet"),
        size: 16,
        ends: [4, 4],
        channels: &[96, 128],
        groups: 16,
        attention: Attends::Words { levels: &[0, 1], heads: 4, tokens: 32 },
        ..UNET
    },
    Network {
        name: "emoji-text, autoencoder",
        folder: Some("emoji-text/vae"),
        kind: Kind::Autoencoder,
        size: 64,
        ends: [3, 4],
        channels: &[32, 64, 64],
        ..UNET
    },
    Network {
        name: "emoji-32",
        folder: Some("emoji-32/unet"),
        size: 32,
        ends: [3, 3],
        channels: &[32, 64, 128, 160],
        attention: Attends::Positions { levels: &[2], width: 32 },
        ..UNET
    },
    Network {
        name: "mnist-score",
        folder: Some("mnist-score/unet"),
        channels: &[24, 48, 96],
        attention: Attends::Positions { levels: &[2], width: 32 },
        ..UNET
    },
    Network {
        name: "self-test",
        folder: Some("selftest/unet"),
        size: 12,
        channels: &[8, 12],
        groups: 4,
        attention: Attends::Positions { levels: &[1], width: 4 },
        ..UNET
    },
    Network {
        name: "fashion-mnist-classifier",
        folder: Some("fashion-mnist-classifier"),
        channels: &[32, 64, 64],
        ..CLASSIFIER
    },
    Network { name: "mnist-classifier", folder: Some("mnist-classifier"), channels: &[16, 32, 64], ..CLASSIFIER },
    Network {
        name: "emoji-32-classifier",
        folder: Some("emoji-32-classifier"),
        size: 32,
        ends: [3, 10],
        channels: &[16, 32, 64],
        ..CLASSIFIER
    },
];

impl Network {
    /// Its layers in the order in which they are computed, for so many pictures.
    pub fn layers(&self, batch: usize) -> Vec<Layer> {
        let mut walk = Walk { network: *self, batch, size: self.size, layers: Vec::new() };
        let [inputs, outputs] = self.ends;
        let (first, last) = (self.channels[0], self.channels[self.channels.len() - 1]);
        match self.kind {
            Kind::UNet => {
                let skips = walk.down(inputs);
                walk.middle(last);
                walk.up(Some(skips));
                walk.end(first, outputs);
            }
            Kind::Autoencoder => {
                walk.down(inputs);
                walk.middle(last);
                walk.end(last, 2 * outputs);
                walk.conv([2 * outputs; 2], 1, false);
                walk.conv([outputs; 2], 1, false);
                walk.conv([outputs, last], 3, false);
                walk.middle(last);
                walk.up(None);
                walk.end(first, inputs);
            }
            Kind::Classifier => {
                walk.down(inputs);
                walk.norm(last, true, false);
            }
        }
        walk.layers
    }

    /// The 3 × 3 convolution that keeps channels and size, and the attentions, of each level.
    pub fn levels(&self, batch: usize) -> Vec<Timed> {
        let mut walk = Walk { network: *self, batch, size: self.size, layers: Vec::new() };
        for (level, channels) in self.channels.iter().enumerate() {
            walk.conv([*channels; 2], 3, false);
            if self.attention.at(level) {
                walk.attentions(*channels);
            }
            walk.size = walk.size.div_ceil(2);
        }
        let timed = |layer| match layer {
            Layer::Convolution { shape, .. } => Some(Timed::Convolution(shape)),
            Layer::Attention(shape) => Some(Timed::Attention(shape)),
            Layer::Normalisation { .. } => None,
        };
        walk.layers.into_iter().filter_map(timed).collect()
    }
}

impl Attends {
    fn at(&self, level: usize) -> bool {
        match self {
            Self::Nowhere => false,
            Self::Positions { levels, .. } | Self::Words { levels, .. } => levels.contains(&level),
        }
    }
}

/// The layers so far, and the size of the pictures that they lead to.
struct Walk {
    network: Network,
    batch: usize,
    size: usize,
    layers: Vec<Layer>,
}

impl Walk {
    fn conv(&mut self, [inputs, outputs]: [usize; 2], kernel: usize, residual: bool) {
        let (batch, size, pad) = (self.batch, [self.size; 2], kernel / 2);
        let (kernel, padding) = ([kernel; 2], [[pad; 2]; 2]);
        let shape = Convolution { batch, inputs, outputs, size, seen: size, kernel, stride: [1, 1], padding };
        self.layers.push(Layer::Convolution { shape, residual });
    }

    /// The last layer, which was a convolution, as `change` makes it.
    fn change(&mut self, change: impl Fn(&mut Convolution)) {
        if let Some(Layer::Convolution { shape, .. }) = self.layers.last_mut() {
            change(shape);
            self.size = shape.out()[0];
        }
    }

    fn norm(&mut self, channels: usize, silu: bool, added: bool) {
        let (batch, groups, pixels) = (self.batch, self.network.groups, self.size.pow(2));
        let shape = Normalisation { batch, channels, groups, pixels, eps: 1e-5, silu };
        self.layers.push(Layer::Normalisation { shape, added });
    }

    fn block(&mut self, inputs: usize, outputs: usize) {
        self.norm(inputs, true, false);
        self.conv([inputs, outputs], 3, false);
        self.norm(outputs, true, self.network.kind != Kind::Autoencoder);
        if inputs != outputs {
            self.conv([inputs, outputs], 1, false);
        }
        self.conv([outputs; 2], 3, true);
    }

    /// Of all heads, to the picture itself and to what else there is.
    fn attentions(&mut self, channels: usize) {
        let (batch, positions) = (self.batch, self.size.pow(2));
        let mut attend = |heads, sources, layout| {
            let width = channels / heads;
            self.layers.push(Layer::Attention(Attention { batch, positions, sources, heads, width, layout }));
        };
        match self.network.attention {
            Attends::Nowhere => {}
            Attends::Positions { width, .. } => attend(channels / width, positions, Layout::ChannelsFirst),
            Attends::Words { heads, tokens, .. } => {
                attend(heads, positions, Layout::ChannelsLast);
                attend(heads, tokens, Layout::ChannelsLast);
            }
        }
    }

    fn attention(&mut self, channels: usize) {
        let words = matches!(self.network.attention, Attends::Words { .. });
        if !matches!(self.network.attention, Attends::Nowhere) {
            self.norm(channels, false, false);
        }
        if words {
            self.conv([channels; 2], 1, false);
        }
        self.attentions(channels);
        if words {
            self.conv([channels; 2], 1, false);
        }
    }

    /// The channels of what is kept for the way up.
    fn down(&mut self, inputs: usize) -> Vec<usize> {
        let Network { channels, blocks, kind, attention, .. } = self.network;
        let mut before = channels[0];
        self.conv([inputs, before], 3, false);
        let mut kept = vec![before];
        for (level, after) in channels.iter().enumerate() {
            for _ in 0..blocks {
                self.block(before, *after);
                before = *after;
                if attention.at(level) {
                    self.attention(before);
                }
                kept.push(before);
            }
            if level + 1 < channels.len() {
                self.conv([before; 2], 3, false);
                // An autoencoder's pictures have zeros below and at the right alone.
                let above = usize::from(kind != Kind::Autoencoder);
                self.change(|shape| (shape.stride, shape.padding) = ([2; 2], [[above, 1]; 2]));
                kept.push(before);
            }
        }
        kept
    }

    fn middle(&mut self, channels: usize) {
        self.block(channels, channels);
        self.attention(channels);
        self.block(channels, channels);
    }

    fn up(&mut self, mut kept: Option<Vec<usize>>) {
        let Network { channels, blocks, attention, .. } = self.network;
        let mut before = channels[channels.len() - 1];
        for (level, after) in channels.iter().enumerate().rev() {
            for _ in 0..=blocks {
                let beside = kept.as_mut().and_then(Vec::pop).unwrap_or_default();
                self.block(before + beside, *after);
                before = *after;
                if attention.at(level) {
                    self.attention(before);
                }
            }
            if level > 0 {
                self.conv([before; 2], 3, false);
                self.change(|shape| shape.seen = shape.seen.map(|side| 2 * side));
            }
        }
    }

    fn end(&mut self, channels: usize, outputs: usize) {
        self.norm(channels, true, false);
        self.conv([channels, outputs], 3, false);
    }
}
