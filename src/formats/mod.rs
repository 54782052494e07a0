//! Layer 1: bytes to values and back. Only `fits` and `mapped` open files by themselves.

pub mod ades;
pub mod alcdef;
pub mod blind_index;
pub mod designation;
pub mod fits;
pub mod known_csv;
pub mod light_curve;
pub mod light_curve_csv;
pub mod mapped;
pub mod mpcorb;
pub mod obs80;
pub mod obscodes;
pub mod orbit_states;
pub mod orbit_table;
pub mod reference_csv;
pub mod service_table;
pub mod skybot;
pub mod star_columns;
pub mod star_index;
