//! The numbers of an analysis with their units, as JSON has them.

use serde::Serialize;

use crate::science::period::{Analysis, Relation};

/// Hours of a day.
const DAY_H: f64 = 24.0;

/// The outcome of a search for a rotation period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PeriodFacts {
    /// The object.
    pub object: String,
    /// Points used.
    pub n_points: usize,
    /// Points left out as outliers.
    pub n_outliers: usize,
    /// Sessions, each with a zero point of its own.
    pub n_sessions: usize,
    /// From the first to the last point [h].
    pub span_h: f64,
    /// Whether the period may be told as the object's.
    pub is_published: bool,
    /// What speaks against it.
    pub doubts: Vec<String>,
    /// Rotation period of the first choice [h].
    pub period_h: Option<f64>,
    /// Its error [h].
    pub period_err_h: Option<f64>,
    /// From the brightest to the faintest place of the curve [mag].
    pub range_mag: Option<f64>,
    /// Its error [mag].
    pub range_err_mag: Option<f64>,
    /// A time of greatest brightness, at the object where light time is known [d, MJD UTC].
    pub brightest_mjd_utc: Option<f64>,
    /// Its error [d].
    pub brightest_err_d: Option<f64>,
    /// Order of the Fourier series.
    pub order: Option<usize>,
    /// Cosine and sine of each order [mag], phases from `epoch_mjd_utc`.
    pub coefficients_mag: Vec<(f64, f64)>,
    /// Where phases are zero [d, MJD UTC].
    pub epoch_mjd_utc: f64,
    /// Over how many points residuals last; errors are wider by its root.
    pub residuals_last_count: f64,
    /// Chance that noise made the highest peak, by theory.
    pub chance_theory: f64,
    /// The same by bootstrap.
    pub chance_bootstrap: Option<f64>,
    /// The first choice and others.
    pub rivals: Vec<RivalFacts>,
    /// Best sine of the points and of what the sine before left.
    pub sines: Vec<SineFacts>,
}

/// A period beside others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RivalFacts {
    /// Period [h].
    pub period_h: f64,
    /// How it lies to the first choice.
    pub relation: String,
    /// Its probability as a share of the first choice's.
    pub odds_to_first: f64,
    /// Order of its series.
    pub order: usize,
    /// Range of its curve [mag].
    pub range_mag: f64,
    /// BIC relative to no period.
    pub bic_score: f64,
}

/// The best sine of an iteration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SineFacts {
    /// Period [h]; of a curve with two maxima about half the rotation's.
    pub period_h: f64,
    /// Its error [h]; none at the edge of the frequencies.
    pub period_err_h: Option<f64>,
    /// Half the range [mag].
    pub amplitude_mag: f64,
    /// Its error [mag].
    pub amplitude_err_mag: f64,
    /// Phase at the first point [cycles].
    pub phase_share: f64,
    /// Its error [cycles].
    pub phase_err_share: f64,
    /// Power as a share of the variance.
    pub power_share: f64,
    /// Chance that white noise makes it.
    pub chance: f64,
    /// Weighted rms of what is left [mag].
    pub rms_mag: f64,
}

/// Puts an analysis into numbers.
///
/// Times of the analysis are MJD UTC x 24.
pub fn facts(object: &str, analysis: &Analysis) -> PeriodFacts {
    let found = &analysis.found;
    let curve = analysis.first().map(|first| &first.curve);
    let range = curve.map(|c| c.range_mag());
    let brightest = curve.map(|c| c.brightest_h());
    let rivals = analysis.rivals.iter().map(|rival| RivalFacts {
        period_h: rival.candidate.curve.frequency_per_h.recip(),
        relation: match rival.relation {
            Relation::First if rival.odds < 1.0 => "neighbour".to_owned(),
            relation => relation.to_string(),
        },
        odds_to_first: rival.odds,
        order: rival.candidate.curve.order,
        range_mag: rival.candidate.curve.range_mag().0,
        bic_score: rival.candidate.bic_score,
    });
    let sines = analysis.sines.iter().map(|sine| SineFacts {
        period_h: sine.period_h(),
        period_err_h: sine.period_err_h(),
        amplitude_mag: sine.amplitude_mag,
        amplitude_err_mag: sine.amplitude_err_mag,
        phase_share: sine.phase_share,
        phase_err_share: sine.phase_err_share,
        power_share: sine.power_share,
        chance: sine.chance,
        rms_mag: sine.rms_mag,
    });
    PeriodFacts {
        object: object.to_owned(),
        n_points: found.series.len(),
        n_outliers: found.outliers.len(),
        n_sessions: found.series.n_sessions(),
        span_h: found.series.span_h(),
        is_published: analysis.is_published(),
        doubts: analysis.doubts.iter().map(ToString::to_string).collect(),
        period_h: curve.map(|c| c.frequency_per_h.recip()),
        period_err_h: analysis.period_err_h(),
        range_mag: range.map(|r| r.0),
        range_err_mag: range.map(|r| r.1),
        brightest_mjd_utc: brightest.map(|b| (found.series.middle_h() + b.0) / DAY_H),
        brightest_err_d: brightest.map(|b| b.1 / DAY_H),
        order: curve.map(|c| c.order),
        coefficients_mag: curve.map(|c| c.coefficients_mag.clone()).unwrap_or_default(),
        epoch_mjd_utc: found.series.middle_h() / DAY_H,
        residuals_last_count: found.lasting_count,
        chance_theory: analysis.chance_theory,
        chance_bootstrap: analysis.chance_bootstrap,
        rivals: rivals.collect(),
        sines: sines.collect(),
    }
}
