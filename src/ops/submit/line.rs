//! One observation in the words of both formats.

use crate::config::Config;
use crate::formats::ades::number::{declination, error, instant, plain, right_ascension};
use crate::formats::ades::{AdesError, Field, Observation};
use crate::formats::designation::Designation;
use crate::formats::obs80::{Line80, Obs80Error, Rounded};
use crate::pipeline::artifact::candidate::{Candidate, CandidateDetection};
use crate::pipeline::artifact::frame_record::FrameRecord;
use crate::science::time::{Epoch, SECONDS_PER_DAY};

/// Error of the times when neither configuration nor profile says one [s].
const CLOCK_ERR_UNKNOWN_S: f64 = 1.0;
/// An error of the place above which two decimals of RA seconds and one of Dec are enough [arcsec].
const FINE_PLACE_ARCSEC: f64 = 0.1;
/// An error of the time above which five decimals of the day (0.9 s) are enough [s].
const FINE_TIME_S: f64 = 1.0;
/// An error of a magnitude below which it gets a third decimal [mag].
const FINE_MAG: f64 = 0.03;

/// What names an object in a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrackId {
    /// It is known.
    Known(Designation),
    /// It is not: a name that the station gave.
    New(String),
}

impl TrackId {
    /// The name as a person reads it.
    pub fn text(&self) -> String {
        match self {
            Self::Known(designation) => designation.to_string(),
            Self::New(name) => name.clone(),
        }
    }

    /// The first twelve columns of an 80-column line.
    fn columns(&self) -> String {
        match self {
            Self::Known(designation) => designation.columns(),
            Self::New(name) => format!("     {name}"),
        }
    }
}

/// What surrounds an observation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) config: &'a Config,
    pub(super) station: &'a str,
    pub(super) candidate: &'a Candidate,
    pub(super) frame: &'a FrameRecord,
}

impl Setting<'_> {
    /// Error of the instant, when somebody knows it [s].
    fn clock_err_s(&self) -> Option<f64> {
        let stated = self.config.submit.telescope.rms_time_s.or(self.frame.mid_err_s);
        stated.filter(|s| s.is_finite() && *s > 0.0)
    }

    /// Whether the object moves by more than the seeing during the exposure.
    fn is_trailed(&self) -> bool {
        let length = self.frame.exposure_s.map(|s| self.candidate.rate_arcsec_per_min * s / 60.0);
        length.zip(self.frame.fwhm_arcsec).is_some_and(|(length, fwhm)| length > fwhm)
    }

    /// The kind of detector in the standard's words.
    fn mode(&self) -> &'static str {
        self.config.submit.telescope.mode.unwrap_or("CCD")
    }
}

/// The observation in ADES; the detection's numbers were looked at before.
pub(super) fn ades(
    setting: &Setting<'_>,
    detection: &CandidateDetection,
    id: &TrackId,
) -> Result<Observation, AdesError> {
    let mut made = Observation::default();
    match id {
        TrackId::New(name) => made.set(Field::TrkSub, name)?,
        TrackId::Known(known) => {
            if let Some(perm_id) = known.perm_id() {
                made.set(Field::PermId, &perm_id)?;
            } else {
                made.set(Field::ProvId, &known.prov_id().unwrap_or_default())?;
            }
        }
    }
    let clock_err_s = setting.clock_err_s();
    let mid = Epoch::from_mjd_utc(detection.mid_mjd_utc);
    let err = detection.position_err_arcsec;
    let (ra, dec) = (detection.ra_deg, detection.dec_deg);
    let catalogue = setting.config.submit.catalogue;
    for (field, text) in [
        (Field::Mode, setting.mode().to_owned()),
        (Field::Stn, setting.station.to_owned()),
        (Field::ObsTime, instant(mid, clock_err_s.unwrap_or(CLOCK_ERR_UNKNOWN_S))),
        (Field::Ra, right_ascension(ra, dec, err)),
        (Field::Dec, declination(dec, err)),
        (Field::AstCat, catalogue.to_owned()),
    ] {
        made.set(field, &text)?;
    }
    let frame = setting.frame;
    let is_trailed = setting.is_trailed();
    let rms = error(err, 7);
    let log_snr = Some(detection.snr.log10()).filter(|v| v.is_finite());
    let optional = [
        (Field::RmsTime, clock_err_s.and_then(|s| error(s, 8))),
        (Field::RmsRa, rms.clone()),
        (Field::RmsDec, rms),
        // A point's errors are alike in all directions; a trail's are not, and not known so well.
        (Field::RmsCorr, (!is_trailed).then(|| "0.00".to_owned())),
        (Field::LogSnr, log_snr.and_then(|v| plain(v, 2, 5))),
        (Field::Seeing, frame.fwhm_arcsec.and_then(|v| plain(v, 1, 6))),
        (Field::Exp, frame.exposure_s.and_then(|v| plain(v, 1, 6))),
        (Field::RmsFit, frame.rms_arcsec.and_then(|v| error(v, 6))),
        (Field::NStars, frame.n_reference.map(|n| n.to_string())),
        (Field::Notes, is_trailed.then(|| "t".to_owned())),
    ];
    for (field, text) in optional {
        if let Some(text) = text {
            set_if_fit(&mut made, field, &text);
        }
    }
    photometry(&mut made, setting, detection);
    Ok(made)
}

