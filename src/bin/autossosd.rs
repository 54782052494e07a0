//! The service.

use std::process::ExitCode;

fn main() -> ExitCode {
    autossos::daemon::main()
}
