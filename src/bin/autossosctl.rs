//! Everything a person types.

use std::process::ExitCode;

fn main() -> ExitCode {
    autossos::ctl::main()
}