/// Magnitude, its error and where they come from; nothing without a magnitude.
fn photometry(made: &mut Observation, setting: &Setting<'_>, detection: &CandidateDetection) {
    let Some(mag) = detection.mag.filter(|mag| mag.is_finite()) else { return };
    let mag_err = detection.mag_err.filter(|err| err.is_finite() && *err > 0.0);
    let decimals = match mag_err {
        Some(err) if err < FINE_MAG => 3,
        Some(_) => 2,
        None => 1,
    };
    if made.set(Field::Mag, &format!("{mag:.decimals$}")).is_err() {
        return;
    }
    set_if_fit(made, Field::Band, "G");
    set_if_fit(made, Field::PhotCat, setting.config.submit.catalogue);
    if let Some(text) = mag_err.and_then(|err| error(err, 6)) {
        set_if_fit(made, Field::RmsMag, &text);
    }
}

/// Sets an optional field; a value that the format has no room for is not told.
fn set_if_fit(made: &mut Observation, field: Field, text: &str) {
    if let Err(error) = made.set(field, text) {
        tracing::debug!(%error, "A value is not told.");
    }
}

/// The observation as a line of 80 columns.
pub(super) fn line_80(
    setting: &Setting<'_>,
    detection: &CandidateDetection,
    id: &TrackId,
    is_first: IsFirst,
) -> Result<String, Obs80Error> {
    let is_new = matches!(id, TrackId::New(_));
    let fine_place = u32::from(detection.position_err_arcsec < FINE_PLACE_ARCSEC);
    let clock_err_s = setting.clock_err_s().unwrap_or(CLOCK_ERR_UNKNOWN_S);
    let line = Line80 {
        designation: id.columns(),
        is_discovery: is_new && is_first == IsFirst::Yes,
        note: setting.is_trailed().then_some('t'),
        detector: if setting.mode() == "CMO" { 'B' } else { 'C' },
        mid_mjd_utc: Rounded::new(
            detection.mid_mjd_utc,
            if clock_err_s < FINE_TIME_S { 6 } else { 5 },
        ),
        ra_deg: Rounded::new(detection.ra_deg, 2 + fine_place),
        dec_deg: Rounded::new(detection.dec_deg, 1 + fine_place),
        mag: detection.mag.filter(|m| m.is_finite()).map(|mag| Rounded::new(mag, 1)),
        band: detection.mag.filter(|m| m.is_finite()).map(|_| 'G'),
        catalogue: None,
        reference: String::new(),
        station: setting.station.to_owned(),
    };
    line.write()
}

/// Whether an observation is the first one of its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IsFirst {
    Yes,
    No,
}

/// Instant and place of an observation as the database keeps them.
pub(super) fn kept(detection: &CandidateDetection) -> String {
    let d = detection;
    format!("{:.7} {:.6} {:.6}", d.mid_mjd_utc, d.ra_deg, d.dec_deg)
}

/// Whether a kept text is of the same instant and place as a detection.
///
/// * `is_same_frame`: the frames have one content, so that the instant need not be compared.
pub(super) fn is_same(text: &str, detection: &CandidateDetection, is_same_frame: bool) -> bool {
    /// Sources nearer than this are one [arcsec].
    const SAME_ARCSEC: f64 = 3.0;
    /// Instants nearer than this are one [s].
    const SAME_S: f64 = 1.0;
    let numbers: Vec<f64> = text.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [mjd, ra_deg, dec_deg] = *numbers.as_slice() else { return false };
    let seconds = (mjd - detection.mid_mjd_utc).abs() * SECONDS_PER_DAY;
    let radians = |ra: f64, dec: f64| (ra.to_radians(), dec.to_radians());
    let apart_rad = crate::science::sky::vector::separation_rad(
        radians(ra_deg, dec_deg),
        radians(detection.ra_deg, detection.dec_deg),
    );
    (is_same_frame || seconds < SAME_S) && apart_rad.to_degrees() * 3600.0 < SAME_ARCSEC
}
