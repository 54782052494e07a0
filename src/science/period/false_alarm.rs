//! What a power means: normalisations as in GLS, and the chance that noise reaches it.
//!
//! Formulas of seeds.md 4.3, which are table 1 of Zechmeister & Kuerster 2009. A search over
//! several sessions spends a degree of freedom on each zero point: N - 3 becomes N - 2 - sessions.

use std::f64::consts::PI;

use super::{Grid, Series};

/// How a power is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normalisation {
    /// Share of the variance that is explained, 0..1 (ZK, standard).
    Standard,
    /// (N-1)/2 p (Horne & Baliunas 1986).
    HorneBaliunas,
    /// (N-3)/2 p/(1-pmax) (Cumming et al. 1999).
    Cumming,
    /// chi2_0 p / 2: like a power spectrum in units of the errors.
    Psd,
    /// -ln(1-p).
    Log,
    /// Weighted rms of the residuals [mag].
    Wrms,
    /// chi2 of the residuals.
    ChiSquare,
}

/// What the normalisations and chances of a search need to know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// Points less free parameters of the sine and the zero points: N - 2 - sessions.
    freedom: f64,
    /// N - sessions: freedom of the zero points alone.
    freedom_null: f64,
    /// chi2 about the sessions' means.
    chi2_null: f64,
    /// Sum of the weights [1/mag^2].
    weight: f64,
    /// Highest power.
    power_max_share: f64,
    /// Independent frequencies: (end - start) x span.
    trials: f64,
    /// Baluev's width: (end - start) x sqrt(4 pi var(t)).
    bandwidth: f64,
}

impl Search {
    /// Of a series, a grid and the highest power found.
    pub fn new(series: &Series, grid: Grid, power_max: f64) -> Self {
        let weights = series.weights();
        let weight: f64 = weights.iter().sum();
        let moment = |k: i32| -> f64 {
            series.times_h().iter().zip(&weights).map(|(t, w)| w * t.powi(k)).sum::<f64>() / weight
        };
        let variance = moment(2) - moment(1).powi(2);
        let range = grid.end_per_h - grid.start_per_h;
        let chi2 = series.centred(&weights).iter().zip(&weights).map(|(y, w)| w * y * y).sum();
        let freedom_null = series.len() as f64 - series.n_sessions() as f64;
        Self {
            freedom: freedom_null - 2.0,
            freedom_null,
            chi2_null: chi2,
            weight,
            power_max_share: power_max,
            trials: (range * series.span_h()).max(1.0),
            bandwidth: range * (4.0 * PI * variance).sqrt(),
        }
    }

    /// Independent frequencies.
    pub fn trials(&self) -> f64 {
        self.trials
    }

    /// Writes a power, given as a share of the variance, in a normalisation.
    pub fn written(&self, power: f64, normalisation: Normalisation) -> f64 {
        let p = power;
        match normalisation {
            Normalisation::Standard => p,
            Normalisation::HorneBaliunas => 0.5 * self.freedom_null * p,
            Normalisation::Cumming => 0.5 * self.freedom * p / (1.0 - self.power_max_share),
            Normalisation::Psd => 0.5 * self.chi2_null * p,
            Normalisation::Log => -(1.0 - p).ln(),
            Normalisation::Wrms => (self.chi2_null * (1.0 - p) / self.weight).sqrt(),
            Normalisation::ChiSquare => self.chi2_null * (1.0 - p),
        }
    }

    /// Reads a power written in a normalisation: the share of the variance.
    pub fn read(&self, written: f64, normalisation: Normalisation) -> f64 {
        let p = written;
        match normalisation {
            Normalisation::Standard => p,
            Normalisation::HorneBaliunas => 2.0 * p / self.freedom_null,
            Normalisation::Cumming => 2.0 * p * (1.0 - self.power_max_share) / self.freedom,
            Normalisation::Psd => 2.0 * p / self.chi2_null,
            Normalisation::Log => 1.0 - (-p).exp(),
            Normalisation::Wrms => 1.0 - p * p * self.weight / self.chi2_null,
            Normalisation::ChiSquare => 1.0 - p / self.chi2_null,
        }
    }

    /// The chance that white noise reaches a share of the variance at one frequency.
    pub fn chance_single(&self, power: f64) -> f64 {
        if self.freedom <= 0.0 {
            return 1.0;
        }
        (1.0 - power).clamp(0.0, 1.0).powf(0.5 * self.freedom)
    }

    /// The chance that white noise reaches it anywhere on the grid: M independent frequencies.
    pub fn chance(&self, power: f64) -> f64 {
        let single = self.chance_single(power);
        // As GLS: the product while it is small, where 1 - (1-q)^M loses its digits.
        if self.trials * single <= 0.01 {
            return self.trials * single;
        }
        1.0 - (1.0 - single).powf(self.trials)
    }

    /// The power that white noise reaches with a chance.
    pub fn level(&self, chance: f64) -> f64 {
        let single = 1.0 - (1.0 - chance).powf(1.0 / self.trials);
        if self.freedom <= 0.0 { 1.0 } else { 1.0 - single.powf(2.0 / self.freedom) }
    }

    /// The upper bound of the chance by extreme values (Baluev 2008, MNRAS 385, 1279, eq. 5-6):
    /// needs no count of independent frequencies.
    pub fn chance_bound(&self, power: f64) -> f64 {
        let n = self.freedom + 2.0;
        if self.freedom <= 1.0 {
            return 1.0;
        }
        // gamma = sqrt(2/n) Gamma(n/2) / Gamma((n-1)/2), here by its series for large n.
        let gamma = 1.0 - 0.75 / n;
        let rest = (1.0 - power).clamp(0.0, 1.0);
        let tau = gamma
            * self.bandwidth
            * rest.powf(0.5 * (self.freedom - 1.0))
            * (0.5 * n * power.max(0.0)).sqrt();
        let single = self.chance_single(power);
        if single + tau < 1e-6 {
            return single + tau;
        }
        1.0 - (1.0 - single) * (-tau).exp()
    }
}
