//! The configuration as the user wrote it: every key optional, unknown keys refused.
//!
//! A key is added here (type: `f64`, `i64`, `bool`, `String` or `Vec<String>`, in an `Option`),
//! in `resolved` with its default and check, and in `config/autossos.toml` with its sentence;
//! tests fail until all three agree. A section is a struct here and one there; a list of sections
//! (`[[telescope]]`) is a `Vec` of such a struct.

use serde::Deserialize;

/// All sections.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Raw {
    /// `[instrument]`
    pub instrument: RawInstrument,
    /// `[site]`
    pub site: RawSite,
    /// `[reference]`
    pub reference: RawReference,
    /// `[known]`
    pub known: RawKnown,
    /// `[limits]`
    pub limits: RawLimits,
    /// `[run]`
    pub run: RawRun,
    /// `[calibrate]`
    pub calibrate: RawCalibrate,
    /// `[extract]`
    pub extract: RawExtract,
    /// `[astrometry]`
    pub astrometry: RawAstrometry,
    /// `[photometry]`
    pub photometry: RawPhotometry,
    /// `[link]`
    pub link: RawLink,
    /// `[filter]`
    pub filter: RawFilter,
    /// `[daemon]`
    pub daemon: RawDaemon,
    /// `[keep]`
    pub keep: RawKeep,
    /// `[log]`
    pub log: RawLog,
    /// `[report]`
    pub report: RawReport,
    /// `[cutouts]`
    pub cutouts: RawCutouts,
    /// `[mail]`
    pub mail: RawMail,
    /// `[web]`
    pub web: RawWeb,
    /// `[submit]`
    pub submit: RawSubmit,
    /// `[[telescope]]`
    pub telescope: Vec<RawTelescope>,
}

/// `[instrument]`: how headers are read.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawInstrument {
    /// `auto` or the name of a profile.
    pub profile: Option<String>,
    /// Files of the user's own profiles.
    pub profile_files: Option<Vec<String>>,
    /// Files of rules for single frames.
    pub rules_files: Option<Vec<String>>,
    /// Extensions that hold frames, by number or name.
    pub extensions: Option<Vec<String>>,
}

/// `[site]`: the telescope's place.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawSite {
    /// Latitude, north positive [deg].
    pub latitude_deg: Option<f64>,
    /// Longitude, east positive [deg].
    pub longitude_deg: Option<f64>,
    /// Height [m].
    pub height_m: Option<f64>,
    /// Observatory code of the Minor Planet Center.
    pub mpc_code: Option<String>,
}

/// `[reference]`: star catalogues.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawReference {
    /// `files`, `tap` or `vizier`.
    pub source: Option<String>,
    /// CSV files with the Gaia archive's column names.
    pub files: Option<Vec<String>>,
    /// Release of the fetched catalogue.
    pub release: Option<String>,
    /// Faintest stars that are fetched [mag].
    pub magnitude_max: Option<f64>,
    /// Addresses of the service, in order.
    pub urls: Option<Vec<String>>,
    /// Time for one answer [s].
    pub timeout_s: Option<f64>,
}

/// `[known]`: known objects.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawKnown {
    /// `both`, `skybot`, `offline`, `files` or `none`.
    pub source: Option<String>,
    /// Lists of predicted places.
    pub files: Option<Vec<String>>,
    /// Addresses of SkyBoT, in order.
    pub urls: Option<Vec<String>>,
    /// Time for one answer [s].
    pub timeout_s: Option<f64>,
    /// Distance to the predicted place that is always allowed [arcsec].
    pub radius_arcsec: Option<f64>,
    /// Largest difference of the rates [arcsec/h].
    pub rate_difference_arcsec_per_h: Option<f64>,
}

/// `[limits]`: what a file may cost.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawLimits {
    /// Size of a file [MiB].
    pub file_size_max_mib: Option<i64>,
    /// Pixels of a frame [Mpx].
    pub pixels_max_mpx: Option<i64>,
    /// Cards of a header.
    pub header_cards_max: Option<i64>,
    /// Bytes unpacked per byte packed.
    pub compression_ratio_max: Option<i64>,
    /// Detections kept of a frame.
    pub detections_per_frame_max: Option<i64>,
}

