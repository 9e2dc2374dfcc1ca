//! The command `mtm`; see [`mtm::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    mtm::cli::main()
}
