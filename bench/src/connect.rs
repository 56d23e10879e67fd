//! `connect`: the time from `connect()`, and from a page load, to the first picture of each tile.

use clap::Args;
use multistream_testkit::CamerasOptions;
use serde::Serialize;
use serde_json::json;

use crate::browser;
use crate::distribution::Distribution;
use crate::machine::{Machine, Versions};
use crate::report::{Case, Report};
use crate::scene::{self, Binaries};

const TILES: [u8; 3] = [1, 6, 9];

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Connections, and page loads, per case.
    #[arg(long, default_value_t = 20)]
    runs: usize,
}

#[derive(Debug, Serialize)]
struct Measured {
    name: String,
    /// The first pictures of all tiles of all runs.
    first_frame_ms: Option<Distribution>,
    /// The first picture of the last tile of each run.
    all_tiles_ms: Option<Distribution>,
}

impl Case for Measured {
    fn row(&self) -> Vec<(&'static str, String)> {
        let figure = |of: &Option<Distribution>| of.map_or("–".to_owned(), |of| of.to_string());
        vec![
            ("case (p50 / p95 / max)", self.name.clone()),
            ("runs", self.all_tiles_ms.map_or(0, |of| of.n).to_string()),
            ("first picture of a tile, ms", figure(&self.first_frame_ms)),
            ("all tiles, ms", figure(&self.all_tiles_ms)),
        ]
    }
}

pub(crate) async fn run(binaries: &Binaries, options: &Options) -> anyhow::Result<Report> {
    let machine = Machine::this();
    let count = TILES[TILES.len() - 1];
    let cameras = scene::cameras(&CamerasOptions { count, ..CamerasOptions::default() })?;
    let (mut cases, mut version) = (Vec::new(), String::new());
    for tiles in TILES {
        eprintln!("connect: {tiles} tiles");
        let server = scene::server(binaries, &scene::streams(&cameras, count, ""), "")?;
        let (mut connects, mut pages) = (Vec::new(), Vec::new());
        let job = json!({ "url": server.url(), "tiles": tiles, "runs": options.runs });
        version = browser::run("connect", &job, |_, event| {
            let pictures: Vec<f64> = serde_json::from_value(event["pictures"].clone())?;
            if event["event"] == "page" {
                pages.push(pictures);
            } else {
                connects.push(pictures);
            }
            Ok(())
        })
        .await?;
        cases.push(measured(format!("connect-{tiles}"), &connects));
        cases.push(measured(format!("page-{tiles}"), &pages));
    }
    let about = "360p cameras that are live; connect() of a page that is loaded, and the server's own page with an empty cache";
    Report::new("connect", machine, Versions::with_browser(version), about.to_owned(), &cases)
}

fn measured(name: String, runs: &[Vec<f64>]) -> Measured {
    let last: Vec<f64> = runs.iter().filter_map(|run| run.iter().copied().reduce(f64::max)).collect();
    Measured { name, first_frame_ms: Distribution::of(&runs.concat()), all_tiles_ms: Distribution::of(&last) }
}
