//! Which observations of a night go, and why the others do not.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::SubmitError;
use super::header::{ades_header, header_80, missing_keys};
use super::hold::Hold;
use super::line::{IsFirst, Setting, TrackId, ades, is_same, kept, line_80};
use super::track::TrackNames;
use crate::config::{Config, Submit};
use crate::formats::ades::{AdesError, Submission};
use crate::formats::designation::Designation;
use crate::ops::vetting::{self, Vetted, VettingError};
use crate::pipeline::artifact::candidate::{Candidate, CandidateDetection, Identity};
use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus};
use crate::pipeline::artifact::report::NightReport;
use crate::pipeline::ingest::names_simulator;
use crate::science::time::Epoch;
use crate::store::submissions::{TrackName, WrittenObservation};
use crate::store::verdicts::Verdict;
use crate::store::{NightId, Reader};

/// Times before this are a clock that was never set [d, MJD UTC]: 1979-05-07.
const TIME_MIN_MJD_UTC: f64 = 44_000.0;
/// A place farther than this from the line of the motion is an outlier [its error].
const OUTLIER_SIGMA: f64 = 4.0;
/// Name of the demo's night.
const DEMO: &str = "demo";

/// An object that goes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Going {
    /// Identifier of the candidate.
    pub candidate: String,
    /// Its number, designation or new name.
    pub name: String,
    /// Whether the name is new or was given by this station.
    pub is_own_name: bool,
    /// How many of its observations go.
    pub n_observations: usize,
    /// Its magnitude.
    pub mag: Option<f64>,
}

/// Something that is held back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Held {
    /// Identifier of the candidate.
    pub candidate: String,
    /// Name of the frame, when a single observation is held back.
    pub frame: Option<String>,
    /// Why.
    #[serde(flatten)]
    pub hold: Hold,
}

/// What would be written of a night now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The night.
    #[serde(serialize_with = "as_text")]
    pub night: NightId,
    /// Code of the station.
    pub station: Option<String>,
    /// Whether no sky was seen.
    pub is_simulated: bool,
    /// Keys of the configuration that must be set first.
    pub missing: Vec<&'static str>,
    /// What goes.
    pub going: Vec<Going>,
    /// What does not.
    pub held: Vec<Held>,
    /// The batch in ADES.
    #[serde(skip)]
    pub submission: Submission,
    /// The batch in 80 columns, header and lines.
    #[serde(skip)]
    pub report_80: String,
    /// Names of its unknown objects.
    #[serde(skip)]
    pub(super) names: Vec<TrackName>,
    /// What will be on record.
    #[serde(skip)]
    pub(super) observations: Vec<WrittenObservation>,
}

fn as_text<S: serde::Serializer>(night: &NightId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(night.as_str())
}

impl Plan {
    /// Names the batch by what is in it: another batch has another digest.
    pub fn digest(&self) -> String {
        let text = format!("{}\n{}", self.submission.to_psv(), self.report_80);
        blake3::hash(text.as_bytes()).to_hex().chars().take(16).collect()
    }
}

/// What would be written of a night now; changes nothing.
///
/// * `now`: an observation after it has a wrong time.
pub fn plan(
    reader: &Reader,
    config: &Config,
    night: &NightId,
    now: Epoch,
) -> Result<Plan, SubmitError> {
    let config = &of_telescope(reader, config, night)?;
    let unreported = || VettingError::NoReport { night: night.clone() };
    let mut report = reader.report(night)?.ok_or_else(unreported)?;
    let is_simulated = is_simulated(&report);
    let frames = std::mem::take(&mut report.frames);
    let all = vetting::vetted_in(report, reader.verdicts(night)?);
    let station = config.site.mpc_code.as_deref();
    let (written, given) = match station {
        Some(station) => {
            (reader.written_observations(station, night)?, reader.track_names(station)?)
        }
        None => (Vec::new(), Vec::new()),
    };
    let rules = Rules {
        config,
        night: night.as_str(),
        station: station.unwrap_or_default(),
        is_simulated,
        now,
        frames: frames.iter().map(|frame| (frame.frame.as_str(), frame)).collect(),
        written: &written,
        known: known_names(&all),
    };
    let mut batch = Batch { names: TrackNames::new(given), ..Batch::default() };
    for vetted in &all {
        batch.take(&rules, vetted);
    }
    let header = ades_header(config, station)?;
    let report_80 = match station {
        Some(station) => header_80(config, station, night.as_str()) + &batch.lines_80,
        None => String::new(),
    };
    Ok(Plan {
        night: night.clone(),
        station: station.map(str::to_owned),
        is_simulated,
        missing: missing_keys(config, station),
        going: batch.going,
        held: batch.held,
        submission: Submission { header, observations: batch.observations },
        report_80,
        names: batch.given,
        observations: batch.written,
    })
}

