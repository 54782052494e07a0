//! The end of a night: link, identify, rate, summarize, render, close.

use std::path::PathBuf;
use std::sync::Mutex;

use super::super::error::OpsError;
use super::super::mail::{ClosingNight, MailAtClose, MailError, on_close};
use super::super::object_names::number_objects;
use super::super::progress::{Event, Progress};
use super::frames::{FrameResult, FrameWork};
use super::joining::join_nights;
use super::keys::NIGHT_UNIT;
use super::known::KnownNight;
use super::pictures::{ProductPixels, keep_cutouts};
use super::take::{Scanned, chain};
use super::{astrometry, now, photometry, report_to};
use crate::config::Config;
use crate::formats::fits::{self, Limits};
use crate::formats::known_csv::write_known;
use crate::pipeline::artifact::catalogue::Catalogue;
use crate::pipeline::artifact::frame_info::Site;
use crate::pipeline::artifact::frame_record::{FrameRecord, FrameStatus};
use crate::pipeline::artifact::linking::Linking;
use crate::pipeline::artifact::report::{NightReport, Note};
use crate::pipeline::filter::filter;
use crate::pipeline::identify::{Identified, identify};
use crate::pipeline::link::{NightFrame, link_night};
use crate::pipeline::masters::MasterLibrary;
use crate::pipeline::rate::{StarSource, rate};
use crate::pipeline::summarize::{Finds, reject_blurred, summarize};
use crate::report::{CandidatePictures, render_html};
use crate::science::detect::psf_model::PsfModel;
use crate::science::movers::filters::BrightStars;
use crate::science::reference::{ReferenceSky, StarAtEpoch};
use crate::science::time::Epoch;
use crate::store::nights::{Closing, ClosingMail};
use crate::store::stages::{NIGHT_SUBJECT, StageOutcome, StageRow};
use crate::store::{NightId, ProductFile, ProductKind, Products, Store};

/// Name of the report's page.
const HTML_NAME: &str = "report.html";
/// Name of the list of known objects in the frames.
const KNOWN_NAME: &str = "skybot_all.csv";
/// Name of the table of what linking saw.
const LINKING_NAME: &str = "linking.fits";

/// What the night's stages need besides the frames.
pub(super) struct NightInputs<'a> {
    pub(super) scanned: &'a Scanned,
    pub(super) known: &'a KnownNight,
    pub(super) library: &'a MasterLibrary,
}

/// The report of an earlier run over the same inputs.
pub(super) fn finished_before(
    store: &Store,
    night: &NightId,
    key: &str,
) -> Result<Option<NightReport>, OpsError> {
    match store.read().stage_done(night, NIGHT_SUBJECT, NIGHT_UNIT, key)? {
        Some(_) => Ok(store.read().report(night)?),
        None => Ok(None),
    }
}

/// The same report with what the nights around it say by now: they may have come since, or be
/// looked at for the first time.
pub(super) fn joined_again(
    store: &Store,
    config: &Config,
    mut report: NightReport,
    (night, scanned): (&NightId, &Scanned),
) -> Result<NightReport, OpsError> {
    join_nights(store, config, (night, &report), site(scanned))?;
    report.joined = store.read().joined(night)?;
    Ok(report)
}

/// Where the telescope stands, as the headers tell.
pub(super) fn site(scanned: &Scanned) -> Option<Site> {
    scanned.science.iter().find_map(|frame| frame.info.site)
}

/// Where the night's page lies.
pub(super) fn html_path(store: &Store, night: &NightId) -> Result<PathBuf, OpsError> {
    let relative = store.products().relative_path(night, ProductKind::Report, HTML_NAME)?;
    Ok(store.products().resolve(&relative)?)
}

/// Links, identifies, summarizes, writes the page and closes the night.
pub(super) fn finish(
    work: &FrameWork<'_>,
    inputs: &NightInputs<'_>,
    mut results: Vec<FrameResult>,
    (night_key, listing): (&str, Option<String>),
    progress: &dyn Progress,
) -> Result<(NightReport, PathBuf), OpsError> {
    reject_blurred_results(&mut results, work);
    astrometry::reject_disagreeing(&mut results, inputs.scanned);
    let (mut frames, mut notes) = night_frames(work, &results);
    astrometry::share(work, &mut frames, &mut results, &mut notes);
    report_to(progress, Event::Stage { name: "share-astrometry" })?;
    astrometry::judge(work, &mut frames, &mut results, &mut notes);
    report_to(progress, Event::Stage { name: "judge-astrometry" })?;
    photometry::share(work, &mut frames, &mut results, &mut notes)?;
    report_to(progress, Event::Stage { name: "share-photometry" })?;
    photometry::judge(work, &mut results, &mut notes);
    report_to(progress, Event::Stage { name: "judge-photometry" })?;
    astrometry::write_all(work, &results)?;
    let pixels = ProductPixels { store: work.store, results: &results };
    let (mut finds, known) = linked(work, inputs, (&frames, &pixels), progress)?;
    keep_known(work, &known)?;
    notes.append(&mut finds.not_done);
    finds.not_done = notes;
    let mut report = assemble(work, inputs, &results, finds);
    number_objects(work.store, work.night, &report)?;
    let site = site(inputs.scanned);
    join_nights(work.store, work.config, (work.night, &report), site)?;
    report.joined = work.store.read().joined(work.night)?;
    report_to(progress, Event::Stage { name: "summarize" })?;
    let kept = keep_cutouts(work, &report, &frames, &pixels)?;
    let page = render_html(&report, &kept.pictures)?;
    let path = html_path(work.store, work.night)?;
    ProductFile::write_bytes(&path, page.as_bytes())?;
    report_to(progress, Event::Stage { name: "cut-outs" })?;
    let stage = StageRow {
        subject: NIGHT_SUBJECT.to_owned(),
        stage: NIGHT_UNIT.to_owned(),
        version: 1,
        key: night_key.to_owned(),
        outcome: StageOutcome::Done,
        product: Some(work.store.products().relative_path(
            work.night,
            ProductKind::Report,
            HTML_NAME,
        )?),
        payload: kept.payload(),
    };
    let mail = closing_mail(work, &report, &kept.pictures)?;
    let closing = Closing { report: report.clone(), stage, listing, mail };
    work.store.close_night(work.night, closing, now())?;
    Ok((report, path))
}

