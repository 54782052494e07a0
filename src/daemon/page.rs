//! Opens the web page beside the service's work; that goes on when the page cannot be had.

use std::sync::Arc;

use super::run::Shared;
use crate::config::Config;
use crate::ops::clock::SystemClock;
use crate::ops::status::Problem;
use crate::ops::users::Users;
use crate::web::{self, Surroundings, WebPage};

/// Name of the problem when the page cannot be had.
const PROBLEM: &str = "web";

/// Serves the page where the configuration wants it; an error in the log and a standing problem
/// when the address cannot be had.
pub(super) async fn serve(config: &Config, shared: &Shared) -> Option<WebPage> {
    let address = config.web.listen?;
    let surroundings = Surroundings {
        store: Arc::clone(&shared.store),
        clock: Arc::new(SystemClock),
        web: config.web.clone(),
        blink_ms: config.report.blink_ms,
    };
    match web::serve(address, surroundings).await {
        Ok(page) => {
            let address = config.web.address_of("/");
            tracing::info!(
                listen = %page.address(),
                address = address.as_deref().unwrap_or_default(),
                "The web page is open."
            );
            tell_users(config);
            shared.state.set_web(address);
            Some(page)
        }
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let text = format!("{error}: {}", cause.unwrap_or_default());
            tracing::error!("{text}");
            shared.state.set_problem(PROBLEM, Some(Problem::warning(text)));
            None
        }
    }
}

/// Says when nobody could log in.
fn tell_users(config: &Config) {
    match Users::load(&config.web.users_file_in(&config.daemon.data)) {
        Ok(users) if users.names().next().is_none() => {
            tracing::warn!("Nobody may log in on the web page: `autossosctl user add NAME`.");
        }
        Ok(_) => {}
        Err(error) => tracing::error!("Nobody can log in on the web page: {error}."),
    }
}