/// `[run]`: how a night is worked through.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawRun {
    /// Frames in work at a time; 0 = one per core.
    pub workers: Option<i64>,
    /// Memory that the frames in work may take together [MiB].
    pub memory_max_mib: Option<i64>,
    /// Time that one frame may take [s].
    pub frame_time_max_s: Option<f64>,
}

/// `[calibrate]`: cleaning of frames.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawCalibrate {
    /// Whether cosmic rays are masked.
    pub cosmic_rays: Option<bool>,
    /// Sharpness of a cosmic ray [sigma].
    pub cosmic_threshold_sigma: Option<f64>,
    /// Whether trails of satellites and aircraft are masked.
    pub trails: Option<bool>,
    /// Folder with maps of weights.
    pub weight_dir: Option<String>,
}

/// `[extract]`: finding sources.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawExtract {
    /// Detection threshold [sigma of the filtered background].
    pub threshold_sigma: Option<f64>,
    /// Threshold of a source's pixels [sigma of the filtered background].
    pub analysis_sigma: Option<f64>,
    /// Fewest pixels of a source.
    pub pixels_min: Option<i64>,
    /// Lowest height of a blended source above the pass to its neighbour [local sigma].
    pub deblend_sigma: Option<f64>,
    /// The same as a share of the neighbour's height.
    pub deblend_share: Option<f64>,
    /// Least signal-to-noise ratio of a blended source's own light.
    pub clean_sigma: Option<f64>,
    /// Kron ellipse in units of the first moment.
    pub kron_factor: Option<f64>,
    /// Smallest Kron ellipse in units of the source's axes.
    pub kron_factor_min: Option<f64>,
    /// Side of a cell of the sky's mesh [px].
    pub background_cell_px: Option<i64>,
    /// Cells on a side of the median over the mesh.
    pub background_filter_cells: Option<i64>,
}

/// `[astrometry]`: trust in the header's pointing and scale.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawAstrometry {
    /// Error of the header's pointing within which a match is looked for first [deg].
    pub pointing_err_deg: Option<f64>,
    /// Error of the header's pixel scale, as a share of it.
    pub scale_range: Option<f64>,
    /// How distortion is written: `sip` or `tpv`.
    pub convention: Option<String>,
    /// Whether frames of bad astrometry are solved anew.
    pub recalibrate: Option<bool>,
    /// What becomes of those that stay bad: `spoiled`, `keep` or `drop`.
    pub outliers: Option<String>,
    /// File of the whole-sky index.
    pub blind_index: Option<String>,
}

/// `[photometry]`: apertures and zero points.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawPhotometry {
    /// Radius of the aperture in units of the seeing.
    pub aperture_fwhm: Option<f64>,
    /// How zero points are found: `robust` or `regression`.
    pub method: Option<String>,
    /// Whether objects are measured through one aperture in all their frames.
    pub fixed_apertures: Option<bool>,
    /// Filters in which the frame that gives it is looked for.
    pub reference_filters: Option<Vec<String>>,
    /// Clipping limit of the robust method [sigma].
    pub clip_sigma: Option<f64>,
    /// Whether the robust method looks for an error of the flat.
    pub flat: Option<bool>,
    /// Brightest stars of the regression [mag].
    pub regression_mag_min: Option<f64>,
    /// Faintest stars of the regression [mag].
    pub regression_mag_max: Option<f64>,
    /// Largest errors of its stars [mag].
    pub regression_err_max_mag: Option<f64>,
    /// Clipping factor of the regression.
    pub regression_sigma: Option<f64>,
    /// Least coefficient of determination of a frame's regression.
    pub r2_ratio_min: Option<f64>,
}

/// `[link]`: moving objects.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawLink {
    /// Slowest motion [arcsec/h].
    pub rate_min_arcsec_per_h: Option<f64>,
    /// Fastest motion [arcsec/h].
    pub rate_max_arcsec_per_h: Option<f64>,
    /// Fewest detections of an object.
    pub detections_min: Option<i64>,
    /// Largest odds of being an accident.
    pub chance_odds_max: Option<f64>,
    /// Nights before and after in which unknown objects are looked for [d].
    pub nights_joined: Option<i64>,
}

