//! Cut-outs of a candidate: what a person blinks.
//!
//! All stamps of a candidate have one size and one scale, north up and east left, the sky taken
//! off and the flux on the scale of one zero point, so that one stretch fits the whole sequence.

use crate::science::image::Image;

/// The cut-outs of a candidate, one entry per frame, in order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Cutouts {
    /// Identifier of the candidate.
    pub candidate_id: String,
    /// Side of a stamp [px]; odd, so that the centre is a pixel's.
    pub side_px: usize,
    /// Side of a pixel [arcsec].
    pub scale_arcsec: f64,
    /// Centre of the stamps that stand still on the sky: RA, Dec [deg, ICRS].
    pub sky_centre_deg: (f64, f64),
    /// The frames.
    pub frames: Vec<FrameCutout>,
    /// Catalogue stars on any stamp, brightest first, a bounded number.
    pub neighbours: Vec<Neighbour>,
}

/// The cut-outs of one frame. Values are electrons above the sky on the sequence's zero point; NaN
/// outside the frame.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameCutout {
    /// Name of the frame's file.
    pub frame: String,
    /// Middle of the exposure [d, MJD UTC].
    pub mid_mjd_utc: f64,
    /// Where the motion puts the object: RA, Dec [deg]; the centre of `on_object`.
    pub predicted_deg: (f64, f64),
    /// Where it was detected: RA, Dec [deg]; `None` in a frame that should show it and does not.
    pub detected_deg: Option<(f64, f64)>,
    /// The object stands still, stars move.
    pub on_object: Image<f32>,
    /// The same, the static sky taken off; `None` with too few frames to know it.
    pub on_object_subtracted: Option<Image<f32>>,
    /// The sky stands still, the object moves.
    pub on_sky: Image<f32>,
    /// The same, the static sky taken off.
    pub on_sky_subtracted: Option<Image<f32>>,
}

/// A star of the catalogue near the object's path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// Right ascension at the night's epoch [deg].
    pub ra_deg: f64,
    /// Declination [deg].
    pub dec_deg: f64,
    /// Gaia G [mag].
    pub g_mag: f64,
}

/// What stands still in a sequence of stamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Centring {
    /// The object; the stars move.
    OnObject,
    /// The sky; the object moves.
    OnSky,
}

/// Whether the static sky is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaticSky {
    /// As the camera saw it.
    Kept,
    /// Taken off: what moves or changes is left.
    Subtracted,
}

/// One of the four ways to look at cut-outs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// What stands still.
    pub centring: Centring,
    /// Whether the static sky is there.
    pub static_sky: StaticSky,
}

impl View {
    /// All four, in the order in which they are offered.
    pub const ALL: [Self; 4] = [
        Self::new(Centring::OnSky, StaticSky::Kept),
        Self::new(Centring::OnSky, StaticSky::Subtracted),
        Self::new(Centring::OnObject, StaticSky::Kept),
        Self::new(Centring::OnObject, StaticSky::Subtracted),
    ];

    /// A view.
    pub const fn new(centring: Centring, static_sky: StaticSky) -> Self {
        Self { centring, static_sky }
    }

    /// Its name in files, addresses and on the command line.
    pub const fn name(self) -> &'static str {
        match (self.centring, self.static_sky) {
            (Centring::OnSky, StaticSky::Kept) => "sky",
            (Centring::OnSky, StaticSky::Subtracted) => "sky-subtracted",
            (Centring::OnObject, StaticSky::Kept) => "object",
            (Centring::OnObject, StaticSky::Subtracted) => "object-subtracted",
        }
    }

    /// The view of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.name() == name)
    }
}

impl FrameCutout {
    /// The stamp of a view; `None` where the static sky is not known.
    pub const fn stamp(&self, view: View) -> Option<&Image<f32>> {
        match (view.centring, view.static_sky) {
            (Centring::OnSky, StaticSky::Kept) => Some(&self.on_sky),
            (Centring::OnSky, StaticSky::Subtracted) => self.on_sky_subtracted.as_ref(),
            (Centring::OnObject, StaticSky::Kept) => Some(&self.on_object),
            (Centring::OnObject, StaticSky::Subtracted) => self.on_object_subtracted.as_ref(),
        }
    }
}

impl Cutouts {
    /// Centre of a frame's stamp in a view: RA, Dec [deg].
    pub const fn centre_deg(&self, frame: &FrameCutout, centring: Centring) -> (f64, f64) {
        match centring {
            Centring::OnObject => frame.predicted_deg,
            Centring::OnSky => self.sky_centre_deg,
        }
    }

    /// Where the motion puts the object on a frame's stamp [px, 0-based, y up]; may be outside.
    pub fn predicted_px(&self, frame: &FrameCutout, centring: Centring) -> (f64, f64) {
        self.place_px(self.centre_deg(frame, centring), frame.predicted_deg)
    }

    /// Whether the object stays inside stamps that stand still on the sky.
    pub fn stays_on_sky_stamp(&self) -> bool {
        let inside = 0.0..=(self.side_px as f64 - 1.0);
        self.frames.iter().all(|frame| {
            let (x, y) = self.predicted_px(frame, Centring::OnSky);
            inside.contains(&x) && inside.contains(&y)
        })
    }

    /// The view that shows the motion best: the sky stands still, unless the object leaves it.
    pub fn best_view(&self) -> View {
        let centring = if self.stays_on_sky_stamp() { Centring::OnSky } else { Centring::OnObject };
        View::new(centring, StaticSky::Kept)
    }

    /// Place on a stamp with this centre [px, 0-based, y up]; on the tangent plane.
    pub fn place_px(&self, centre_deg: (f64, f64), place_deg: (f64, f64)) -> (f64, f64) {
        use crate::science::sky::vector::offset_rad;
        use crate::science::units::{ARCSEC_RAD, DEG_RAD};
        let radians = |(ra, dec): (f64, f64)| (ra * DEG_RAD, dec * DEG_RAD);
        let (east_rad, north_rad) = offset_rad(radians(centre_deg), radians(place_deg));
        let half = (self.side_px as f64 - 1.0) / 2.0;
        let step_rad = self.scale_arcsec * ARCSEC_RAD;
        (half - east_rad / step_rad, half + north_rad / step_rad)
    }
}
