//! The night's last word on magnitudes: frames of one camera and filter share colour term and flat;
//! each keeps its own zero point.
//!
//! A function of the night's catalogues alone, as `share_astrometry` is. What each star gave is
//! kept as a table, and [`refit`] is a function of that table alone: with other limits it gives
//! other zero points in a moment, without pixels.

use super::artifact::catalogue::Catalogue;
use super::artifact::frame_photometry::{
    FramePhotometry, PhotometricSolution, PhotometryMethod, StoredLine,
};
use super::artifact::frame_record::FrameRecord;
use super::artifact::photometry_table::{
    CataloguePlace, PhotometryTable, StarUse, TableFrame, TableStar,
};
use super::calibrate_flux::is_clean;
use super::link::NightFrame;
use super::share_astrometry::{cameras, size};
use crate::science::astrometry::FrameSize;
use crate::science::astrometry::matching::{StarGrid, pair_up};
use crate::science::detect::sources::SourceFlags;
use crate::science::image::stats::{mag_error, median};
use crate::science::photometry::overlap::Overlap;
use crate::science::photometry::regression::{
    Regression, RegressionParams, RegressionStar, regress,
};
use crate::science::photometry::shared::{
    SharedParams, SharedStar, SharedZeroPoints, share_zero_points,
};
use crate::science::reference::StarAtEpoch;
use crate::science::units::{ARCSEC_RAD, DEG_RAD};

/// Sources this near to where a catalogue star should be are taken for it [px].
const RADIUS_PX: f64 = 1.5;
/// Catalogue stars this near to another of them, in units of the seeing, are left out when the
/// other is not fainter by so much [mag]: their light is not theirs alone.
const CROWD_FWHM: f64 = 2.0;
const CROWD_MAG: f64 = 4.0;
/// Stars with more light of unseen ones than this share of their own are left out, and how wrong
/// that light may be.
const HIDDEN_MAX: f64 = 0.1;
const HIDDEN_ERR: f64 = 0.2;
/// Exponent of the stars' profile where it is not measured.
const BETA_TYPICAL: f64 = 3.1;
/// Spread of the colours BP-RP of objects about the Sun's [mag]: C-types 0.75 to 0.85, S-types 0.9
/// to 1.0 (Gaia DR3 reflectance spectra, Galluccio et al. 2023, A&A 674, A35).
pub const OBJECT_COLOUR_SPREAD_MAG: f64 = 0.12;

/// How zero points are found.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SharePhotometryParams {
    /// Which method's zero points count.
    pub method: PhotometryMethod,
    /// The robust method.
    pub robust: SharedParams,
    /// The regression of Automatic-SSOs, whose R2 judges frames in any case.
    pub regression: RegressionParams,
}

/// The photometry of a night.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SharedPhotometry {
    /// What each star gave.
    pub table: PhotometryTable,
    /// Scales of the frames, in the order given; `None` without stars.
    pub frames: Vec<Option<FramePhotometry>>,
    /// A line for each camera and filter.
    pub notes: Vec<String>,
}

/// Finds the magnitude scales of a night's frames.
///
/// * `records`: those of the frames, in step with them.
/// * `stars`: the catalogue around a centre [rad] within a radius [rad] at an epoch [d, MJD UTC].
pub fn share_photometry(
    frames: &[NightFrame],
    records: &[&FrameRecord],
    stars: &dyn Fn((f64, f64), f64, f64) -> Vec<StarAtEpoch>,
    params: &SharePhotometryParams,
) -> SharedPhotometry {
    let groups = groups(frames, records);
    let mut scales: Vec<Option<FramePhotometry>> =
        records.iter().map(|r| r.photometry.as_deref().cloned()).collect();
    let mut table = PhotometryTable::default();
    for (i, frame) in frames.iter().enumerate() {
        let group = groups.iter().position(|g| g.contains(&i)).unwrap_or(0);
        table.frames.push(TableFrame { name: frame.name.clone(), group });
        if let Some(scale) = &scales[i] {
            table.stars.extend(measured(frame, i, scale, stars));
        }
    }
    let (solutions, notes) = refit(&mut table, params);
    for (scale, solution) in scales.iter_mut().zip(solutions) {
        if let Some(scale) = scale {
            scale.solution = solution;
        }
    }
    SharedPhotometry { table, frames: scales, notes }
}