/// The configuration as the night's telescope sees it.
fn of_telescope(reader: &Reader, config: &Config, night: &NightId) -> Result<Config, SubmitError> {
    let marks = reader.night_marks()?;
    let telescope = marks.get(night.as_str()).map(|m| m.telescope.as_str()).unwrap_or_default();
    if telescope.is_empty() {
        return Ok(config.clone());
    }
    let listed = config.telescopes().into_iter().find(|listed| listed.name == telescope);
    let unknown =
        || SubmitError::UnknownTelescope { night: night.clone(), telescope: telescope.to_owned() };
    Ok(config.for_telescope(&listed.ok_or_else(unknown)?))
}

/// Whether any frame of the night was simulated, by its header or by the names of night and camera.
pub(super) fn is_simulated(report: &NightReport) -> bool {
    let is_demo = report.night == DEMO || report.night.ends_with(".demo");
    is_demo
        || names_simulator(&report.instrument)
        || report.frames.iter().any(|frame| frame.is_simulated)
}

/// Candidates by the designation of what people judged real.
fn known_names(all: &[Vetted]) -> BTreeMap<String, Vec<String>> {
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for vetted in all.iter().filter(|v| v.verdict() == Some(Verdict::Real)) {
        if let Identity::Known { name, .. } = &vetted.candidate.identity
            && let Some(designation) = Designation::from_name(name)
        {
            let same = names.entry(designation.to_string()).or_default();
            same.push(vetted.candidate.id.clone());
        }
    }
    names
}

/// What decides, the same for all candidates of the night.
struct Rules<'a> {
    config: &'a Config,
    night: &'a str,
    station: &'a str,
    is_simulated: bool,
    now: Epoch,
    frames: BTreeMap<&'a str, &'a FrameRecord>,
    written: &'a [WrittenObservation],
    known: BTreeMap<String, Vec<String>>,
}

impl Rules<'_> {
    /// Why a candidate is held back as a whole: the verdict first, all others beside each other.
    fn of_candidate(&self, vetted: &Vetted) -> Vec<Hold> {
        if self.is_simulated {
            return vec![Hold::Simulated];
        }
        match vetted.verdict() {
            None => return vec![Hold::NotVetted],
            Some(_) if vetted.is_disputed() => {
                return vec![Hold::Disputed { n_opinions: vetted.opinions.len() }];
            }
            Some(Verdict::False) => return vec![Hold::Artefact],
            Some(Verdict::Unsure) => return vec![Hold::Unsure],
            Some(Verdict::Real) => {}
        }
        let submit = &self.config.submit;
        let mut holds = Vec::new();
        if self.station.is_empty() {
            holds.push(Hold::NoStation);
        }
        holds.extend(near_star(&vetted.candidate, submit));
        holds.extend(self.of_identity(&vetted.candidate));
        holds
    }

    fn of_identity(&self, candidate: &Candidate) -> Option<Hold> {
        let (name, separation_arcsec) = match &candidate.identity {
            Identity::Unknown => return None,
            Identity::Unchecked => return Some(Hold::NotCompared),
            Identity::Known { name, separation_arcsec } => (name, *separation_arcsec),
        };
        let Some(designation) = Designation::from_name(name) else {
            return Some(Hold::UnreadableName);
        };
        if designation.perm_id().is_none() && designation.prov_id().is_none() {
            return Some(Hold::UnreadableName);
        }
        let is_near = separation_arcsec <= self.config.submit.identity_max_arcsec;
        if !is_near {
            return Some(Hold::UncertainIdentity { separation_arcsec });
        }
        let same = self.known.get(&designation.to_string())?;
        let other = same.iter().find(|other| **other != candidate.id)?;
        Some(Hold::NameTwice { other: other.clone() })
    }

    /// Why a detection is held back, and its frame when it is not.
    fn of_detection(&self, detection: &CandidateDetection) -> Result<&FrameRecord, Hold> {
        let frame = self.frames.get(detection.frame.as_str()).copied();
        let frame = frame.filter(|frame| frame.status == FrameStatus::Ok);
        let frame = frame.ok_or(Hold::FrameNotUsed)?;
        fit_to_send(detection, frame, &self.config.submit, self.now)?;
        let is_written = |row: &WrittenObservation| {
            is_same(&row.observation, detection, row.content_hash == frame.content_hash)
        };
        if self.written.iter().any(is_written) { Err(Hold::AlreadyWritten) } else { Ok(frame) }
    }

    /// The candidate under which some of these detections were written before.
    fn former_owner(&self, candidate: &Candidate) -> Option<&WrittenObservation> {
        self.written
            .iter()
            .find(|row| candidate.detections.iter().any(|d| is_same(&row.observation, d, false)))
    }
}

