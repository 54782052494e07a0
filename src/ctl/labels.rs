//! `labels export`.

use super::args::{LabelFormatWord, LabelsCommand, LabelsExportArgs};
use super::client::configured;
use super::output::say;
use crate::ops::labels::{LabelChoice, LabelFormat, export, labels};
use crate::ops::orders::find_night;
use crate::report::words::plural;
use crate::store::Reader;

/// Runs a verb on labels.
pub(super) fn run(command: &LabelsCommand) -> anyhow::Result<()> {
    match command {
        LabelsCommand::Export(args) => write(args),
    }
}

fn write(args: &LabelsExportArgs) -> anyhow::Result<()> {
    let place = &args.place;
    let (_, data) = configured(place.config.as_deref(), place.data.as_deref(), &place.set)?;
    let reader = Reader::open(&data)?;
    let night = args.night.as_deref().map(|night| find_night(&reader, night)).transpose()?;
    let choice = if args.all { LabelChoice::All } else { LabelChoice::Standing };
    let format = match args.format {
        LabelFormatWord::Csv => LabelFormat::Csv,
        LabelFormatWord::Json => LabelFormat::Json,
    };
    let found = labels(&reader, night.as_ref(), choice)?;
    let n = export(&found, format, &args.output)?;
    say(&format!("{} written to {}.", plural(n, "label", "labels"), args.output.display()))
}