/// Frames of one camera and filter.
fn groups(frames: &[NightFrame], records: &[&FrameRecord]) -> Vec<Vec<usize>> {
    let mut groups = Vec::new();
    for camera in cameras(frames) {
        let mut of_camera: Vec<(Option<&str>, Vec<usize>)> = Vec::new();
        for i in camera {
            let filter = records.get(i).and_then(|record| record.filter.as_deref());
            match of_camera.iter_mut().find(|(name, _)| *name == filter) {
                Some((_, members)) => members.push(i),
                None => of_camera.push((filter, vec![i])),
            }
        }
        groups.extend(of_camera.into_iter().map(|(_, members)| members));
    }
    groups
}

/// The catalogue stars that a frame shows well.
fn measured(
    frame: &NightFrame,
    number: usize,
    scale: &FramePhotometry,
    stars: &dyn Fn((f64, f64), f64, f64) -> Vec<StarAtEpoch>,
) -> Vec<TableStar> {
    let size = size(frame);
    let scale_arcsec = frame.wcs.pixel_scale_arcsec();
    let centre = size.centre_px();
    let radius_rad = 1.05 * size.half_diagonal_px() * scale_arcsec * ARCSEC_RAD;
    let on_frame: Vec<(StarAtEpoch, (f64, f64))> =
        stars(frame.wcs.to_sky(centre.0, centre.1), radius_rad, frame.mid_mjd_utc)
            .into_iter()
            .filter_map(|star| frame.wcs.to_pixel(star.ra_rad, star.dec_rad).map(|p| (star, p)))
            .filter(|(_, p)| size.holds(p.0, p.1))
            .collect();
    let listed: Vec<(f64, f64)> = on_frame.iter().map(|(_, p)| *p).collect();
    let crowded = crowded(&on_frame, CROWD_FWHM * frame.fwhm_arcsec / scale_arcsec);
    let sources = &frame.catalogue.sources;
    let places: Vec<(f64, f64)> =
        (0..sources.len()).map(|i| (sources.x_px[i], sources.y_px[i])).collect();
    let pairs = pair_up(&listed, &StarGrid::new(&places, size), RADIUS_PX);
    let hidden = hidden_light(&on_frame, &places, (size, scale));
    pairs
        .into_iter()
        .filter(|(r, s)| {
            let flags = sources.flags[*s];
            is_clean(flags)
                && !flags.is_any(SourceFlags::BLENDED)
                && !crowded[*r]
                && hidden[*r] < HIDDEN_MAX
        })
        .filter_map(|(r, s)| {
            let star = &on_frame[r].0;
            let (flux_e, flux_err_e) = sources.light_e(s);
            let own_e = flux_e / (1.0 + hidden[r]);
            let instrumental_mag = instrumental_mag(own_e, scale.share, frame.exposure_s)?;
            let hidden_err = HIDDEN_ERR * 1.0857 * hidden[r];
            Some(TableStar {
                frame: number,
                source_id: star.source_id,
                catalogue: Some(CataloguePlace {
                    ra_deg: star.ra_rad / DEG_RAD,
                    dec_deg: star.dec_rad / DEG_RAD,
                    err_mas: star.position_err_mas,
                }),
                x_px: sources.x_px[s],
                y_px: sources.y_px[s],
                place: detector_place(
                    (frame.nx, frame.ny, frame.is_turned),
                    (sources.x_px[s], sources.y_px[s]),
                ),
                instrumental_mag,
                instrumental_err_mag: mag_error(flux_e, flux_err_e).hypot(hidden_err),
                g_mag: star.g_mag?,
                bp_rp_mag: star.bp_rp_mag,
                ..TableStar::default()
            })
        })
        .collect()
}

