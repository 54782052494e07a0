//! The cone search of SkyBoT (IMCCE): what is asked, and what comes back.
//!
//! Source: the service's description and the recorded answers in ../shared/data/services
//! (../shared/spec/seeds.md 5.1). The observatory code goes into `-observer`: in `-loc`, where it
//! once belonged, it is taken for coordinates without a word and places come back as from the
//! Earth's centre. A VOTable is asked for, since its end can be told; errors come as text whatever
//! was asked for, with status 200. An empty answer says that there is no object.

mod text;

use super::service_table::{ServiceTableError, TextTable, said};
use crate::science::movers::known::{KnownPlace, UNTOLD_ERR_ARCSEC};

/// Objects of one answer that are taken.
const OBJECTS_MAX: usize = 100_000;
/// Days between the zero points of JD and MJD.
const JD_MINUS_MJD_D: f64 = 2_400_000.5;
/// What an answer without objects says.
const NOTHING_THERE: &str = "no solar system object was found";

/// Where the observer is.
#[derive(Debug, Clone, PartialEq)]
pub enum SkybotObserver {
    /// At an observatory with this code.
    Code(String),
    /// At these coordinates.
    Place {
        /// Longitude, east positive [deg].
        longitude_deg: f64,
        /// Latitude, north positive [deg].
        latitude_deg: f64,
        /// Height [m].
        height_m: f64,
    },
    /// Nobody said where: the Earth's centre.
    Geocentre,
}

/// A cone of the sky at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct ConeRequest {
    /// When [d, MJD UTC].
    pub mjd_utc: f64,
    /// Right ascension of its centre [deg].
    pub ra_deg: f64,
    /// Declination of its centre [deg].
    pub dec_deg: f64,
    /// Its radius [arcsec].
    pub radius_arcsec: f64,
    /// Whence.
    pub observer: SkybotObserver,
}

/// Which objects are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bodies {
    /// Asteroids, planets with their satellites, comets.
    All,
    /// Asteroids.
    Asteroids,
}

impl ConeRequest {
    /// The question, as it stands in the address after the question mark. Also the request's name:
    /// the same question has the same answer.
    pub fn query(&self, bodies: Bodies) -> String {
        let observer = match &self.observer {
            SkybotObserver::Code(code) => format!("-observer={code}"),
            SkybotObserver::Place { longitude_deg, latitude_deg, height_m } => {
                format!("-loc={longitude_deg:.5},{latitude_deg:.5},{height_m:.0}")
            }
            SkybotObserver::Geocentre => "-observer=500".to_owned(),
        };
        let bodies = match bodies {
            Bodies::All => "111",
            Bodies::Asteroids => "100",
        };
        // Never with an exponent: the service takes such a date for none.
        format!(
            "-ep={:.8}&-ra={:.5}&-dec={:.5}&-rs={:.0}&-mime=votable&-output=basic&-filter=120\
             &-objFilter={bodies}&-refsys=EQJ2000&{observer}&-from=autossos",
            self.mjd_utc + JD_MINUS_MJD_D,
            self.ra_deg,
            self.dec_deg,
            self.radius_arcsec,
        )
    }
}

impl ConeRequest {
    /// The request that a question was written from; `None` when it is another program's.
    pub fn from_query(query: &str) -> Option<Self> {
        let value = |name: &str| {
            let mut parts = query.split('&').filter_map(|part| part.split_once('='));
            parts.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let real = |name: &str| value(name)?.parse::<f64>().ok();
        let observer = match (value("-observer"), value("-loc")) {
            (Some("500"), _) => SkybotObserver::Geocentre,
            (Some(code), _) => SkybotObserver::Code(code.to_owned()),
            (None, Some(place)) => {
                let mut parts = place.split(',').map(str::parse::<f64>);
                let mut next = || parts.next()?.ok();
                SkybotObserver::Place {
                    longitude_deg: next()?,
                    latitude_deg: next()?,
                    height_m: next()?,
                }
            }
            (None, None) => return None,
        };
        Some(Self {
            mjd_utc: real("-ep")? - JD_MINUS_MJD_D,
            ra_deg: real("-ra")?,
            dec_deg: real("-dec")?,
            radius_arcsec: real("-rs")?,
            observer,
        })
    }
}

/// The objects in a cone.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SkybotReply {
    /// Where they are at the time of the request.
    pub places: Vec<KnownPlace>,
    /// Rows that could not be read.
    pub n_bad: usize,
    /// Whether only asteroids were asked for, as the service failed on satellites.
    pub is_asteroids_only: bool,
}

