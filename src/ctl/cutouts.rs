//! `cutouts`: the cut-outs of candidates as files that people can look at.

use anyhow::bail;

use super::args::{CutoutsArgs, CutoutsFormat};
use super::client::configured;
use super::output::say;
use crate::ops::cutouts::{self, CutoutExport, CutoutFormat};
use crate::ops::orders::find_night;
use crate::pipeline::artifact::cutouts::View;
use crate::report::words::{plural, printable};
use crate::store::Reader;

/// Writes the cut-outs of one candidate or of all of a night.
pub(super) fn export(args: &CutoutsArgs) -> anyhow::Result<()> {
    let place = &args.place;
    let (config, data) = configured(place.config.as_deref(), place.data.as_deref(), &place.set)?;
    let reader = Reader::open(&data)?;
    let night = find_night(&reader, &args.night)?;
    let mut candidates = cutouts::candidates(reader.products(), &night)?;
    if let Some(wanted) = &args.candidate {
        candidates.retain(|candidate| candidate.eq_ignore_ascii_case(wanted));
        if candidates.is_empty() {
            bail!(
                "night {night} has no cut-outs of {}: `autossosctl night show {night}` lists its \
                 candidates, `autossosctl reprocess {night} --from cut-outs` makes cut-outs anew",
                printable(wanted)
            );
        }
    }
    let how = CutoutExport {
        format: match args.format {
            CutoutsFormat::Png => CutoutFormat::Png,
            CutoutsFormat::Gif => CutoutFormat::Gif,
            CutoutsFormat::Apng => CutoutFormat::Apng,
            CutoutsFormat::Fits => CutoutFormat::Fits,
        },
        view: args.view.as_deref().and_then(View::named),
        blink_ms: config.report.blink_ms,
    };
    let done = cutouts::export(reader.products(), &night, &candidates, &args.to, how)?;
    let mut text = format!(
        "{} written to {}.\n",
        plural(done.files.len(), "file", "files"),
        args.to.display()
    );
    if !done.left_out.is_empty() {
        text.push_str(&format!(
            "Left out, for want of frames to know the static sky by, or damaged: {}.\n",
            done.left_out.join(", ")
        ));
    }
    say(&text)
}