/// The moving objects of the frames, named as far as the lists allow.
fn linked(
    work: &FrameWork<'_>,
    inputs: &NightInputs<'_>,
    (frames, pixels): (&[NightFrame], &ProductPixels<'_>),
    progress: &dyn Progress,
) -> Result<(Finds, Identified), OpsError> {
    let failures = Mutex::new(Vec::new());
    let stars = |centre, radius, mjd: f64| -> Vec<StarAtEpoch> {
        let epoch_yr = Epoch::from_mjd_utc(mjd).julian_year();
        work.night_sky.stars_in_cone(centre, radius, epoch_yr).unwrap_or_else(|error| {
            if let Ok(mut failures) = failures.lock() {
                failures.push(chain(&error));
            }
            Vec::new()
        })
    };
    let params = work.config.night_params();
    let linked = link_night(frames, &stars, pixels, &params.link_night);
    let linking = |text| Note { subject: "linking".to_owned(), text };
    keep_linking(work, &linked.linking)?;
    report_to(progress, Event::Stage { name: "link" })?;
    let filtered =
        filter(linked.candidates, frames, &params.filters, &*bright_stars(frames, &stars));
    let mut notes: Vec<Note> =
        linked.notes.into_iter().chain(filtered.notes).map(linking).collect();
    let mut candidates = filtered.candidates;
    photometry::measure(work, &mut candidates, (frames, pixels), &stars);
    report_to(progress, Event::Stage { name: "measure-movers" })?;
    let known = identify(&mut candidates, frames, &inputs.known.sky, &params.identify);
    let naming = |text: &String| Note { subject: "identification".to_owned(), text: text.clone() };
    notes.extend(known.notes.iter().map(naming));
    let n_missed = known.objects.iter().filter(|object| object.is_missed()).count();
    if n_missed > 0 {
        notes.push(Note {
            subject: "known objects".to_owned(),
            text: format!(
                "{n_missed} were inside the frames and bright enough, but not found: \
                 `autossosctl export --format known` lists them"
            ),
        });
    }
    report_to(progress, Event::Stage { name: "identify" })?;
    rate(&mut candidates, frames, &stars);
    report_to(progress, Event::Stage { name: "rate" })?;
    for failure in failures.into_inner().unwrap_or_default() {
        notes
            .push(linking(format!("stars were told from movers without the catalogue: {failure}")));
    }
    let objects = known.objects.clone();
    let finds = Finds { candidates, removed: filtered.removed, known: objects, not_done: notes };
    Ok((finds, known))
}

/// Stars of a range of magnitudes near a place, at the night's epoch.
fn bright_stars<'a>(frames: &[NightFrame], stars: &'a StarSource<'_>) -> Box<BrightStars<'a>> {
    let mjd = frames.first().map_or(0.0, |frame| frame.mid_mjd_utc);
    Box::new(move |centre, radius_rad, (brightest, faintest)| {
        let is_bright = |g: f64| (brightest..=faintest).contains(&g);
        let found = stars(centre, radius_rad, mjd).into_iter();
        found.filter(|s| s.g_mag.is_some_and(is_bright)).map(|s| (s.ra_rad, s.dec_rad)).collect()
    })
}

/// Puts the places of known objects in the frames beside the page, for those who ask for them.
fn keep_known(work: &FrameWork<'_>, known: &Identified) -> Result<(), OpsError> {
    let path = known_path(work.store.products(), work.night)?;
    Ok(ProductFile::write_bytes(&path, write_known(known.places.iter()).as_bytes())?)
}

/// Puts what linking saw beside the page, for `trace`.
fn keep_linking(work: &FrameWork<'_>, linking: &Linking) -> Result<(), OpsError> {
    let path = linking_path(work.store.products(), work.night)?;
    let (columns, header) = linking.to_table();
    ProductFile::write(&path, |to| Ok(fits::write_table(to, &columns, &header, "LINKING")?))?;
    Ok(())
}

/// Where what linking saw lies.
pub(in crate::ops) fn linking_path(
    products: &Products,
    night: &NightId,
) -> Result<PathBuf, OpsError> {
    Ok(products.resolve(&products.relative_path(night, ProductKind::Report, LINKING_NAME)?)?)
}

/// Where the places of known objects in a night's frames lie.
pub(in crate::ops) fn known_path(
    products: &Products,
    night: &NightId,
) -> Result<PathBuf, OpsError> {
    Ok(products.resolve(&products.relative_path(night, ProductKind::Report, KNOWN_NAME)?)?)
}

fn reject_blurred_results(results: &mut [FrameResult], work: &FrameWork<'_>) {
    let mut records: Vec<FrameRecord> = results.iter().map(|r| r.record.clone()).collect();
    reject_blurred(&mut records, &work.config.night_params().quality);
    for (result, record) in results.iter_mut().zip(records) {
        result.record = record;
    }
}

/// The usable frames with their catalogues as linking needs them.
fn night_frames(work: &FrameWork<'_>, results: &[FrameResult]) -> (Vec<NightFrame>, Vec<Note>) {
    let mut frames = Vec::new();
    let mut notes = Vec::new();
    for result in results.iter().filter(|r| r.record.status == FrameStatus::Ok) {
        match night_frame(work, result) {
            Some(frame) => frames.push(frame),
            None => notes.push(Note {
                subject: result.record.frame.clone(),
                text: "its catalogue cannot be read back; run again to make it anew".to_owned(),
            }),
        }
    }
    (frames, notes)
}

fn night_frame(work: &FrameWork<'_>, result: &FrameResult) -> Option<NightFrame> {
    let record = &result.record;
    let relative = result.products.as_ref()?.catalogue.as_ref()?;
    let path = work.store.products().resolve(relative).ok()?;
    let (header, columns) = fits::read_table(&path, &Limits::default()).ok()?;
    Some(NightFrame {
        name: record.frame.clone(),
        content_hash: record.content_hash.clone(),
        mid_mjd_utc: record.mid_mjd_utc?,
        exposure_s: record.exposure_s,
        wcs: record.solution()?,
        nx: result.nx,
        ny: result.ny,
        is_turned: result.is_turned,
        limiting_mag: record.limiting_mag?,
        fwhm_arcsec: record.fwhm_arcsec.unwrap_or(3.0),
        zero_point_err_mag: record.zero_point_err_mag.unwrap_or(0.0),
        electron_mag: electron_mag(record, header.real("RAWGAIN")),
        chip: record.image.as_ref().map(|image| image.chip.clone()).unwrap_or_default(),
        filter: record.filter.clone(),
        psf: PsfModel::from_keywords(|key| header.real(key), (result.nx, result.ny)),
        catalogue: Catalogue::from_columns(&columns)?,
    })
}

/// Magnitude of a source that gives one electron in all: the zero point is that of one ADU/s.
pub(super) fn electron_mag(record: &FrameRecord, gain_e_per_adu: Option<f64>) -> Option<f64> {
    let electrons = gain_e_per_adu? * record.exposure_s?;
    Some(record.zero_point_mag? + 2.5 * electrons.log10()).filter(|mag| mag.is_finite())
}

fn assemble(
    work: &FrameWork<'_>,
    inputs: &NightInputs<'_>,
    results: &[FrameResult],
    mut finds: Finds,
) -> NightReport {
    let mut frames: Vec<FrameRecord> = results.iter().map(|r| r.record.clone()).collect();
    frames.extend(inputs.scanned.failed.iter().cloned());
    let mut not_done = inputs.scanned.notes.clone();
    not_done.extend(inputs.library.notes.iter().cloned());
    not_done.extend(inputs.known.notes.iter().cloned());
    not_done.append(&mut finds.not_done);
    finds.not_done = not_done;
    let masters = inputs.library.masters.iter().map(|m| m.name.clone()).collect();
    let mut instruments: Vec<String> = inputs
        .scanned
        .science
        .iter()
        .map(|f| format!("{} (profile {})", f.info.instrument, f.info.profile))
        .collect();
    instruments.sort();
    instruments.dedup();
    summarize(
        work.night.as_str(),
        env!("CARGO_PKG_VERSION"),
        (instruments.join(", "), masters),
        frames,
        finds,
    )
}

/// What becomes of the report. A mail that cannot be composed does not keep a night open.
fn closing_mail(
    work: &FrameWork<'_>,
    report: &NightReport,
    pictures: &[CandidatePictures],
) -> Result<ClosingMail, OpsError> {
    let closing = ClosingNight { night: work.night, report, pictures };
    Ok(match on_close(work.store, work.config, &closing, now()) {
        Err(MailError::Store(error)) => return Err(error.into()),
        Ok(MailAtClose::Queue(message)) => ClosingMail::Now(*message),
        Ok(MailAtClose::DueLater) => ClosingMail::Due,
        Ok(MailAtClose::Nothing) => ClosingMail::None,
        Err(error) => {
            tracing::error!(night = %work.night, "No mail about the night: {}.", chain(&error));
            ClosingMail::None
        }
    })
}