fn near_star(candidate: &Candidate, submit: &Submit) -> Option<Hold> {
    let distance_fwhm = candidate.rating.as_ref()?.features.star_distance_fwhm?;
    (distance_fwhm < submit.near_star_fwhm).then_some(Hold::NearStar { distance_fwhm })
}

/// Whether a detection's own numbers are good enough.
pub(super) fn fit_to_send(
    detection: &CandidateDetection,
    frame: &FrameRecord,
    submit: &Submit,
    now: Epoch,
) -> Result<(), Hold> {
    let times = TIME_MIN_MJD_UTC..=now.mjd_utc();
    if frame.mid_mjd_utc.is_none() || !times.contains(&detection.mid_mjd_utc) {
        return Err(Hold::NoTime);
    }
    let err_arcsec = detection.position_err_arcsec;
    let is_place = (0.0..360.0).contains(&detection.ra_deg)
        && (-90.0..=90.0).contains(&detection.dec_deg)
        && err_arcsec.is_finite()
        && err_arcsec > 0.0;
    if !is_place {
        return Err(Hold::NoPlace);
    }
    // Not a number is not enough either.
    if detection.snr.is_nan() || detection.snr < submit.snr_min {
        return Err(Hold::LowSnr { snr: detection.snr });
    }
    let residual_arcsec = detection.residual_arcsec.0.hypot(detection.residual_arcsec.1);
    let scale_arcsec = err_arcsec.hypot(frame.rms_arcsec.unwrap_or(0.0));
    if residual_arcsec.is_nan() || residual_arcsec > OUTLIER_SIGMA * scale_arcsec {
        return Err(Hold::Outlier { residual_arcsec });
    }
    Ok(())
}

/// What is chosen so far.
#[derive(Default)]
struct Batch {
    names: TrackNames,
    going: Vec<Going>,
    held: Vec<Held>,
    observations: Vec<crate::formats::ades::Observation>,
    lines_80: String,
    given: Vec<TrackName>,
    written: Vec<WrittenObservation>,
}

impl Batch {
    fn hold(&mut self, candidate: &Candidate, frame: Option<&str>, hold: Hold) {
        let (candidate, frame) = (candidate.id.clone(), frame.map(str::to_owned));
        self.held.push(Held { candidate, frame, hold });
    }

