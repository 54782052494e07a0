//! Header cards in the style of MaxIm DL, a common camera program of amateur observatories.
//!
//! The structural cards (SIMPLE, BITPIX, NAXISn, BSCALE, BZERO) are the writer's business.

use super::plan::{FramePlan, Light, SITE_LATITUDE_DEG, SITE_LONGITUDE_DEG};
use super::projection::CameraSide;
use super::scenario::{Camera, Scenario};

/// Side of a pixel [um].
const PIXEL_UM: f64 = 9.0;

/// Value of a header card.
#[derive(Debug, Clone, PartialEq)]
pub enum SimulatedValue {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A real number.
    Real(f64),
}

/// Keyword, value and comment of a header card.
pub type SimulatedCard = (String, SimulatedValue, String);

/// Collects cards.
struct Cards(Vec<SimulatedCard>);

impl Cards {
    fn push(&mut self, key: &str, value: SimulatedValue, comment: &str) {
        self.0.push((key.to_owned(), value, comment.to_owned()));
    }

    fn text(&mut self, key: &str, value: &str, comment: &str) {
        self.push(key, SimulatedValue::Text(value.to_owned()), comment);
    }

    fn real(&mut self, key: &str, value: f64, comment: &str) {
        self.push(key, SimulatedValue::Real(value), comment);
    }

    fn integer(&mut self, key: &str, value: i64, comment: &str) {
        self.push(key, SimulatedValue::Integer(value), comment);
    }
}

/// The cards of one frame; `header_place_rad` is where the telescope believes to point.
pub(super) fn cards(
    scenario: &Scenario,
    plan: &FramePlan,
    header_place_rad: (f64, f64),
) -> Vec<SimulatedCard> {
    let camera = &scenario.camera;
    let (object, kind) = match plan.light {
        Light::Bias => ("bias", "Bias Frame"),
        Light::Dark => ("dark", "Dark Frame"),
        Light::Flat { .. } => ("skyflat", "Flat Field"),
        Light::Science(_) => (scenario.field.as_str(), "Light Frame"),
    };
    let mut cards = Cards(Vec::with_capacity(37));
    cards.text("OBJECT", object, "target name");
    cards.text("DATE-OBS", &plan.start.to_iso(), "UTC start of exposure");
    cards.real("EXPTIME", plan.exposure_s, "[s] exposure time");
    cards.real("EXPOSURE", plan.exposure_s, "[s] exposure time");
    cards.text("IMAGETYP", kind, "type of image");
    camera_cards(camera, plan, &mut cards);
    if matches!(plan.light, Light::Flat { .. } | Light::Science(_)) {
        cards.text("FILTER", &camera.filter, "");
    }
    cards.text("TELESCOP", "SIM 0.45m f/2.8", "");
    cards.text("INSTRUME", "SIMCAM", "");
    cards.text("OBSERVAT", "Sim Observatory", "");
    cards.text("SIMULATD", "autossos", "not seen on any sky");
    let mut flip_state = "";
    if let Light::Science(view) = &plan.light {
        let (ra_rad, dec_rad) = header_place_rad;
        let ra = sexagesimal(ra_rad.to_degrees() / 15.0, 100);
        let sign = if dec_rad < 0.0 { '-' } else { '+' };
        let dec = format!("{sign}{}", sexagesimal(dec_rad.to_degrees().abs(), 10));
        cards.text("OBJCTRA", &ra, "nominal RA of the centre");
        cards.text("OBJCTDEC", &dec, "nominal Dec of the centre");
        cards.real("AIRMASS", (view.airmass * 1e3).round() / 1e3, "");
        let pier = if view.side == CameraSide::Normal { "EAST" } else { "WEST" };
        cards.text("PIERSIDE", pier, "");
        if view.side == CameraSide::ImageTurned {
            flip_state = "Flip/Mirror";
        }
    }
    cards.text("FLIPSTAT", flip_state, "image flip status");
    cards.0
}

fn camera_cards(camera: &Camera, plan: &FramePlan, cards: &mut Cards) {
    // Focal length of a scale: pixel / tan(scale) [mm].
    let focal_mm = PIXEL_UM * 206.264_806 / camera.scale_arcsec_per_px;
    let well_adu = camera.bias_adu + camera.full_well_e / camera.gain_e_per_adu;
    let saturation_adu = (0.95e-3 * well_adu.min(f64::from(u16::MAX))).floor() * 1e3;
    cards.real("XPIXSZ", PIXEL_UM, "[um]");
    cards.real("YPIXSZ", PIXEL_UM, "[um]");
    cards.real("FOCALLEN", (focal_mm * 10.0).round() / 10.0, "[mm]");
    cards.text("SITELAT", &signed_site(SITE_LATITUDE_DEG), "");
    cards.text("SITELONG", &signed_site(SITE_LONGITUDE_DEG), "");
    cards.real("EGAIN", camera.gain_e_per_adu, "electrons per ADU");
    cards.text("SWCREATE", "CamControl 6.21", "");
    cards.real("GAIN", camera.gain_e_per_adu, "[e-/ADU]");
    cards.real("RDNOISE", camera.read_noise_e, "[e-] read noise");
    cards.integer("SATURATE", saturation_adu as i64, "[ADU]");
    cards.real("CCD-TEMP", plan.temperature_c, "[C]");
    cards.real("SET-TEMP", camera.temperature_c, "");
    cards.integer("XBINNING", 1, "");
    cards.integer("YBINNING", 1, "");
}

fn signed_site(degrees: f64) -> String {
    let sign = if degrees < 0.0 { '-' } else { '+' };
    format!("{sign}{}", sexagesimal(degrees.abs(), 1))
}

/// "hh mm ss.s" of a value in hours or degrees; `per_second` is 1, 10 or 100 parts of a second.
///
/// Rounded first, split then: no seconds of 60.
fn sexagesimal(value: f64, per_second: u32) -> String {
    let parts = u64::from(per_second);
    let total = (value * 3600.0 * f64::from(per_second)).round() as u64;
    let (whole, part) = (total / parts, total % parts);
    let head = format!("{:02} {:02} {:02}", whole / 3600, whole / 60 % 60, whole % 60);
    match per_second {
        100 => format!("{head}.{part:02}"),
        10 => format!("{head}.{part}"),
        _ => head,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sexagesimal_never_shows_sixty_seconds() {
        assert_eq!(sexagesimal(7.999_999_999, 100), "08 00 00.00");
        assert_eq!(sexagesimal(37.98, 1), "37 58 48");
        assert_eq!(sexagesimal(21.075_639, 10), "21 04 32.3");
    }

    #[test]
    fn small_negative_angles_keep_their_sign() {
        assert_eq!(signed_site(-0.5), "-00 30 00");
    }
}
