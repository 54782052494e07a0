//! What a night needs of services: known objects, and stars of the catalogue.

use std::collections::BTreeSet;

use super::super::known::{Look, Plan, observer, plan};
use super::super::reference::Haul;
use super::{NightSession, Workshop};
use crate::ops::error::OpsError;
use crate::ops::progress::Progress;
use crate::ops::run::frames::FrameResult;
use crate::ops::run::take::Scanned;
use crate::pipeline::artifact::frame_record::FrameStatus;
use crate::pipeline::artifact::report::Note;
use crate::science::reference::Tile;

impl NightSession {
    /// Fetches what is known of the places that the frames look at: after they are solved, before
    /// anything is named, because no stage sees the network.
    pub(super) fn bring_known(
        &self,
        results: &[FrameResult],
        progress: &dyn Progress,
    ) -> Result<Plan, OpsError> {
        let Workshop { store, config, known, .. } = &self.workshop;
        let looks: Vec<Look> = results
            .iter()
            .filter(|r| r.record.status == FrameStatus::Ok)
            .filter(|r| known.is_asked_for(r.record.is_simulated))
            .filter_map(Look::of)
            .collect();
        let site = self.frames().find_map(|frame| frame.info.site);
        let plan = plan(&looks, &observer(config, site));
        known.bring(store, &plan, progress)?;
        known.note_requests(store, &self.night, &plan)?;
        Ok(plan)
    }

    /// Fetches tiles of the star catalogue that the frames need and that are not stored, and opens
    /// those that are: before the frames, because no stage sees the network.
    pub(super) fn bring_stars(
        &mut self,
        scanned: &Scanned,
        haul: Haul,
        progress: &dyn Progress,
    ) -> Result<(), OpsError> {
        let (sky, config) = (&self.workshop.sky, &self.workshop.config);
        let needed: BTreeSet<Tile> =
            scanned.science.iter().flat_map(|frame| sky.tiles_of(&frame.info, config)).collect();
        let needed: Vec<Tile> = needed.into_iter().collect();
        if let Some(catalogue) = sky.tiles() {
            catalogue.bring(&needed, haul, progress)?;
        }
        self.night_sky = sky.sky(&needed);
        self.n_lost = match sky.tiles() {
            Some(_) => scanned.science.iter().filter(|f| f.info.pointing_rad.is_none()).count(),
            None => 0,
        };
        Ok(())
    }

    /// Notes which stars the night lacks, for the report and for whoever fetches them later.
    pub(super) fn missing_stars(&self) -> Result<Vec<Note>, OpsError> {
        let Some(catalogue) = self.workshop.sky.tiles() else { return Ok(Vec::new()) };
        let note = |text| Note { subject: "reference".to_owned(), text };
        let mut notes = Vec::new();
        if self.n_lost > 0 {
            notes.push(note(format!(
                "{} frames tell no pointing, so that no stars can be fetched for them: they are \
                 tried with those around the other frames",
                self.n_lost
            )));
        }
        let (lacking, release) = (self.night_sky.lacking(), catalogue.folder().release());
        self.workshop.store.set_wanted_tiles(&self.night, release, lacking)?;
        let Some((ra_rad, dec_rad)) = lacking.first().map(|tile| tile.centre_rad()) else {
            return Ok(notes);
        };
        let why = catalogue.why_failed().map(|why| format!(" ({why})")).unwrap_or_default();
        let text = format!(
            "{} of the {} tiles of the star catalogue {} that the frames need are not stored and \
             could not be fetched{why}; the night is done again when they have come. To fetch them \
             by hand: autossosctl catalog fetch --ra {:.3} --dec {:.3} --radius 1",
            lacking.len(),
            self.night_sky.n_tiles(),
            release.name(),
            ra_rad.to_degrees(),
            dec_rad.to_degrees(),
        );
        notes.push(note(text));
        Ok(notes)
    }
}