/// Light of unseen stars of the catalogue in the fit of each listed star, over its own light.
///
/// What the frame does not show as sources of their own is in the light of those it does.
fn hidden_light(
    listed: &[(StarAtEpoch, (f64, f64))],
    sources: &[(f64, f64)],
    (size, scale): (FrameSize, &FramePhotometry),
) -> Vec<f64> {
    let overlap = Overlap::new(scale.core_beta.unwrap_or(BETA_TYPICAL));
    let (reach_px, fwhm_px) = (overlap.reach_fwhm() * scale.fwhm_px, scale.fwhm_px);
    let seen = StarGrid::new(sources, size);
    let unseen: Vec<usize> =
        (0..listed.len()).filter(|&i| seen.nearest(listed[i].1, RADIUS_PX).is_none()).collect();
    let places: Vec<(f64, f64)> = unseen.iter().map(|&i| listed[i].1).collect();
    let grid = StarGrid::new(&places, size);
    let light = |(star, place): &(StarAtEpoch, (f64, f64))| {
        let Some(own) = star.g_mag else { return 0.0 };
        let near = grid.within(*place, reach_px);
        near.filter(|(_, distance_px)| *distance_px > 0.0)
            .filter_map(|(k, distance_px)| {
                let ratio = 10.0_f64.powf(-0.4 * (listed[unseen[k]].0.g_mag? - own));
                Some(ratio * overlap.share(distance_px / fwhm_px))
            })
            .sum()
    };
    listed.iter().map(light).collect()
}

/// Which listed stars have another one of account beside them.
fn crowded(stars: &[(StarAtEpoch, (f64, f64))], reach_px: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..stars.len()).collect();
    order.sort_by(|&a, &b| stars[a].1.0.total_cmp(&stars[b].1.0));
    let mut crowded = vec![false; stars.len()];
    for (n, &i) in order.iter().enumerate() {
        let (a, p) = &stars[i];
        for &j in order[n + 1..].iter().take_while(|&&j| stars[j].1.0 - p.0 <= reach_px) {
            let (b, q) = &stars[j];
            if (q.0 - p.0).hypot(q.1 - p.1) > reach_px {
                continue;
            }
            let faint = 30.0;
            let (a_mag, b_mag) = (a.g_mag.unwrap_or(faint), b.g_mag.unwrap_or(faint));
            crowded[i] |= b_mag < a_mag + CROWD_MAG;
            crowded[j] |= a_mag < b_mag + CROWD_MAG;
        }
    }
    crowded
}

/// -2.5 log10 of all light in electrons per second; `None` without positive light [mag].
pub fn instrumental_mag(flux_e: f64, share: f64, exposure_s: Option<f64>) -> Option<f64> {
    let rate = flux_e / share / exposure_s.unwrap_or(1.0).max(1e-3);
    Some(-2.5 * rate.log10()).filter(|mag| rate > 0.0 && mag.is_finite())
}

/// A place on the detector from its middle, -1..1 over each side.
///
/// * `nx`, `ny`, `is_turned`: shape of the frame, and whether it lies turned by 180 degrees.
pub fn detector_place(
    (nx, ny, is_turned): (usize, usize, bool),
    (x_px, y_px): (f64, f64),
) -> (f64, f64) {
    let from_middle = |v: f64, n: usize| 2.0 * v / (n.max(2) - 1) as f64 - 1.0;
    let (u, v) = (from_middle(x_px, nx), from_middle(y_px, ny));
    if is_turned { (-u, -v) } else { (u, v) }
}

/// Magnitude scales from a table alone, with what became of each star; and a line for each group.
pub fn refit(
    table: &mut PhotometryTable,
    params: &SharePhotometryParams,
) -> (Vec<Option<PhotometricSolution>>, Vec<String>) {
    let n_frames = table.frames.len();
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); n_frames];
    for (row, star) in table.stars.iter().enumerate() {
        members[star.frame].push(row);
    }
    let mut solutions: Vec<Option<PhotometricSolution>> = vec![None; n_frames];
    let mut notes = Vec::new();
    let n_groups = table.frames.iter().map(|f| f.group + 1).max().unwrap_or(0);
    for group in 0..n_groups.min(n_frames) {
        let of_group: Vec<usize> =
            (0..n_frames).filter(|f| table.frames[*f].group == group).collect();
        let stars: Vec<Vec<SharedStar>> = of_group
            .iter()
            .map(|f| members[*f].iter().map(|&row| shared_star(&table.stars[row])).collect())
            .collect();
        let shared = share_zero_points(&stars, &params.robust);
        for (k, &f) in of_group.iter().enumerate() {
            let rows = &members[f];
            let listed: Vec<RegressionStar> =
                rows.iter().map(|&row| regression_star(&table.stars[row])).collect();
            let regression = regress(&listed, &params.regression);
            mark(table, rows, (&shared, k), (&regression, params));
            let count = |is_it: fn(StarUse) -> bool| {
                rows.iter().filter(|row| is_it(table.stars[**row].state)).count() as u64
            };
            let (n_in_range, n_used) =
                (count(|state| state != StarUse::OutOfRange), count(|s| s == StarUse::Used));
            let found = solution((&shared, k), &regression, params);
            solutions[f] = found.map(|found| PhotometricSolution { n_in_range, n_used, ..found });
        }
        notes.extend(told(&shared));
    }
    (solutions, notes)
}