/// Why an answer is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SkybotError {
    /// It is something else, a page about an outage perhaps.
    #[error("no answer to the question, but a text that begins with `{begin}`")]
    NoReply {
        /// Its begin, on one line.
        begin: String,
    },
    /// The service tells of an error.
    #[error("the service says: {said}")]
    Refused {
        /// What it says, on one line.
        said: String,
    },
    /// A part of the answer is missing.
    #[error("a part of the answer is missing or damaged: {what}")]
    Broken {
        /// What.
        what: &'static str,
    },
    /// The VOTable is not whole.
    #[error(transparent)]
    Table(ServiceTableError),
    /// The places are those for another observer.
    #[error(
        "the service took the observatory {asked} for {found}: is site.mpc_code a code it knows?"
    )]
    OtherObserver {
        /// The code that was asked for.
        asked: String,
        /// The code that it names.
        found: String,
    },
}

/// Reads an answer; one without objects is an answer too.
pub fn read_reply(bytes: &[u8], request: &ConeRequest) -> Result<SkybotReply, SkybotError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| SkybotError::NoReply { begin: said(&String::from_utf8_lossy(bytes)) })?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Ok(SkybotReply::default());
    }
    if text.starts_with('#') {
        return text::read(text, request);
    }
    if text.starts_with("<?xml") || text.contains("VOTABLE") {
        return votable(text, request);
    }
    if text.to_ascii_lowercase().contains(NOTHING_THERE) && !text.starts_with('<') {
        return Ok(SkybotReply::default());
    }
    Err(SkybotError::NoReply { begin: said(text) })
}

fn votable(text: &str, request: &ConeRequest) -> Result<SkybotReply, SkybotError> {
    let table = match TextTable::read(text) {
        Ok(table) => table,
        Err(ServiceTableError::Refused { said }) => return nothing_or_refused(said),
        Err(ServiceTableError::NoTable { begin }) => return Err(SkybotError::NoReply { begin }),
        Err(source) => return Err(SkybotError::Table(source)),
    };
    if let (SkybotObserver::Code(asked), Some(found)) =
        (&request.observer, table.parameter("observer"))
        && !found.trim().is_empty()
        && !found.trim().eq_ignore_ascii_case(asked)
    {
        let (asked, found) = (asked.clone(), said(found));
        return Err(SkybotError::OtherObserver { asked, found });
    }
    let names: Vec<&str> = table.names.iter().map(String::as_str).collect();
    let columns = Columns::find(&names).ok_or(SkybotError::Broken { what: "a column" })?;
    let mut reply = SkybotReply::default();
    for row in table.rows().take(OBJECTS_MAX) {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        reply.add(columns.place(&cells, request));
    }
    Ok(reply)
}

/// What a service that gives no table says: that there is nothing, or that something is wrong.
fn nothing_or_refused(said: String) -> Result<SkybotReply, SkybotError> {
    if said.to_ascii_lowercase().contains(NOTHING_THERE) {
        return Ok(SkybotReply::default());
    }
    Err(SkybotError::Refused { said })
}

impl SkybotReply {
    fn add(&mut self, place: Option<KnownPlace>) {
        match place {
            Some(place) => self.places.push(place),
            None => self.n_bad += 1,
        }
    }
}

