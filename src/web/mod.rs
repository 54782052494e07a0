//! Layer 5: the web page on which candidates are judged, served by `autossosd`.
//!
//! Pages are plain HTML that can be read and answered without JavaScript; with it, cut-outs are a
//! player, keys judge, and the queue goes on without loading whole pages. Nothing comes from
//! elsewhere, and nothing is kept here: who is logged in and what was judged is in the database,
//! the only memory is a bounded cache of pictures.
//!
//! `listener` lets connections in, `route` says which path is whose and puts limits and headers
//! around all; `session` tells who asks, `login` lets in; `nights`, `night`, `frame`, `candidate`,
//! `queue` are the pages, `verdict` takes what people say (`ops::vetting::judge`, and the answer
//! goes out when it is on disk), `pictures` and `stamps` are what is looked at.

mod assets;
mod candidate;
mod error;
mod form;
mod frame;
mod guard;
mod listener;
mod login;
mod night;
mod nights;
mod page;
mod pictures;
mod queue;
mod route;
mod session;
mod stamps;
mod verdict;

pub use listener::{Surroundings, WebError, WebPage, serve};