fn shared_star(star: &TableStar) -> SharedStar {
    SharedStar {
        g_mag: star.g_mag,
        bp_rp_mag: star.bp_rp_mag,
        instrumental_mag: star.instrumental_mag,
        instrumental_err_mag: star.instrumental_err_mag,
        place: star.place,
        source_id: star.source_id,
    }
}

fn regression_star(star: &TableStar) -> RegressionStar {
    RegressionStar {
        instrumental_mag: star.instrumental_mag,
        instrumental_err_mag: star.instrumental_err_mag,
        g_mag: star.g_mag,
        // The catalogue's errors are thousandths of a magnitude and not kept.
        g_err_mag: 0.0,
    }
}

/// Notes what became of each star of a frame.
fn mark(
    table: &mut PhotometryTable,
    rows: &[usize],
    (shared, k): (&SharedZeroPoints, usize),
    (regression, params): (&Regression, &SharePhotometryParams),
) {
    let zero = shared.frames.get(k).and_then(Option::as_ref);
    for (n, &row) in rows.iter().enumerate() {
        let star = &mut table.stars[row];
        let state = |is_used: bool, is_in_range: bool| match (is_used, is_in_range) {
            (true, _) => StarUse::Used,
            (false, true) => StarUse::Clipped,
            (false, false) => StarUse::OutOfRange,
        };
        let limits = &params.regression;
        let is_in_range = star.g_mag > limits.min_mag
            && star.g_mag < limits.max_mag
            && star.instrumental_err_mag < limits.max_magerr_mag;
        let is_used = regression.is_used.get(n).copied().unwrap_or(false);
        star.regression_state = state(is_used, is_in_range);
        let limits = &params.robust;
        let is_in_range = star.g_mag > limits.min_mag
            && star.g_mag < limits.max_mag
            && star.instrumental_err_mag <= 1.0857 / limits.snr_min;
        let is_used = zero.is_some_and(|zero| zero.is_used.get(n).copied().unwrap_or(false));
        star.state = match params.method {
            PhotometryMethod::Robust => state(is_used, is_in_range),
            PhotometryMethod::Regression => star.regression_state,
        };
    }
}

/// A frame's scale; its stars are counted by the caller.
fn solution(
    (shared, k): (&SharedZeroPoints, usize),
    regression: &Regression,
    params: &SharePhotometryParams,
) -> Option<PhotometricSolution> {
    let zero = shared.frames.get(k)?.as_ref();
    let line = regression.line.map(|line| StoredLine {
        intercept_mag: line.intercept_mag,
        intercept_err_mag: line.intercept_err_mag,
        slope: line.slope,
        slope_err: line.slope_err,
        covariance_mag: line.covariance_mag,
        r2: line.r2,
        n_in_range: regression.n_in_range as u64,
        n_used: regression.n_used as u64,
    });
    let (method, zero_point_mag, zero_point_err_mag) = match (params.method, zero, &line) {
        (PhotometryMethod::Robust, Some(zero), _) => {
            (PhotometryMethod::Robust, zero.zero_point_mag, zero.zero_point_err_mag)
        }
        (PhotometryMethod::Regression, _, Some(line)) => {
            (PhotometryMethod::Regression, line.intercept_mag, line.intercept_err_mag)
        }
        _ => return None,
    };
    let colour_err_mag = OBJECT_COLOUR_SPREAD_MAG
        * shared.colour_term.abs().max(shared.colour_term_err.unwrap_or(0.0));
    Some(PhotometricSolution {
        method,
        zero_point_mag,
        zero_point_err_mag,
        line,
        n_in_range: 0,
        n_used: 0,
        scatter_mag: zero.map_or(0.0, |zero| zero.scatter_mag),
        floor_mag: shared.floor_mag,
        colour_term_err: shared.colour_term_err,
        colour_term: shared.colour_term,
        colour_err_mag,
        spatial_terms_mag: shared.spatial.map(|spatial| spatial.terms_mag),
    })
}

