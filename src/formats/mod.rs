//! Layer 1: bytes to values and back. Only `fits` opens files by itself.

pub mod ades;
pub mod blind_index;
pub mod designation;
pub mod fits;
pub mod known_csv;
pub mod obs80;
pub mod reference_csv;
pub mod star_index;
