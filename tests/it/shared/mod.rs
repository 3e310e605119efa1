//! Tests on shared data: real orders, corpora of bad input. They need the folder that the
//! environment variable `CAMPAIGND_SHARED` names.
//!
//! Every such test stands under this module, so that `tests/run` can count them, and begins with
//!
//! ```ignore
//! let Some(shared) = super::shared_folder() else { return };
//! ```
//!
//! Without the variable it says on standard error that it was not run; `tests/run` states how many
//! were not, and `.ci/run` fails before the first.

mod cron;
mod isemail;
mod naughty_mails;
mod naughty_shop;

mod csv_spectrum;
mod naughty_strings;
pub(crate) mod online_retail;
mod real_shop;
mod segment_captures;
mod user_agents;
mod yaml_test_suite;

use std::path::PathBuf;

/// The folder of shared data, or `None` after saying that the calling test does not run.
pub(crate) fn shared_folder() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("CAMPAIGND_SHARED") else {
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("a test on shared data");
        eprintln!("not run: {test}: CAMPAIGND_SHARED is not set (it names the folder of shared data)");
        return None;
    };
    let folder = PathBuf::from(folder);
    assert!(folder.is_dir(), "CAMPAIGND_SHARED names {}, which is no folder", folder.display());
    Some(folder)
}

#[test]
fn the_folder_is_whole() {
    let Some(shared) = shared_folder() else { return };
    for part in [
        "data/online-retail",
        "data/segment-captures",
        "corpora/yaml-test-suite",
        "corpora/naughty-strings",
        "corpora/isemail",
    ] {
        assert!(shared.join(part).is_dir(), "{} is missing", shared.join(part).display());
    }
}