    /// Takes a candidate, or notes why not.
    fn take(&mut self, rules: &Rules<'_>, vetted: &Vetted) {
        let candidate = &vetted.candidate;
        let holds = rules.of_candidate(vetted);
        if !holds.is_empty() {
            return holds.into_iter().for_each(|hold| self.hold(candidate, None, hold));
        }
        let left = self.detections(rules, candidate);
        let (n_left, n_min) = (left.len(), rules.config.submit.detections_min);
        if n_left < n_min {
            return self.hold(candidate, None, Hold::FewObservations { n_left, n_min });
        }
        let Some(id) = self.identify(rules, candidate) else {
            return self.hold(candidate, None, Hold::NoTrackName);
        };
        if let Err(hold) = self.put(rules, candidate, &id, &left) {
            self.hold(candidate, None, hold);
        }
    }

    /// The candidate's detections that may go.
    fn detections<'a>(
        &mut self,
        rules: &'a Rules<'_>,
        candidate: &'a Candidate,
    ) -> Vec<(&'a CandidateDetection, &'a FrameRecord)> {
        let mut left: Vec<(&CandidateDetection, &FrameRecord)> = Vec::new();
        let mut instants = BTreeSet::new();
        for detection in &candidate.detections {
            let held = rules.of_detection(detection).and_then(|frame| {
                // To the tenth of a second.
                if !instants.insert((detection.mid_mjd_utc * 864_000.0).round() as i64) {
                    return Err(Hold::SameInstant);
                }
                let claimed = self.written.iter().find(|row| {
                    let is_same_frame = row.content_hash == frame.content_hash;
                    is_same(&row.observation, detection, is_same_frame)
                });
                match claimed {
                    Some(row) => Err(Hold::Shared { other: row.candidate_id.clone() }),
                    None => Ok(frame),
                }
            });
            match held {
                Ok(frame) => left.push((detection, frame)),
                Err(hold) => self.hold(candidate, Some(&detection.frame), hold),
            }
        }
        left
    }

    /// What names the candidate; a new name is the one it had, or a free one.
    fn identify(&mut self, rules: &Rules<'_>, candidate: &Candidate) -> Option<TrackId> {
        if let Identity::Known { name, .. } = &candidate.identity {
            return Designation::from_name(name).map(TrackId::Known);
        }
        if let Some(former) = rules.former_owner(candidate)
            && let Some(name) = self.names.of(&former.night, &former.candidate_id)
        {
            return Some(TrackId::New(name.to_owned()));
        }
        let name = self.names.give(rules.night, &candidate.id)?;
        self.given.push(TrackName {
            trk_sub: name.clone(),
            night: rules.night.to_owned(),
            candidate_id: candidate.id.clone(),
        });
        Some(TrackId::New(name))
    }

    /// Puts a candidate's observations into the batch, all or none.
    fn put(
        &mut self,
        rules: &Rules<'_>,
        candidate: &Candidate,
        id: &TrackId,
        left: &[(&CandidateDetection, &FrameRecord)],
    ) -> Result<(), Hold> {
        let (mut observations, mut lines, mut written) = (Vec::new(), String::new(), Vec::new());
        for (number, (detection, frame)) in left.iter().copied().enumerate() {
            let setting =
                Setting { config: rules.config, station: rules.station, candidate, frame };
            observations.push(ades(&setting, detection, id).map_err(unfit)?);
            let is_first = if number == 0 { IsFirst::Yes } else { IsFirst::No };
            let line = line_80(&setting, detection, id, is_first);
            lines.push_str(&line.map_err(|_| Hold::Unfit { field: "line of 80 columns" })?);
            lines.push('\n');
            written.push(WrittenObservation {
                content_hash: frame.content_hash.clone(),
                observation: kept(detection),
                night: rules.night.to_owned(),
                candidate_id: candidate.id.clone(),
            });
        }
        self.going.push(Going {
            candidate: candidate.id.clone(),
            name: id.text(),
            is_own_name: matches!(id, TrackId::New(_)),
            n_observations: left.len(),
            mag: candidate.mag,
        });
        self.observations.extend(observations);
        self.lines_80.push_str(&lines);
        self.written.extend(written);
        Ok(())
    }
}

/// The hold of a value that the format refuses.
fn unfit(error: AdesError) -> Hold {
    match error {
        AdesError::Value { tag, .. } => Hold::Unfit { field: tag },
        _ => Hold::Unfit { field: "observation" },
    }
}
