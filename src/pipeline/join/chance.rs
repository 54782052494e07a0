//! How many unrelated candidates would be joined as well.
//!
//! A candidate's place and rate in another night are a point of four dimensions; the orbits that an
//! earlier night allows are a sheet of two. Measured in the errors of both nights, what fits as
//! well as a distance d from the sheet fills the volume of a tube about it (Weyl 1939, Am. J. Math.
//! 61, 461, flat sheet of area A and border L):
//!
//!   V = pi d^2 A + (2 pi / 3) d^3 L + (pi^2 / 2) d^4,
//!
//! and the number of unrelated candidates in it is the integral of their density per area and per
//! range of rates. Only the part of the sheet that the other night looked at counts. The density of
//! rates comes from the third nearest of all unnamed candidates (Loftsgaarden & Quesenberry 1965,
//! Ann. Math. Stat. 36, 1049), with a floor of one candidate spread over all slow rates, for a
//! night with a single candidate is not without others by law.

use super::pairs::{Track, Whitening};
use super::{Field, Sky};
use crate::science::orbit::vaisala::Region;
use crate::science::sky::vector::separation_rad;
use crate::science::units::ARCSEC_RAD;

/// Arcseconds an hour [rad/d].
const ARCSEC_PER_H: f64 = 24.0 * ARCSEC_RAD;
/// Rates over which the one extra candidate is spread [rad/d].
const RATE_WIDE_RAD_PER_D: f64 = 60.0 * ARCSEC_PER_H;
/// Rates are not told apart more finely than this [rad/d].
const RATE_FINE_RAD_PER_D: f64 = 4.0 * ARCSEC_PER_H;
/// The neighbour whose distance gives the density.
const NEIGHBOUR: usize = 3;
/// What fits better than this is not better [errors^2]: what an orbit leaves of four values by two.
const EXCESS_MIN: f64 = 4.0;
/// Smallest area a night is taken to have looked at [sr]: a field of 5 arcmin.
const AREA_MIN_SR: f64 = 300.0 * ARCSEC_RAD * 300.0 * ARCSEC_RAD;

/// The unnamed candidates of all nights, as a crowd in which one may go wrong.
pub(super) struct Crowd<'a> {
    /// Place of the candidate and its rate [rad/d].
    rates: Vec<((usize, usize), [f64; 2])>,
    /// Of each night: its fields, each once, and their area [sr].
    fields: Vec<(Vec<&'a Field>, f64)>,
    /// Number of candidates of each night.
    n: Vec<usize>,
}

impl<'a> Crowd<'a> {
    pub(super) fn new(tracks: &[Track<'_>], sky: &Sky<'a>) -> Self {
        let rates = tracks.iter().map(|t| (t.place, t.motion.rate_rad_per_d)).collect();
        let fields = sky.nights.iter().map(|night| {
            let mut each: Vec<&Field> = Vec::new();
            for field in &night.fields {
                let is_same = |f: &&Field| {
                    separation_rad(f.centre_rad, field.centre_rad) < 0.5 * f.radius_rad
                };
                if !each.iter().any(is_same) {
                    each.push(field);
                }
            }
            let area = each.iter().map(|f| f.area_sr).sum::<f64>().max(AREA_MIN_SR);
            (each, area)
        });
        let fields = fields.collect();
        Self { rates, fields, n: sky.nights.iter().map(|night| night.unnamed.len()).collect() }
    }

    /// Expected number of unrelated candidates of b's night that fit a as well as b does.
    ///
    /// * `excess`: chi-square of the orbit through both above that of each by itself.
    pub(super) fn chance(
        &self,
        (a, b): (&Track<'_>, &Track<'_>),
        region: &Region,
        excess: f64,
    ) -> f64 {
        let whitening = Whitening::new(&a.motion, &b.motion);
        let d = excess.max(EXCESS_MIN).sqrt();
        let others = [a.place, b.place];
        let mut expected = 0.0;
        let mut border = 0.0;
        for mesh in region.meshes() {
            let middle: [f64; 4] =
                std::array::from_fn(|k| mesh.iter().map(|f| f.values[k]).sum::<f64>() / 4.0);
            let place = region.off_plane([middle[0], middle[1]]);
            if !self.looked_at(b.place.0, place) {
                continue;
            }
            let side = |from: usize, to: usize| {
                whitening.of(std::array::from_fn(|k| mesh[to].values[k] - mesh[from].values[k]))
            };
            let (along, across) = (side(0, 1), side(0, 2));
            let density = self.density(b.place.0, [middle[2], middle[3]], others);
            let area = area(along, across);
            expected += std::f64::consts::PI * d * d * area * density;
            // Each mesh as if the border ran along it: too much rather than too little.
            border = f64::max(border, length(across) * density);
            expected +=
                2.0 * std::f64::consts::PI / 3.0 * d.powi(3) * 2.0 * length(along) * density
                    / region.n_velocities() as f64;
        }
        let here = self.density(b.place.0, b.motion.rate_rad_per_d, others);
        expected += 2.0 * std::f64::consts::PI / 3.0 * d.powi(3) * border;
        expected += std::f64::consts::PI.powi(2) / 2.0 * d.powi(4) * here;
        expected * whitening.volume()
    }

    /// Whether a night looked at a place (RA, Dec) [rad].
    fn looked_at(&self, night: usize, place: (f64, f64)) -> bool {
        let (fields, _) = &self.fields[night];
        // A night that does not say where it looked may have looked anywhere.
        fields.is_empty()
            || fields.iter().any(|f| separation_rad(f.centre_rad, place) <= 1.1 * f.radius_rad)
    }

    /// Density of unnamed candidates but for two [1/(sr rad^2/d^2)].
    fn density(&self, night: usize, rate: [f64; 2], but: [(usize, usize); 2]) -> f64 {
        let mut distances: Vec<f64> = self
            .rates
            .iter()
            .filter(|(place, _)| !but.contains(place))
            .map(|(_, r)| (r[0] - rate[0]).hypot(r[1] - rate[1]))
            .collect();
        distances.sort_by(f64::total_cmp);
        let n_others = self.n[night].saturating_sub(1) as f64;
        let k = NEIGHBOUR.min(distances.len());
        let near = match k.checked_sub(1) {
            Some(last) => {
                let radius = distances[last].max(RATE_FINE_RAD_PER_D);
                k as f64 / distances.len() as f64 / (std::f64::consts::PI * radius * radius)
            }
            None => 0.0,
        };
        let wide = 1.0 / (std::f64::consts::PI * RATE_WIDE_RAD_PER_D * RATE_WIDE_RAD_PER_D);
        (n_others * near + wide) / self.fields[night].1
    }
}

fn length(v: [f64; 4]) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Area of the parallelogram of two vectors.
fn area(a: [f64; 4], b: [f64; 4]) -> f64 {
    let product: f64 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
    (length(a).powi(2) * length(b).powi(2) - product * product).max(0.0).sqrt()
}
