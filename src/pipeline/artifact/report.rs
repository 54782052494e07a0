//! Everything the report of a night says; a pure function of the store.

use serde::{Deserialize, Serialize};

use super::candidate::Candidate;
use super::frame_record::FrameRecord;
use super::joined::Joined;
use super::known::KnownObject;
use super::removed::Removed;

/// One remark about what was not done, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What it is about: a frame, a master, a list.
    pub subject: String,
    /// What happened, what it means, what to do.
    pub text: String,
}

/// A night's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NightReport {
    /// Identifier of the night.
    pub night: String,
    /// Version of the program that made it.
    pub version: String,
    /// Instrument and profile in words.
    pub instrument: String,
    /// Master frames used, in words.
    pub masters: Vec<String>,
    /// All science files, in order of time, unreadable ones last.
    pub frames: Vec<FrameRecord>,
    /// Known objects first, then unknown; each by brightness.
    pub candidates: Vec<Candidate>,
    /// Likely objects at the limit: seen in less than half of the frames that cover them.
    pub faint: Vec<Candidate>,
    /// Tracklets that the configured cuts took away.
    #[serde(default)]
    pub removed: Vec<Removed>,
    /// Known objects that were predicted inside the frames, found or not.
    #[serde(default)]
    pub known: Vec<KnownObject>,
    /// Candidates that other nights saw too. No part of what a night is kept as: other nights
    /// change it, so it is added when a report is read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<Joined>,
    /// What was not done and why.
    pub not_done: Vec<Note>,
}

impl NightReport {
    /// What other nights say of a candidate.
    pub fn joined_of(&self, candidate_id: &str) -> Option<&Joined> {
        self.joined.iter().find(|joined| joined.candidate_id == candidate_id)
    }
}
