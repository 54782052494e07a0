//! The configuration, checked and typed: what the rest of the program sees.
//!
//! Each section has a struct with `Default` (the built-in values) and a function that turns the
//! raw section into it. Ranges are given where they are checked.

use std::path::PathBuf;

use super::check::Checker;
use super::cutouts::{CutoutConfig, cutouts};
use super::daemon::{Daemon, daemon};
use super::error::ConfigError;
use super::extract::{Extract, extract};
use super::filter::filter;
use super::known::{Known, known};
use super::mail::{Mail, mail};
use super::profiles::{ProfileChoice, load_profiles, load_rules, resolve_choice};
use super::raw::{Raw, RawInstrument, RawLimits, RawReport, RawRun};
use super::reference::{Reference, reference};
use super::science::{self, Astrometry, Calibrate, Link, Photometry};
use super::site::{SiteConfig, SiteKeys, site};
use super::submit::{Submit, submit};
use super::telescope::{Telescope, telescopes};
use super::upkeep::{self, Keep, Log};
use super::web::{Web, web};
use crate::pipeline::ingest::{ExtensionName, FrameRules, Profile, shipped};
use crate::science::movers::filters::Filter;

/// Bytes of a mebibyte.
const BYTES_PER_MIB: u64 = 1 << 20;
/// Pixels of a megapixel.
const PIXELS_PER_MPX: u64 = 1_000_000;

/// The whole configuration.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// How headers are read.
    pub instrument: Instrument,
    /// The telescope's place.
    pub site: SiteConfig,
    /// Star catalogues.
    pub reference: Reference,
    /// Known objects.
    pub known: Known,
    /// What a file may cost.
    pub limits: Limits,
    /// How a night is worked through.
    pub run: Run,
    /// Cleaning of frames.
    pub calibrate: Calibrate,
    /// Finding sources.
    pub extract: Extract,
    /// Trust in the header's pointing and scale.
    pub astrometry: Astrometry,
    /// Apertures.
    pub photometry: Photometry,
    /// Moving objects.
    pub link: Link,
    /// Cuts on tracklets, in their order.
    pub filters: Vec<Filter>,
    /// The service.
    pub daemon: Daemon,
    /// How long things are kept.
    pub keep: Keep,
    /// What is told.
    pub log: Log,
    /// The night's report.
    pub report: Report,
    /// Cut-outs of candidates.
    pub cutouts: CutoutConfig,
    /// The morning mail.
    pub mail: Mail,
    /// The page.
    pub web: Web,
    /// What the Minor Planet Center gets.
    pub submit: Submit,
    /// The telescopes that are listed; see [`Config::telescopes`].
    pub telescopes: Vec<Telescope>,
}

/// How headers are read.
#[derive(Debug, Clone, PartialEq)]
pub struct Instrument {
    /// Which profile reads them.
    pub choice: ProfileChoice,
    /// Files of the user's own profiles.
    pub profile_files: Vec<PathBuf>,
    /// All profiles: the user's own, then the shipped ones.
    pub profiles: Vec<Profile>,
    /// Files of rules for single frames.
    pub rules_files: Vec<PathBuf>,
    /// Their rules.
    pub rules: FrameRules,
    /// Extensions that are frames in files of several images; none = as the profile says.
    pub extensions: Vec<ExtensionName>,
}

impl Default for Instrument {
    fn default() -> Self {
        Self {
            choice: ProfileChoice::Auto,
            profile_files: Vec::new(),
            profiles: shipped().to_vec(),
            rules_files: Vec::new(),
            rules: FrameRules::default(),
            extensions: Vec::new(),
        }
    }
}

/// What a file may cost before it is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Size of a file [MiB].
    pub file_size_max_mib: u64,
    /// Pixels of a frame [Mpx].
    pub pixels_max_mpx: u64,
    /// Cards of a header.
    pub header_cards_max: usize,
    /// Bytes unpacked per byte packed.
    pub compression_ratio_max: u64,
    /// Detections kept of a frame: the brightest.
    pub detections_per_frame_max: usize,
}

impl Limits {
    /// Size of a file in bytes.
    pub const fn file_size_max_bytes(&self) -> u64 {
        self.file_size_max_mib * BYTES_PER_MIB
    }

    /// Pixels of a frame.
    pub const fn pixels_max(&self) -> u64 {
        self.pixels_max_mpx * PIXELS_PER_MPX
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_size_max_mib: 1024,
            pixels_max_mpx: 256,
            header_cards_max: 4000,
            compression_ratio_max: 200,
            detections_per_frame_max: 50_000,
        }
    }
}

/// How a night is worked through.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Frames in work at a time; 0 = one per core.
    pub workers: usize,
    /// Memory that the frames in work may take together [MiB].
    pub memory_max_mib: u64,
    /// Time that one frame may take [s].
    pub frame_time_max_s: f64,
}

impl Default for Run {
    fn default() -> Self {
        Self { workers: 0, memory_max_mib: 4096, frame_time_max_s: 600.0 }
    }
}

/// The night's report.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Candidates shown.
    pub candidates_max: usize,
    /// Time per picture of a blinking cut-out [ms].
    pub blink_ms: u64,
}

