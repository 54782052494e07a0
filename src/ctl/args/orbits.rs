//! The words of `autossosctl orbits`.

use std::path::PathBuf;

use clap::Subcommand;

use super::DataArgs;
use crate::ops::orbits::{CODES_URL, MPCORB_URL};
use crate::science::orbit::observer::Observer;
use crate::science::time::Epoch;

#[derive(Debug, Subcommand)]
pub(in crate::ctl) enum OrbitsCommand {
    /// Put the orbits of a file (MPCORB.DAT, plain or .gz) in place of the stored ones.
    Import(OrbitsImportArgs),
    /// Fetch the newest orbits and observatory codes from the Minor Planet Center.
    Update(OrbitsUpdateArgs),
    /// Tell what is stored.
    Info(DataArgs),
    /// Tell where an object is at some times.
    Ephemeris(OrbitsEphemerisArgs),
}

#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct OrbitsImportArgs {
    /// The file of orbits.
    #[arg(value_name = "FILE")]
    pub(in crate::ctl) file: PathBuf,
    /// The Minor Planet Center's list of observatory codes (obscodes_extended.json) as well.
    #[arg(long, value_name = "FILE")]
    pub(in crate::ctl) codes: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::ctl) place: DataArgs,
}

#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct OrbitsUpdateArgs {
    /// Address of the orbits.
    #[arg(long, value_name = "URL", default_value = MPCORB_URL)]
    pub(in crate::ctl) url: String,
    /// Address of the list of observatory codes.
    #[arg(long, value_name = "URL", default_value = CODES_URL)]
    pub(in crate::ctl) codes_url: String,
    #[command(flatten)]
    pub(in crate::ctl) place: DataArgs,
}

#[derive(Debug, clap::Args)]
pub(in crate::ctl) struct OrbitsEphemerisArgs {
    /// Number, designation or name, as 433, "2014 AA", Eros.
    #[arg(value_name = "NAME")]
    pub(in crate::ctl) name: String,
    /// First time, UTC: 2026-11-21, 2026-11-21T20:30:00 or a Modified Julian Date.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(in crate::ctl) start: Epoch,
    /// From one time to the next, as 30s, 10m, 1h, 1d.
    #[arg(
        long,
        value_name = "STEP",
        default_value = "1d",
        value_parser = step_d,
        allow_negative_numbers = true
    )]
    pub(in crate::ctl) step: f64,
    /// How many times.
    #[arg(
        long,
        value_name = "N",
        default_value = "10",
        value_parser = clap::value_parser!(u32).range(1..=100_000)
    )]
    pub(in crate::ctl) count: u32,
    /// Observatory code, or latitude,longitude,height in degrees (east positive) and metres
    /// [default: the configured site, else the Earth's centre].
    #[arg(long, value_name = "SITE", value_parser = site, allow_hyphen_values = true)]
    pub(in crate::ctl) site: Option<Site>,
    #[command(flatten)]
    pub(in crate::ctl) place: DataArgs,
}

/// From where somebody looks.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ctl) enum Site {
    /// Code of the Minor Planet Center.
    Code(String),
    /// A place that was given.
    Place(Observer),
}

fn time(text: &str) -> Result<Epoch, String> {
    let wrong = || "write it as 2026-11-21, 2026-11-21T20:30:00 or 61365.85".to_owned();
    if let Ok(mjd) = text.parse::<f64>() {
        // From 1899 on: a bare year is a mistake.
        let is_time = (15_000.0..=100_000.0).contains(&mjd);
        return is_time.then(|| Epoch::from_mjd_utc(mjd)).ok_or_else(wrong);
    }
    let (date, clock) = text.split_once(['T', ' ']).unwrap_or((text, "0"));
    let whole = |part: Option<&str>| part.and_then(|part| part.parse::<u32>().ok());
    let mut parts = date.splitn(3, '-');
    let date = (whole(parts.next()), whole(parts.next()), whole(parts.next()));
    let (Some(year), Some(month @ 1..=12), Some(day @ 1..=31)) = date else {
        return Err(wrong());
    };
    let mut seconds = 0.0;
    for (part, (unit_s, below)) in
        clock.splitn(3, ':').zip([(3600.0, 24.0), (60.0, 60.0), (1.0, 61.0)])
    {
        let value: f64 = part.parse().map_err(|_| wrong())?;
        if !(0.0..below).contains(&value) {
            return Err(wrong());
        }
        seconds += value * unit_s;
    }
    if !(1850..=2150).contains(&year) {
        return Err("orbits are followed from 1852 to 2148".to_owned());
    }
    Ok(Epoch::from_date(i64::from(year), month, day, seconds))
}

fn step_d(text: &str) -> Result<f64, String> {
    let wrong = || "write it as 30s, 10m, 1h or 1d".to_owned();
    let (number, per_day) = [('s', 86_400.0), ('m', 1_440.0), ('h', 24.0), ('d', 1.0)]
        .into_iter()
        .find_map(|(unit, per_day)| Some((text.strip_suffix(unit)?, per_day)))
        .ok_or_else(wrong)?;
    let value: f64 = number.parse().map_err(|_| wrong())?;
    let step_d = value / per_day;
    let is_step = step_d.abs() <= 36_525.0 && step_d.abs() > 0.0;
    is_step.then_some(step_d).ok_or_else(wrong)
}

fn site(text: &str) -> Result<Site, String> {
    if text.len() == 3 && text.bytes().all(|c| c.is_ascii_alphanumeric()) {
        return Ok(Site::Code(text.to_owned()));
    }
    let numbers: Vec<f64> = text.split(',').filter_map(|part| part.trim().parse().ok()).collect();
    match *numbers {
        [latitude, longitude, height]
            if latitude.abs() <= 90.0 && longitude.abs() <= 360.0 && height.abs() <= 20_000.0 =>
        {
            Ok(Site::Place(Observer::at_place(latitude, longitude, height)))
        }
        _ => Err("a code as 688, or latitude,longitude,height as 35.1,-111.5,2200".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_steps_are_read_or_refused() {
        let mjd = |text: &str| time(text).map(Epoch::mjd_utc);
        assert_eq!(mjd("2026-11-21"), Ok(61_365.0));
        assert_eq!(mjd("2026-11-21T12:00"), Ok(61_365.5));
        assert_eq!(mjd("61365.25"), Ok(61_365.25));
        for bad in ["", "2026", "-5", "2026-13-01", "2026-11-21T25:00", "2026-11-21Tx", "nan"] {
            assert!(time(bad).is_err(), "{bad}");
        }
        assert_eq!((step_d("12h"), step_d("-1d"), step_d("1440m")), (Ok(0.5), Ok(-1.0), Ok(1.0)));
        for bad in ["", "5", "h", "0d", "1e9d", "nand"] {
            assert!(step_d(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sites_are_codes_or_places() {
        assert_eq!(site("X05"), Ok(Site::Code("X05".to_owned())));
        let place = Observer::at_place(-30.2, -70.7, 2200.0);
        assert_eq!(site("-30.2, -70.7, 2200"), Ok(Site::Place(place)));
        for bad in ["", "7", "1,2", "91,0,0", "a,b,c", "1,2,3,4"] {
            assert!(site(bad).is_err(), "{bad}");
        }
    }
}
