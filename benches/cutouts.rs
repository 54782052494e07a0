//! Cut-outs of 100 candidates in 8 frames of 2048 x 2048 px: `cargo bench --bench cutouts`.
//!
//! The calibrated frames and their masks lie on disk as FITS products and are read back as in a
//! night. Each candidate gets stamps of 63 px centred on the object and on the sky, plain and
//! without the static sky. The second figure also writes them as FITS files.

use std::path::{Path, PathBuf};
use std::time::Instant;

use autossos::formats::fits::{self, Header, Limits};
use autossos::pipeline::artifact::candidate::{Candidate, CandidateDetection, Identity};
use autossos::pipeline::artifact::catalogue::Catalogue;
use autossos::pipeline::artifact::cutout_hdus::NEIGHBOURS_EXTNAME;
use autossos::pipeline::artifact::cutouts::Cutouts;
use autossos::pipeline::cutouts::{CutoutInputs, CutoutParams, make_cutouts};
use autossos::pipeline::link::NightFrame;
use autossos::pipeline::static_sky::PixelSource;
use autossos::science::image::Image;
use autossos::science::image::mask::{Mask, MaskBits};
use autossos::science::reference::MemoryCatalogue;
use autossos::science::sky::wcs::Wcs;
use autossos::science::units::{ARCSEC_RAD, DEG_RAD};

const SIDE_PX: usize = 2048;
const FRAMES: usize = 8;
const CANDIDATES: usize = 100;
const RUNS: usize = 5;
const THREADS: usize = 2;

/// Frames that are read from disk.
struct Files(PathBuf);

impl Files {
    fn read(&self, name: &str) -> Image<f32> {
        let path = self.0.join(name);
        let info = fits::probe(&path, &Limits::default()).expect("a frame");
        fits::read_pixels(&path, &info).expect("its pixels")
    }
}

impl PixelSource for Files {
    fn load(&self, frame: &NightFrame) -> Option<(Image<f32>, Mask)> {
        let pixels = self.read(&frame.name);
        let bits = self.read(&format!("{}.mask", frame.name)).into_pixels();
        let bits = bits.into_iter().map(|v| MaskBits::from_bits(v as u8)).collect();
        Some((pixels, Image::from_pixels(SIDE_PX, SIDE_PX, bits)?))
    }
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let frames: Vec<NightFrame> = (0..FRAMES).map(frame).collect();
    for (number, frame) in frames.iter().enumerate() {
        write_frame(folder.path(), frame, number);
    }
    let candidates: Vec<Candidate> = (0..CANDIDATES).map(|i| candidate(i, &frames)).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(THREADS).build().expect("threads");
    let files = Files(folder.path().to_owned());
    let (mut made_s, mut kept_s) = (Vec::new(), Vec::new());
    let mut n_stamps = 0;
    for _ in 0..RUNS {
        let run = |keep: &mut (dyn FnMut(Cutouts) + Send)| {
            let start = Instant::now();
            pool.install(|| all(&candidates, &frames, &files, keep));
            start.elapsed().as_secs_f64()
        };
        n_stamps = 0;
        made_s.push(run(&mut |cutouts| n_stamps += cutouts.to_hdus().len()));
        kept_s.push(run(&mut |cutouts| write(folder.path(), &cutouts)));
    }
    println!(
        "cut-outs of {CANDIDATES} candidates in {FRAMES} frames of {SIDE_PX} x {SIDE_PX} px: \
         {n_stamps} stamps, {THREADS} threads, {RUNS} runs"
    );
    println!("read and made:          {}", told(&mut made_s));
    println!("read, made and written: {}", told(&mut kept_s));
}

fn all(
    candidates: &[Candidate],
    frames: &[NightFrame],
    files: &Files,
    keep: &mut (dyn FnMut(Cutouts) + Send),
) {
    let sky = MemoryCatalogue::default();
    let inputs = CutoutInputs { frames, pixels: files, sky: &sky };
    let candidates: Vec<&Candidate> = candidates.iter().collect();
    let mut keep = |cutouts: Cutouts| -> Result<(), ()> {
        keep(cutouts);
        Ok(())
    };
    make_cutouts(&candidates, inputs, &CutoutParams::default(), &mut keep).expect("nothing fails");
}

