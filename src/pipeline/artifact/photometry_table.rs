//! What each catalogue star gave in each frame of a night: all that a zero point needs.
//!
//! A table beside the night's page. From it the zero points are computed again with other limits
//! (`refit`) without pixels or catalogue, and the fits are plotted.

use crate::formats::fits::{Column, ColumnData, Header};

/// What became of a star in its frame's zero point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StarUse {
    /// Outside the limits of magnitude or error.
    #[default]
    OutOfRange,
    /// Clipped.
    Clipped,
    /// Kept.
    Used,
}

/// A frame of the table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TableFrame {
    /// The file's name.
    pub name: String,
    /// Frames of the same number share colour term and flat: one camera, one filter.
    pub group: usize,
}

/// Where the catalogue has a star at a frame's time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CataloguePlace {
    /// Right ascension, ICRS [deg].
    pub ra_deg: f64,
    /// Declination, ICRS [deg].
    pub dec_deg: f64,
    /// Error per axis, that of its motion since the catalogue's epoch included [mas].
    pub err_mas: f64,
}

/// A catalogue star measured in a frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TableStar {
    /// Index of its frame.
    pub frame: usize,
    /// Identifier in the star catalogue.
    pub source_id: i64,
    /// Where the catalogue has it; `None` in tables of older programs.
    pub catalogue: Option<CataloguePlace>,
    /// Column in the frame [px, 0-based].
    pub x_px: f64,
    /// Row in the frame [px, 0-based].
    pub y_px: f64,
    /// Place on the detector from its middle, -1..1 over each side.
    pub place: (f64, f64),
    /// Instrumental magnitude, -2.5 log10(all its light in electrons per second) [mag].
    pub instrumental_mag: f64,
    /// Its error [mag].
    pub instrumental_err_mag: f64,
    /// Gaia G [mag].
    pub g_mag: f64,
    /// Gaia BP-RP [mag].
    pub bp_rp_mag: Option<f64>,
    /// What became of it in the zero point of the configured method.
    pub state: StarUse,
    /// What became of it in the regression.
    pub regression_state: StarUse,
}

/// The stars of a night.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PhotometryTable {
    /// Its frames.
    pub frames: Vec<TableFrame>,
    /// Their stars, frame by frame.
    pub stars: Vec<TableStar>,
}

const STATES: [StarUse; 3] = [StarUse::OutOfRange, StarUse::Clipped, StarUse::Used];

fn number(state: StarUse) -> i32 {
    STATES.iter().position(|s| *s == state).unwrap_or(0) as i32
}

fn state(number: i32) -> StarUse {
    usize::try_from(number).ok().and_then(|n| STATES.get(n).copied()).unwrap_or_default()
}

impl PhotometryTable {
    /// The table's columns, and a header with the frames' names and groups.
    pub fn to_table(&self) -> (Vec<Column>, Header) {
        let mut header = Header::new();
        header.set("NFRAMES", self.frames.len() as i64, "frames with a zero point");
        for (index, frame) in self.frames.iter().enumerate() {
            header.set(&format!("FRM{:05}", index % 100_000), frame.name.as_str(), "");
            header.set(
                &format!("GRP{:05}", index % 100_000),
                frame.group as i64,
                "camera and filter",
            );
        }
        let column = |name: &str, unit: &str, data: ColumnData| Column {
            name: name.to_owned(),
            unit: unit.to_owned(),
            data,
        };
        let exact =
            |of: fn(&TableStar) -> f64| ColumnData::F64(self.stars.iter().map(of).collect());
        let whole =
            |of: &dyn Fn(&TableStar) -> i32| ColumnData::I32(self.stars.iter().map(of).collect());
        let columns = vec![
            column("FRAME", "", whole(&|s| s.frame as i32)),
            column(
                "SOURCE_ID",
                "",
                ColumnData::I64(self.stars.iter().map(|s| s.source_id).collect()),
            ),
            column("X_IMAGE", "pixel", exact(|s| s.x_px + 1.0)),
            column("Y_IMAGE", "pixel", exact(|s| s.y_px + 1.0)),
            column("U", "", exact(|s| s.place.0)),
            column("V", "", exact(|s| s.place.1)),
            column("MAG_INST", "mag", exact(|s| s.instrumental_mag)),
            column("MAGERR_INST", "mag", exact(|s| s.instrumental_err_mag)),
            column("G", "mag", exact(|s| s.g_mag)),
            column("BP_RP", "mag", exact(|s| s.bp_rp_mag.unwrap_or(f64::NAN))),
            column("RA", "deg", exact(|s| s.catalogue.map_or(f64::NAN, |at| at.ra_deg))),
            column("DEC", "deg", exact(|s| s.catalogue.map_or(f64::NAN, |at| at.dec_deg))),
            column("POSERR", "mas", exact(|s| s.catalogue.map_or(f64::NAN, |at| at.err_mas))),
            column("STATE", "", whole(&|s| number(s.state))),
            column("STATE_REGRESSION", "", whole(&|s| number(s.regression_state))),
        ];
        (columns, header)
    }

