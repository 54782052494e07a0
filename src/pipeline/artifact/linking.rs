//! What linking saw: every source of the night's fields and what it was taken for.
//!
//! A table beside the night's page. With it one can tell long afterwards at which step an object
//! was lost ([`crate::pipeline::trace`]), without pixels or catalogue.

use crate::formats::fits::{Column, ColumnData, Header};
use crate::science::movers::field::Role;

/// A source as linking saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenSource {
    /// Index of its frame in [`Linking::frames`].
    pub frame: usize,
    /// Right ascension [deg].
    pub ra_deg: f64,
    /// Declination [deg].
    pub dec_deg: f64,
    /// Error per axis [arcsec].
    pub sigma_arcsec: f64,
    /// Magnitude [mag].
    pub mag: f64,
    /// Signal-to-noise ratio.
    pub snr: f64,
    /// What it was taken for.
    pub role: Role,
    /// The candidate it belongs to.
    pub candidate: Option<String>,
}

/// The sources of a night.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Linking {
    /// Names of the frames.
    pub frames: Vec<String>,
    /// Their sources.
    pub sources: Vec<SeenSource>,
}

/// Roles by their number in the table.
const ROLES: [Role; 7] = [
    Role::Free,
    Role::Star,
    Role::Static,
    Role::HotPixel,
    Role::Trail,
    Role::Unfit,
    Role::Recovered,
];

/// A role in words.
pub fn role_words(role: Role) -> &'static str {
    match role {
        Role::Free => "free",
        Role::Star => "a star of the catalogue",
        Role::Static => "seen at the same place at other times",
        Role::HotPixel => "on the same pixel while the sky moved",
        Role::Trail => "on a satellite's trail",
        Role::Unfit => "too sharp, saturated, trailed or cut by the edge",
        Role::Recovered => "not detected, measured where its motion leads",
    }
}

fn column(name: &str, unit: &str, data: ColumnData) -> Column {
    Column { name: name.to_owned(), unit: unit.to_owned(), data }
}

fn frame_key(index: usize) -> String {
    format!("FRM{:05}", index % 100_000)
}

impl Linking {
    /// The table's columns, and a header with the frames' names.
    pub fn to_table(&self) -> (Vec<Column>, Header) {
        let mut header = Header::new();
        header.set("NFRAMES", self.frames.len() as i64, "frames that were linked");
        for (index, name) in self.frames.iter().enumerate() {
            header.set(&frame_key(index), name.as_str(), "");
        }
        let real = |of: fn(&SeenSource) -> f64| {
            ColumnData::F32(self.sources.iter().map(|s| of(s) as f32).collect())
        };
        let exact =
            |of: fn(&SeenSource) -> f64| ColumnData::F64(self.sources.iter().map(of).collect());
        let role = |s: &SeenSource| ROLES.iter().position(|r| *r == s.role).unwrap_or(0) as i32;
        let candidate = |s: &SeenSource| s.candidate.clone().unwrap_or_default();
        let columns = vec![
            column(
                "FRAME",
                "",
                ColumnData::I32(self.sources.iter().map(|s| s.frame as i32).collect()),
            ),
            column("RA", "deg", exact(|s| s.ra_deg)),
            column("DEC", "deg", exact(|s| s.dec_deg)),
            column("SIGMA", "arcsec", real(|s| s.sigma_arcsec)),
            column("MAG", "mag", real(|s| s.mag)),
            column("SNR", "", real(|s| s.snr)),
            column("ROLE", "", ColumnData::I32(self.sources.iter().map(role).collect())),
            column("OBJECT", "", ColumnData::Text(self.sources.iter().map(candidate).collect())),
        ];
        (columns, header)
    }

    /// Reads the table back; `None` when it is not one.
    pub fn from_table(header: &Header, columns: &[Column]) -> Option<Self> {
        let n = usize::try_from(header.integer("NFRAMES")?).ok()?;
        let frames: Option<Vec<String>> =
            (0..n.min(100_000)).map(|i| header.text(&frame_key(i)).map(str::to_owned)).collect();
        let data = |name: &str| columns.iter().find(|c| c.name == name).map(|c| &c.data);
        let real = |name: &str| match data(name)? {
            ColumnData::F64(values) => Some(values.clone()),
            ColumnData::F32(values) => Some(values.iter().map(|v| f64::from(*v)).collect()),
            _ => None,
        };
        let whole = |name: &str| match data(name)? {
            ColumnData::I32(values) => Some(values.clone()),
            _ => None,
        };
        let (frame, role) = (whole("FRAME")?, whole("ROLE")?);
        let (ra, dec, sigma) = (real("RA")?, real("DEC")?, real("SIGMA")?);
        let (mag, snr) = (real("MAG")?, real("SNR")?);
        let ColumnData::Text(object) = data("OBJECT")? else { return None };
        let source = |i: usize| {
            Some(SeenSource {
                frame: usize::try_from(*frame.get(i)?).ok().filter(|k| *k < n)?,
                ra_deg: *ra.get(i)?,
                dec_deg: *dec.get(i)?,
                sigma_arcsec: *sigma.get(i)?,
                mag: *mag.get(i)?,
                snr: *snr.get(i)?,
                role: *ROLES.get(usize::try_from(*role.get(i)?).ok()?)?,
                candidate: object.get(i).map(|o| o.trim().to_owned()).filter(|o| !o.is_empty()),
            })
        };
        let sources = (0..frame.len()).map(source).collect::<Option<Vec<_>>>()?;
        Some(Self { frames: frames?, sources })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_back_the_same() {
        let source = |frame, role, candidate: Option<&str>| SeenSource {
            frame,
            ra_deg: 12.5,
            dec_deg: -3.25,
            sigma_arcsec: 0.25,
            mag: 18.5,
            snr: 12.0,
            role,
            candidate: candidate.map(str::to_owned),
        };
        let linking = Linking {
            frames: vec!["a.fits".to_owned(), "b.fits.fz".to_owned()],
            sources: vec![source(0, Role::Free, Some("ABC")), source(1, Role::Trail, None)],
        };
        let (columns, header) = linking.to_table();
        assert_eq!(Linking::from_table(&header, &columns), Some(linking));
        assert_eq!(Linking::from_table(&Header::new(), &columns), None);
    }
}
