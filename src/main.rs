//! The doorbell: everything is behind `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    campaignd::cli::main(std::env::args_os()).into()
}