fn write(folder: &Path, cutouts: &Cutouts) {
    let path = folder.join(format!("{}.cut", cutouts.candidate_id));
    let (primary, hdus) = (cutouts.primary_header(), cutouts.to_hdus());
    let table = cutouts.neighbour_columns();
    fits::write_extensions(&path, &primary, &hdus, (&table, NEIGHBOURS_EXTNAME)).expect("written");
}

fn frame(number: usize) -> NightFrame {
    // Turned a little, as cameras are, and drifting.
    let (sin, cos) = 0.02_f64.sin_cos();
    NightFrame {
        name: number.to_string(),
        content_hash: number.to_string(),
        chip: String::new(),
        mid_mjd_utc: 61_100.0 + number as f64 / 96.0,
        exposure_s: None,
        wcs: Wcs {
            crval_rad: (1.0, 0.3),
            crpix_px: (1024.0 + 2.3 * number as f64, 1023.0),
            cd_rad_per_px: [[-cos, sin], [sin, cos]].map(|row| row.map(|v| v * ARCSEC_RAD)),
            sip: None,
        },
        nx: SIDE_PX,
        ny: SIDE_PX,
        is_turned: false,
        limiting_mag: 20.0,
        fwhm_arcsec: 3.0,
        zero_point_err_mag: 0.01,
        electron_mag: Some(25.0),
        filter: None,
        psf: None,
        catalogue: Catalogue::default(),
    }
}

/// Something like noise (Knuth's multiplicative hash), the same in each run.
fn write_frame(folder: &Path, frame: &NightFrame, number: usize) {
    let value = |i: usize| ((i + 77_777 * number).wrapping_mul(2_654_435_761) >> 9 & 255) as f32;
    let pixels = (0..SIDE_PX * SIDE_PX).map(|i| 500.0 + value(i)).collect();
    let image = Image::from_pixels(SIDE_PX, SIDE_PX, pixels).expect("counted");
    let mask = (0..SIDE_PX * SIDE_PX)
        .map(|i| if i % 1009 == 0 { MaskBits::BAD } else { MaskBits::GOOD })
        .collect();
    let mask = Image::from_pixels(SIDE_PX, SIDE_PX, mask).expect("counted");
    let header = Header::new();
    fits::write_image(&folder.join(&frame.name), &image, &header).expect("written");
    fits::write_mask(&folder.join(format!("{}.mask", frame.name)), &mask, &header)
        .expect("written");
}

/// A candidate on a grid over the frame, at half an arcsecond per minute.
fn candidate(number: usize, frames: &[NightFrame]) -> Candidate {
    let (x, y) = (150.0 + 180.0 * (number % 10) as f64, 150.0 + 180.0 * (number / 10) as f64);
    let detections = frames.iter().enumerate().map(|(i, frame)| {
        let (ra, dec) = frame.wcs.to_sky(x + 7.5 * i as f64, y + 2.5 * i as f64);
        CandidateDetection {
            frame: frame.name.clone(),
            mid_mjd_utc: frame.mid_mjd_utc,
            ra_deg: ra / DEG_RAD,
            dec_deg: dec / DEG_RAD,
            x_px: x,
            y_px: y,
            position_err_arcsec: 0.2,
            residual_arcsec: (0.0, 0.0),
            mag: Some(19.0),
            mag_err: Some(0.1),
            snr: 10.0,
            is_recovered: false,
            is_foreseen: false,
        }
    });
    Candidate {
        id: format!("C{number:03}"),
        identity: Identity::Unknown,
        false_alarms: 1e-6,
        rate_arcsec_per_min: 0.5,
        rate_err_arcsec_per_min: 0.01,
        pa_deg: 290.0,
        chi2_reduced: 1.0,
        rms_arcsec: 0.1,
        mag: Some(19.0),
        detections: detections.collect(),
        n_expected: FRAMES as u64,
        n_covered: FRAMES as u64,
        photometry: Vec::new(),
        rating: None,
    }
}

/// Median, least and largest of the times.
fn told(times_s: &mut [f64]) -> String {
    times_s.sort_by(f64::total_cmp);
    let (least, largest) = (times_s[0], times_s[times_s.len() - 1]);
    format!("median {:.3} s ({least:.3} to {largest:.3})", times_s[times_s.len() / 2])
}