    /// Reads the table back; `None` when it is not one.
    pub fn from_table(header: &Header, columns: &[Column]) -> Option<Self> {
        let n = usize::try_from(header.integer("NFRAMES")?).ok()?;
        let frame = |i: usize| {
            let group = header.integer(&format!("GRP{i:05}"))?;
            let name = header.text(&format!("FRM{i:05}"))?.to_owned();
            Some(TableFrame { name, group: usize::try_from(group).ok()? })
        };
        let frames = (0..n.min(100_000)).map(frame).collect::<Option<Vec<_>>>()?;
        let data = |name: &str| columns.iter().find(|c| c.name == name).map(|c| &c.data);
        let real = |name: &str| match data(name)? {
            ColumnData::F64(values) => Some(values),
            _ => None,
        };
        let whole = |name: &str| match data(name)? {
            ColumnData::I32(values) => Some(values),
            _ => None,
        };
        let ColumnData::I64(ids) = data("SOURCE_ID")? else { return None };
        let (of_frame, x, y) = (whole("FRAME")?, real("X_IMAGE")?, real("Y_IMAGE")?);
        let (u, v, g, colour) = (real("U")?, real("V")?, real("G")?, real("BP_RP")?);
        let (mag, err) = (real("MAG_INST")?, real("MAGERR_INST")?);
        let (used, regression) = (whole("STATE")?, whole("STATE_REGRESSION")?);
        let sky = real("RA").zip(real("DEC")).zip(real("POSERR"));
        let star = |i: usize| {
            let catalogue = sky.and_then(|((ra, dec), err)| {
                let (ra_deg, dec_deg) = (*ra.get(i)?, *dec.get(i)?);
                let place = CataloguePlace { ra_deg, dec_deg, err_mas: *err.get(i)? };
                (ra_deg.is_finite() && dec_deg.is_finite()).then_some(place)
            });
            Some(TableStar {
                frame: usize::try_from(*of_frame.get(i)?).ok().filter(|f| *f < frames.len())?,
                source_id: *ids.get(i)?,
                catalogue,
                x_px: x.get(i)? - 1.0,
                y_px: y.get(i)? - 1.0,
                place: (*u.get(i)?, *v.get(i)?),
                instrumental_mag: *mag.get(i)?,
                instrumental_err_mag: *err.get(i)?,
                g_mag: *g.get(i)?,
                bp_rp_mag: Some(*colour.get(i)?).filter(|c| c.is_finite()),
                state: state(*used.get(i)?),
                regression_state: state(*regression.get(i)?),
            })
        };
        let stars = (0..of_frame.len()).map(star).collect::<Option<Vec<_>>>()?;
        Some(Self { frames, stars })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_back_the_same() {
        let star = TableStar {
            frame: 1,
            source_id: 3_800_908_080_898_659_128,
            catalogue: Some(CataloguePlace { ra_deg: 150.25, dec_deg: -2.5, err_mas: 0.25 }),
            x_px: 12.5,
            y_px: 30.25,
            place: (-0.5, 0.125),
            instrumental_mag: -7.125,
            instrumental_err_mag: 0.015_625,
            g_mag: 15.5,
            bp_rp_mag: Some(0.75),
            state: StarUse::Used,
            regression_state: StarUse::Clipped,
        };
        let table = PhotometryTable {
            frames: vec![
                TableFrame { name: "a.fits".to_owned(), group: 0 },
                TableFrame { name: "b.fits.fz".to_owned(), group: 1 },
            ],
            stars: vec![star.clone(), TableStar { bp_rp_mag: None, catalogue: None, ..star }],
        };
        let (mut columns, header) = table.to_table();
        assert_eq!(PhotometryTable::from_table(&header, &columns), Some(table.clone()));
        // As programs wrote it that did not keep places.
        columns.retain(|column| !["RA", "DEC", "POSERR"].contains(&column.name.as_str()));
        let old = PhotometryTable::from_table(&header, &columns).expect("still read");
        assert_eq!((old.stars.len(), old.stars[0].catalogue), (2, None));
        assert_eq!(PhotometryTable::from_table(&Header::new(), &columns), None);
    }
}