/// `[filter]`: the cuts of ssos.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawFilter {
    /// Names of the cuts in their order.
    pub chain: Option<Vec<String>>,
    /// Numbers of detections that are not kept, as `1,2,3`.
    pub unwanted_detections: Option<String>,
    /// Slowest motion [arcsec/h].
    pub rate_low_arcsec_per_h: Option<f64>,
    /// Fastest motion [arcsec/h].
    pub rate_up_arcsec_per_h: Option<f64>,
    /// Least rate in units of its error.
    pub rate_snr_min: Option<f64>,
    /// Least coefficient of determination of a straight motion.
    pub r2_ratio_min: Option<f64>,
    /// Gaps between groups of detections [scaled median deviations]; 0 for none.
    pub gap_factor: Option<f64>,
    /// Least shift on the detector [px].
    pub shift_min_px: Option<f64>,
    /// Least ratio of the error of an axis to its scatter.
    pub trail_ratio_min: Option<f64>,
    /// Brightest of the bright stars [mag].
    pub bright_mag_min: Option<f64>,
    /// Faintest of the bright stars [mag].
    pub bright_mag_max: Option<f64>,
    /// Distance to bright stars [arcsec].
    pub bright_distance_arcsec: Option<f64>,
}

/// `[daemon]`: the service.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawDaemon {
    /// Folder that receives raw frames.
    pub incoming: Option<String>,
    /// Folder of database and products.
    pub data: Option<String>,
    /// How files make nights.
    pub night_pattern: Option<String>,
    /// Quiet time before a file counts as complete [s].
    pub settle_s: Option<f64>,
    /// Time between full looks at the folder [s].
    pub rescan_s: Option<f64>,
    /// Whether the folder's events are believed.
    pub watch: Option<String>,
    /// Names that are never frames.
    pub ignore: Option<Vec<String>>,
    /// Time after which a file that is too short is reported [min].
    pub partial_wait_min: Option<f64>,
    /// Time without a new frame before a night is closed [min].
    pub close_after_min: Option<f64>,
    /// Altitude of the Sun above which a night is over [deg].
    pub sun_altitude_min_deg: Option<f64>,
    /// Name of a file that closes its night.
    pub close_marker: Option<String>,
    /// When frames are reduced again after better masters.
    pub late_calibration: Option<String>,
    /// How often late calibration frames make a night's masters anew.
    pub recalibrations_max: Option<i64>,
    /// Socket that `autossosctl` talks to.
    pub socket: Option<String>,
    /// Address of metrics and health.
    pub metrics_listen: Option<String>,
    /// Address called after each pass.
    pub heartbeat_url: Option<String>,
    /// Free space below which work pauses [MiB].
    pub disk_free_min_mib: Option<i64>,
    /// Nights without a frame before a mail says so.
    pub silent_nights_max: Option<i64>,
}

/// `[keep]`: how long things are kept.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawKeep {
    /// Backups of the database.
    pub backups: Option<i64>,
    /// Folder of the backups.
    pub backup_folder: Option<String>,
    /// Calibrated frames [d].
    pub calibrated_days: Option<i64>,
    /// Catalogues [d].
    pub catalogue_days: Option<i64>,
    /// Cut-outs [d].
    pub cutout_days: Option<i64>,
}

/// `[log]`: what is told.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawLog {
    /// Least important level told.
    pub level: Option<String>,
    /// Levels of single modules, as `daemon=debug`.
    pub modules: Option<Vec<String>>,
}

/// `[report]`: the night's report.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawReport {
    /// Candidates shown.
    pub candidates_max: Option<i64>,
    /// Time per picture of a blinking cut-out [ms].
    pub blink_ms: Option<i64>,
}

/// `[cutouts]`: what a person blinks.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawCutouts {
    /// Candidates that get cut-outs.
    pub candidates_max: Option<i64>,
    /// Side of a stamp [px].
    pub side_px: Option<i64>,
    /// Frames of a candidate.
    pub frames_max: Option<i64>,
    /// Side of a stamp's pixel [arcsec].
    pub scale_arcsec: Option<f64>,
}

