//! The queries, in ADQL 2.0.

use super::ServiceKind;
use crate::science::reference::Release;
use crate::science::reference::tile::Cell;

/// Columns of the archive's table.
const GAIA_COLUMNS: &str = "source_id, ra, dec, ra_error, dec_error, ref_epoch, parallax, \
                            parallax_error, pmra, pmdec, pmra_error, pmdec_error, \
                            phot_g_mean_mag, phot_bp_mean_mag, phot_rp_mean_mag";
/// The same columns as VizieR names them; all places are of the release's epoch.
const VIZIER_COLUMNS: &str = "Source, RA_ICRS, DE_ICRS, e_RA_ICRS, e_DE_ICRS, Plx, e_Plx, pmRA, \
                              pmDE, e_pmRA, e_pmDE, Gmag, BPmag, RPmag";

/// Which stars are meant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wanted {
    pub(super) kind: ServiceKind,
    pub(super) release: Release,
    pub(super) cell: Cell,
    pub(super) g_max_mag: f64,
}

impl Wanted {
    /// How many stars there are.
    pub(super) fn count(&self) -> String {
        format!("SELECT COUNT(*) AS n {}", self.rest())
    }

    /// The stars.
    pub(super) fn stars(&self) -> String {
        let columns = match self.kind {
            ServiceKind::Gaia => GAIA_COLUMNS,
            ServiceKind::Vizier => VIZIER_COLUMNS,
        };
        format!("SELECT {columns} {}", self.rest())
    }

    /// Table and condition: a range of identifiers is a cell of the sky.
    fn rest(&self) -> String {
        let (table, id, g) = match (self.kind, self.release) {
            (ServiceKind::Gaia, Release::GaiaDr3) => {
                ("gaiadr3.gaia_source", "source_id", "phot_g_mean_mag")
            }
            (ServiceKind::Gaia, Release::GaiaDr2) => {
                ("gaiadr2.gaia_source", "source_id", "phot_g_mean_mag")
            }
            (ServiceKind::Vizier, Release::GaiaDr3) => ("\"I/355/gaiadr3\"", "Source", "Gmag"),
            (ServiceKind::Vizier, Release::GaiaDr2) => ("\"I/345/gaia2\"", "Source", "Gmag"),
        };
        let (first, last) = self.cell.source_ids();
        let limit = self.g_max_mag;
        format!("FROM {table} WHERE {id} BETWEEN {first} AND {last} AND {g} <= {limit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_is_a_range_of_identifiers() {
        let cell = Cell { depth: 6, number: 3 };
        let wanted =
            Wanted { kind: ServiceKind::Gaia, release: Release::GaiaDr3, cell, g_max_mag: 18.5 };
        // 2^35 identifiers per cell of depth 12, 4^6 of them in a tile: 2^47 each.
        assert_eq!(
            wanted.count(),
            "SELECT COUNT(*) AS n FROM gaiadr3.gaia_source WHERE source_id BETWEEN \
             422212465065984 AND 562949953421311 AND phot_g_mean_mag <= 18.5"
        );
        let vizier = Wanted { kind: ServiceKind::Vizier, release: Release::GaiaDr2, ..wanted };
        let text = vizier.stars();
        assert!(text.starts_with("SELECT Source, RA_ICRS, "), "{text}");
        assert!(text.ends_with(
            "RPmag FROM \"I/345/gaia2\" WHERE Source BETWEEN 422212465065984 AND 562949953421311 \
             AND Gmag <= 18.5"
        ));
    }
}
