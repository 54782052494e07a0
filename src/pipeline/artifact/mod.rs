//! The values that flow from stage to stage, one file a type.

pub mod candidate;
pub mod catalogue;
pub mod cutout_hdus;
pub mod cutouts;
pub mod frame_info;
pub mod frame_photometry;
pub mod frame_record;
pub mod joined;
pub mod known;
pub mod linking;
pub mod photometric_point;
pub mod photometry_table;
pub mod rating;
pub mod removed;
pub mod report;
