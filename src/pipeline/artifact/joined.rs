//! What other nights say of a night's candidate: that it is an object seen there too.

use serde::{Deserialize, Serialize};

/// An object's candidate in another night.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OtherNight {
    /// The night.
    pub night: String,
    /// Identifier of the candidate there.
    pub candidate_id: String,
}

/// A candidate that is an object seen in several nights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Joined {
    /// Identifier of the candidate.
    pub candidate_id: String,
    /// Key of the object, the same in all nights and for ever.
    pub key: String,
    /// Expected number of unrelated candidates that would have been joined as well.
    pub chance: f64,
    /// Reduced chi-square of one orbit through all nights.
    pub chi2_reduced: f64,
    /// Where else it was seen, in order of the nights; never empty.
    pub others: Vec<OtherNight>,
}

impl Joined {
    /// The same in words, e.g. `also seen on 2026-03-02 as K7Q2MA (object N4T2XPA, chance 1e-5)`.
    pub fn words(&self) -> String {
        let others: Vec<String> = self
            .others
            .iter()
            .map(|other| format!("on {} as {}", other.night, other.candidate_id))
            .collect();
        let chance = format!("{:.0e}", self.chance.max(1e-12));
        format!("also seen {} (object {}, chance {chance})", others.join(", "), self.key)
    }
}