/// A group's terms in words.
fn told(shared: &SharedZeroPoints) -> Option<String> {
    let n_frames = shared.frames.iter().flatten().count();
    let scatters: Vec<f64> = shared.frames.iter().flatten().map(|f| f.scatter_mag).collect();
    let scatter = median(&scatters)?;
    let colour = match shared.colour_term_err {
        Some(err) => {
            format!("colour term {:+.4} +- {err:.4} mag per mag of BP-RP", shared.colour_term)
        }
        None => "no colour term: too few stars with BP-RP".to_owned(),
    };
    let flat = match &shared.spatial {
        Some(spatial) => format!("flat corrected by {:.3} mag rms", spatial.rms_mag()),
        None => "no significant error of the flat".to_owned(),
    };
    Some(format!(
        "zero points of {n_frames} frames: {colour}; {flat}; stars scatter by {scatter:.3} mag, \
         {:.3} mag beyond photon noise",
        shared.floor_mag
    ))
}

/// Gives a frame's record the night's scale.
///
/// The record is as the frame's own stages left it; this may be done again from the same record.
pub fn take(record: &mut FrameRecord, scale: FramePhotometry) {
    if let (Some(solution), Some(own)) = (&scale.solution, &record.photometry) {
        let per_adu = solution.zero_point_mag - 2.5 * scale.gain_e_per_adu.log10();
        // Total light of a source changes with the share, and so does its magnitude.
        let before = record.zero_point_mag.map(|zero| zero + 2.5 * own.share.log10());
        let at_limit = limit_shift(record, solution, &scale);
        if let (Some(before), Some(limiting)) = (before, &mut record.limiting_mag) {
            *limiting += at_limit.unwrap_or(per_adu + 2.5 * scale.share.log10() - before);
        }
        record.zero_point_mag = Some(per_adu);
        record.zero_point_err_mag =
            Some(solution.zero_point_err_mag.hypot(1.0857 * scale.share_err / scale.share));
        record.colour_term = solution.colour_term_err.map(|_| solution.colour_term);
    }
    record.photometry = Some(Box::new(scale));
}

/// Change of the limiting magnitude when the slope is free [mag].
fn limit_shift(
    record: &FrameRecord,
    solution: &PhotometricSolution,
    scale: &FramePhotometry,
) -> Option<f64> {
    if solution.method != PhotometryMethod::Regression {
        return None;
    }
    let (limiting, own) = (record.limiting_mag?, record.photometry.as_ref()?);
    let zero_e = record.zero_point_mag? + 2.5 * own.gain_e_per_adu.log10();
    let instrumental = limiting - zero_e - 2.5 * (own.share / scale.share).log10();
    Some(solution.mag(instrumental, (0.0, 0.0)) - limiting)
}

/// Gives the sources their magnitudes by the record's scale; may be done again.
///
/// * `shape`: of the frame, and whether it lies turned by 180 degrees.
pub fn apply(catalogue: &mut Catalogue, record: &FrameRecord, shape: (usize, usize, bool)) {
    let Some(scale) = record.photometry.as_deref() else { return };
    let (Some(solution), Some(limiting)) = (&scale.solution, record.limiting_mag) else { return };
    for i in 0..catalogue.sources.len() {
        let (flux_e, flux_err_e) = catalogue.sources.light_e(i);
        let place = detector_place(shape, (catalogue.sources.x_px[i], catalogue.sources.y_px[i]));
        let known = instrumental_mag(flux_e, scale.share, record.exposure_s);
        let err = mag_error(flux_e, flux_err_e);
        catalogue.mag[i] = known.map_or(f64::NAN, |mag| solution.mag(mag, place));
        catalogue.mag_err[i] = known.map_or(f64::NAN, |mag| solution.mag_err(mag, err));
        // A signal-to-noise ratio of 5 is the limiting magnitude.
        let snr = catalogue.sources.snr[i].max(0.1);
        catalogue.filter_mag[i] = limiting - 2.5 * (snr / 5.0).log10();
    }
}

#[cfg(test)]
mod tests;