/// `[mail]`: the morning mail.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawMail {
    /// Sender.
    pub from: Option<String>,
    /// Receivers.
    pub to: Option<Vec<String>>,
    /// When a report is due.
    pub when: Option<String>,
    /// Time zone of `when`.
    pub time_zone: Option<String>,
    /// Mail server.
    pub smtp_host: Option<String>,
    /// Its port.
    pub smtp_port: Option<i64>,
    /// How the connection is kept secret.
    pub encryption: Option<String>,
    /// Name to log in with.
    pub user: Option<String>,
    /// File with the password.
    pub password_file: Option<String>,
    /// Name of the systemd credential with the password.
    pub password_credential: Option<String>,
    /// Certificates of the server's authority.
    pub ca_file: Option<String>,
    /// Folder that gets the mails instead of a server.
    pub spool: Option<String>,
    /// Time after which a mail that cannot be sent is given up [d].
    pub give_up_days: Option<f64>,
}

/// `[web]`: the page on which candidates are judged.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawWeb {
    /// Address and port.
    pub listen: Option<String>,
    /// Start of all paths.
    pub base_path: Option<String>,
    /// Scheme and host under which people open it.
    pub public_url: Option<String>,
    /// File of names and passwords.
    pub users_file: Option<String>,
    /// Time without use after which a login ends [d].
    pub session_days: Option<f64>,
}

/// `[submit]`: what the Minor Planet Center gets.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawSubmit {
    /// Who submits.
    pub submitter: Option<String>,
    /// Their institution.
    pub institution: Option<String>,
    /// Who observes.
    pub observers: Option<Vec<String>>,
    /// Who measures.
    pub measurers: Option<Vec<String>>,
    /// Address for 80-column reports.
    pub contact: Option<String>,
    /// Who pays.
    pub funding: Option<String>,
    /// Release of the star catalogue.
    pub catalogue: Option<String>,
    /// Design of the telescope.
    pub design: Option<String>,
    /// Aperture [m].
    pub aperture_m: Option<f64>,
    /// Focal ratio.
    pub focal_ratio: Option<f64>,
    /// Detector.
    pub detector: Option<String>,
    /// Scale of a pixel [arcsec].
    pub pixel_scale_arcsec: Option<f64>,
    /// Kind of detector in the standard's words.
    pub mode: Option<String>,
    /// Error of the times [s].
    pub rms_time_s: Option<f64>,
    /// Smallest signal-to-noise ratio.
    pub snr_min: Option<f64>,
    /// Fewest observations of an object.
    pub detections_min: Option<i64>,
    /// Smallest distance to a star [seeing].
    pub near_star_fwhm: Option<f64>,
    /// Largest distance from a predicted place [arcsec].
    pub identity_max_arcsec: Option<f64>,
}

/// `[[telescope]]`: one of several telescopes; what it leaves out the plain sections say.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawTelescope {
    /// Its name, the start of its nights' names.
    pub name: Option<String>,
    /// Folder that receives its raw frames.
    pub incoming: Option<String>,
    /// How its files make nights.
    pub night_pattern: Option<String>,
    /// `auto` or the name of a profile.
    pub profile: Option<String>,
    /// Latitude, north positive [deg].
    pub latitude_deg: Option<f64>,
    /// Longitude, east positive [deg].
    pub longitude_deg: Option<f64>,
    /// Height [m].
    pub height_m: Option<f64>,
    /// Observatory code of the Minor Planet Center.
    pub mpc_code: Option<String>,
    /// Design of the telescope.
    pub design: Option<String>,
    /// Aperture [m].
    pub aperture_m: Option<f64>,
    /// Focal ratio.
    pub focal_ratio: Option<f64>,
    /// Detector.
    pub detector: Option<String>,
    /// Scale of a pixel [arcsec].
    pub pixel_scale_arcsec: Option<f64>,
    /// Kind of detector in the standard's words.
    pub mode: Option<String>,
    /// Error of the times [s].
    pub rms_time_s: Option<f64>,
}
