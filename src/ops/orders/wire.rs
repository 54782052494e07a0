//! What goes over the service's socket: a line of JSON there, a line of JSON back.
//!
//! One request per connection. Lines are limited on both ends, so neither side can be made to
//! fill its memory by the other.

use serde::{Deserialize, Serialize};

use super::{Order, OrderDone};
use crate::ops::overview::DataStatus;
use crate::ops::status::{Health, Snapshot};
use crate::ops::submit::{SubmitAsk, SubmitDone};

/// Longest request [bytes].
pub const REQUEST_MAX_BYTES: usize = 64 * 1024;
/// Longest answer that a client reads [bytes]: the whole log tail fits.
pub const ANSWER_MAX_BYTES: usize = 4 << 20;
/// Time that reading a request, or writing an answer, may take [s].
pub const TIME_MAX_S: u64 = 10;

/// A request to the service; its JSON is an object with the key `request`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// What it is doing and how it is.
    Status,
    /// Its last messages.
    Log {
        /// How many, from the end.
        lines: usize,
    },
    /// Read the configuration again.
    Reload,
    /// Do this.
    Do {
        /// The order.
        what: Order,
    },
    /// Write a batch for the Minor Planet Center.
    Submit {
        /// The yes to it.
        ask: SubmitAsk,
    },
}

/// The service's answer; its JSON is an object with the key `answer`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// To [`Request::Status`].
    Status {
        /// What the service says of itself.
        service: Box<Snapshot>,
        /// How it is.
        health: Health,
        /// What its database says; `None` when it could not be read.
        data: Option<DataStatus>,
    },
    /// To [`Request::Log`]: oldest first.
    Log {
        /// The messages.
        lines: Vec<String>,
    },
    /// To [`Request::Reload`] and [`Request::Do`].
    Done(OrderDone),
    /// To [`Request::Submit`].
    Submitted(SubmitDone),
    /// The request was not done.
    Refused {
        /// Why, and what to do.
        text: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_one_form_and_mistakes_are_no_requests() {
        let order = Order::Reprocess {
            night: "2026-03-01".to_owned(),
            frame: None,
            from: "ingest".to_owned(),
        };
        let request = Request::Do { what: order };
        let text = serde_json::to_string(&request).expect("JSON");
        assert_eq!(
            text,
            concat!(
                r#"{"request":"do","what":{"order":"reprocess","night":"2026-03-01","#,
                r#""frame":null,"from":"ingest"}}"#
            )
        );
        assert_eq!(serde_json::from_str::<Request>(&text).expect("reads back"), request);
        for wrong in [
            "{}",
            r#"{"request":"erase"}"#,
            // A mistyped name of a key must not widen an order to all frames.
            r#"{"request":"do","what":{"order":"reprocess","night":"a","fram":"x","from":"link"}}"#,
            r#"{"request":"do","what":{"order":"close-night"}}"#,
            r#"{"request":"log","lines":-1}"#,
        ] {
            assert!(serde_json::from_str::<Request>(wrong).is_err(), "{wrong}");
        }
    }
}