impl Default for Report {
    fn default() -> Self {
        Self { candidates_max: 200, blink_ms: 400 }
    }
}

/// Checks a raw configuration; the first mistake of each section is told.
pub(super) fn resolve(raw: Raw, checker: &Checker<'_>) -> Result<Config, Vec<ConfigError>> {
    let mut mistakes = Vec::new();
    let told = &mut mistakes;
    let mut config = Config {
        instrument: kept(instrument(raw.instrument, checker), told),
        site: kept(site(raw.site, &SiteKeys::PLAIN, checker), told),
        reference: kept(reference(raw.reference, checker), told),
        known: kept(known(raw.known, checker), told),
        limits: kept(limits(&raw.limits, checker), told),
        run: kept(run(&raw.run, checker), told),
        calibrate: kept(science::calibrate(&raw.calibrate, checker), told),
        extract: kept(extract(&raw.extract, checker), told),
        astrometry: kept(science::astrometry(&raw.astrometry, checker), told),
        photometry: kept(science::photometry(&raw.photometry, checker), told),
        link: kept(science::link(&raw.link, checker), told),
        filters: kept(filter(raw.filter, checker), told),
        daemon: kept(daemon(raw.daemon, checker), told),
        keep: kept(upkeep::keep(raw.keep, checker), told),
        log: kept(upkeep::log(raw.log, checker), told),
        report: kept(report(&raw.report, checker), told),
        cutouts: kept(cutouts(&raw.cutouts, checker), told),
        mail: kept(mail(raw.mail, checker), told),
        web: kept(web(raw.web, checker), told),
        submit: kept(submit(raw.submit, checker), told),
        telescopes: Vec::new(),
    };
    if mistakes.is_empty() {
        config.telescopes = kept(telescopes(raw.telescope, &config, checker), &mut mistakes);
    }
    if mistakes.is_empty() { Ok(config) } else { Err(mistakes) }
}

/// The value, or the built-in one beside a mistake that is told.
fn kept<T: Default>(value: Result<T, ConfigError>, mistakes: &mut Vec<ConfigError>) -> T {
    value.unwrap_or_else(|mistake| {
        mistakes.push(mistake);
        T::default()
    })
}

fn instrument(raw: RawInstrument, checker: &Checker<'_>) -> Result<Instrument, ConfigError> {
    let profile_files = checker.paths("instrument.profile_files", raw.profile_files);
    let profiles = load_profiles(&profile_files)?;
    let choice = resolve_choice(raw.profile, &profiles, || checker.place("instrument.profile"))?;
    let rules_files = checker.paths("instrument.rules_files", raw.rules_files);
    let rules = load_rules(&rules_files)?;
    let listed = raw.extensions.unwrap_or_default();
    // "auto" is what no list means.
    let named = listed.iter().filter(|text| !text.trim().eq_ignore_ascii_case("auto"));
    let extensions = named.filter_map(|text| ExtensionName::parse(text)).collect();
    Ok(Instrument { choice, profile_files, profiles, rules_files, rules, extensions })
}

fn limits(raw: &RawLimits, checker: &Checker<'_>) -> Result<Limits, ConfigError> {
    let default = Limits::default();
    Ok(Limits {
        file_size_max_mib: checker.whole(
            "limits.file_size_max_mib",
            raw.file_size_max_mib,
            default.file_size_max_mib,
            1..=65_536,
        )?,
        pixels_max_mpx: checker.whole(
            "limits.pixels_max_mpx",
            raw.pixels_max_mpx,
            default.pixels_max_mpx,
            1..=4096,
        )?,
        header_cards_max: checker.whole(
            "limits.header_cards_max",
            raw.header_cards_max,
            default.header_cards_max,
            36..=1_000_000,
        )?,
        compression_ratio_max: checker.whole(
            "limits.compression_ratio_max",
            raw.compression_ratio_max,
            default.compression_ratio_max,
            1..=100_000,
        )?,
        detections_per_frame_max: checker.whole(
            "limits.detections_per_frame_max",
            raw.detections_per_frame_max,
            default.detections_per_frame_max,
            100..=1_000_000,
        )?,
    })
}

fn run(raw: &RawRun, checker: &Checker<'_>) -> Result<Run, ConfigError> {
    let default = Run::default();
    Ok(Run {
        workers: checker.whole("run.workers", raw.workers, default.workers, 0..=1024)?,
        memory_max_mib: checker.whole(
            "run.memory_max_mib",
            raw.memory_max_mib,
            default.memory_max_mib,
            64..=1_048_576,
        )?,
        frame_time_max_s: checker.number(
            "run.frame_time_max_s",
            raw.frame_time_max_s,
            default.frame_time_max_s,
            1.0..=86_400.0,
        )?,
    })
}

fn report(raw: &RawReport, checker: &Checker<'_>) -> Result<Report, ConfigError> {
    let default = Report::default();
    let shown = "report.candidates_max";
    Ok(Report {
        candidates_max: checker.whole(
            shown,
            raw.candidates_max,
            default.candidates_max,
            1..=10_000,
        )?,
        blink_ms: checker.whole("report.blink_ms", raw.blink_ms, default.blink_ms, 50..=10_000)?,
    })
}