/// Where the quantities stand in a row.
struct Columns {
    number: usize,
    name: usize,
    ra_sexagesimal: usize,
    dec_sexagesimal: usize,
    class: Option<usize>,
    v_mag: Option<usize>,
    err: Option<usize>,
    rate_ra: Option<usize>,
    rate_dec: Option<usize>,
    degrees: Option<(usize, usize)>,
}

impl Columns {
    /// Finds the columns; their names differ between the forms of the answer.
    fn find(names: &[&str]) -> Option<Self> {
        let bare = |name: &str| {
            let head = name.split('(').next().unwrap_or(name);
            head.trim().to_ascii_lowercase()
        };
        let names: Vec<String> = names.iter().map(|name| bare(name)).collect();
        let at = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
        Some(Self {
            number: at(&["num"])?,
            name: at(&["name"])?,
            ra_sexagesimal: at(&["ra"])?,
            dec_sexagesimal: at(&["dec", "de"])?,
            class: at(&["class"]),
            v_mag: at(&["mv", "magv", "vmag"]),
            err: at(&["errpos", "err"]),
            rate_ra: at(&["dracosdec", "dra"]),
            rate_dec: at(&["ddec"]),
            degrees: at(&["_raj2000"]).zip(at(&["_decj2000"])),
        })
    }

    /// The object of a row; `None` when it has no name or no place.
    fn place(&self, cells: &[&str], request: &ConeRequest) -> Option<KnownPlace> {
        let cell = |column: usize| cells.get(column).map(|text| text.trim());
        let number =
            |column: Option<usize>| cell(column?)?.parse::<f64>().ok().filter(|v| v.is_finite());
        let in_degrees =
            self.degrees.and_then(|(ra, dec)| Some((number(Some(ra))?, number(Some(dec))?)));
        let in_words = || {
            let hours = sexagesimal(cell(self.ra_sexagesimal)?)?;
            Some((15.0 * hours, sexagesimal(cell(self.dec_sexagesimal)?)?))
        };
        let (ra_deg, dec_deg) = in_degrees.or_else(in_words)?;
        if !(0.0..=360.0).contains(&ra_deg) || dec_deg.abs() > 90.0 {
            return None;
        }
        Some(KnownPlace {
            file: None,
            mid_mjd_utc: Some(request.mjd_utc),
            designation: designation(cell(self.number)?, cell(self.name)?)?,
            class: self.class.and_then(cell).filter(|c| !c.is_empty()).map(str::to_owned),
            ra_deg,
            dec_deg,
            err_arcsec: number(self.err).map_or(UNTOLD_ERR_ARCSEC, f64::abs),
            rate_arcsec_per_h: number(self.rate_ra).zip(number(self.rate_dec)),
            v_mag: number(self.v_mag).filter(|mag| (-30.0..40.0).contains(mag)),
        })
    }
}

/// Number and name as one; a comet's name may begin with what stands for its number.
fn designation(number: &str, name: &str) -> Option<String> {
    let number = if matches!(number, "-" | "") { None } else { Some(number) };
    let is_repeated = number.is_some_and(|number| name.starts_with(number));
    let words = [number.filter(|_| !is_repeated), Some(name).filter(|name| !name.is_empty())];
    let words: Vec<&str> = words.into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Reads `-00 03 45.841`; hours or degrees.
fn sexagesimal(text: &str) -> Option<f64> {
    let mut parts = text.split([' ', ':']).filter(|part| !part.is_empty());
    let first = parts.next()?;
    let whole: f64 = first.trim_start_matches(['+', '-']).parse().ok()?;
    let minutes: f64 = parts.next()?.parse().ok()?;
    let seconds: f64 = parts.next()?.parse().ok()?;
    let is_whole = parts.next().is_none() && whole.is_finite();
    if !is_whole || !(0.0..60.0).contains(&minutes) || !(0.0..=60.0).contains(&seconds) {
        return None;
    }
    let value = whole + minutes / 60.0 + seconds / 3600.0;
    Some(if first.starts_with('-') { -value } else { value })
}

#[cfg(test)]
mod tests;
