//! The scenes of the demo's cameras, from ffmpeg's picture generators, each easy to tell from the others.

use multistream_protocol::NATIVE;

pub(super) const WIDTH: u32 = 1600;
pub(super) const HEIGHT: u32 = 900;
pub(super) const FPS: u32 = 25;
pub(super) const SECONDS: u32 = 12;

#[derive(Debug)]
pub(super) struct Scene {
    pub(super) name: &'static str,
    /// A filter chain without input that generates `WIDTH`×`HEIGHT` at `FPS`.
    pub(super) graph: &'static str,
}

pub(super) const SCENES: [Scene; 6] = [
    Scene {
        name: "Fractal",
        graph: "mandelbrot=size=800x450:rate=25:start_scale=2.2:end_scale=0.002:end_pts=300:maxiter=400,scale=1600:900",
    },
    Scene {
        name: "Aurora",
        graph: "gradients=size=400x225:rate=25:nb_colors=6:speed=0.03:seed=7:c0=#04121f:c1=#0b6e4f:c2=#5efc8d:\
                c3=#2d1e5f:c4=#1b98e0:c5=#8f2d56,scale=1600:900:flags=bilinear",
    },
    Scene { name: "Test card", graph: "testsrc2=size=1600x900:rate=25" },
    Scene {
        name: "Colony",
        graph: "life=size=200x112:rate=25:mold=12:ratio=0.35:seed=11:rule=B3/S23:life_color=#ffe08a:\
                death_color=#c2410c:mold_color=#0c1a2b,scale=1600:900:flags=neighbor",
    },
    Scene {
        name: "Harbour radar",
        graph: "color=#03140c:size=1600x900:rate=25,drawgrid=w=100:h=100:t=2:color=#14532d,\
                drawbox=x=0:y=440:w=1600:h=20:color=#166534:t=fill,\
                drawtext=text='●':fontsize=150:fontcolor=#4ade80:x='800+600*cos(t*2*PI/6)-tw/2':y='450+320*sin(t*2*PI/6)-th/2',\
                drawtext=text='●':fontsize=90:fontcolor=#facc15:x='800+420*cos(-t*2*PI/4)-tw/2':y='450+220*sin(-t*2*PI/4)-th/2',\
                drawtext=text='●':fontsize=60:fontcolor=#f87171:x='800+220*cos(t*2*PI/3)-tw/2':y='450+300*sin(t*2*PI/12)-th/2'",
    },
    Scene {
        name: "Weave",
        graph: "cellauto=size=320x180:rate=25:rule=110:scroll=1:seed=5,negate,scale=1600:900:flags=neighbor,\
                format=yuv420p,hue=h=200,colorize=hue=265:saturation=0.55:lightness=0.55:mix=0.4",
    },
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quality {
    Native,
    P720,
    P360,
}

impl Quality {
    pub(super) const ALL: [Self; 3] = [Self::Native, Self::P720, Self::P360];

    /// The quality as in the streams' names and in the picture.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Native => NATIVE,
            Self::P720 => "720p",
            Self::P360 => "360p",
        }
    }

    pub(super) fn height(self) -> u32 {
        match self {
            Self::Native => HEIGHT,
            Self::P720 => 720,
            Self::P360 => 360,
        }
    }

    /// The largest bit rate of the loop, in kbit/s.
    pub(super) fn max_kbit(self) -> u32 {
        match self {
            Self::Native => 3500,
            Self::P720 => 2000,
            Self::P360 => 700,
        }
    }
}
