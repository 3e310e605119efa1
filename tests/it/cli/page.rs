//! The report's page in a browser: Chromium without a window. It needs nothing but itself, fits a phone, and
//! the pictures in docs/ are made of it.
//!
//! `CAMPAIGND_WRITE_DOCS=1` makes the pictures anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Under these names browsers are installed; `CAMPAIGND_CHROMIUM` names another. `tests/run` installs one.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// How a page is looked at, and the picture that is made of it.
struct Look {
    picture: &'static str,
    width: u32,
    height: u32,
    dark: bool,
}

const LOOKS: [Look; 3] = [
    Look { picture: "report-light.png", width: 1040, height: 1500, dark: false },
    Look { picture: "report-dark.png", width: 1040, height: 1500, dark: true },
    Look { picture: "report-phone.png", width: 390, height: 1500, dark: false },
];

/// What is on the page.
const WORDS: [&str; 4] =
    ["How the campaigns are doing", "Opened by people", "aria_launch", "Nobody is being mailed."];

/// Looks at a page in light, in dark and on a phone.
pub(super) fn it_renders(page: &Path) {
    let html = fs::read_to_string(page).expect("the page");
    for needed in ["<script", "<link", "<img", "@import", "url("] {
        assert!(!html.contains(needed), "the page needs nothing from elsewhere, and no script: {needed}");
    }
    let scratch = tempfile::tempdir().expect("a folder");
    // What a browser makes of it is asked by a script in a copy.
    let asking = scratch.path().join("asking.html");
    let ask = "<script>const wide = [...document.querySelectorAll('*')].filter(e => \
        e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll') && !e.closest('details')).map(e => \
        e.outerHTML.slice(0, 80)).slice(0, 3).join(' | ') || 'fits'; document.body.dataset.wide = wide; parent.postMessage(wide, '*')</script>";
    fs::write(&asking, html + ask).expect("a copy");
    for look in &LOOKS {
        let dom = look.dom(&asking, scratch.path());
        assert!(dom.contains("data-wide=\"fits\""), "{}: {}", look.picture, wide(&dom));
        for words in if look.is_framed() { &[][..] } else { &WORDS } {
            assert!(dom.contains(words), "{}: `{words}` is not there", look.picture);
        }
        let picture = look.picture(page, scratch.path());
        let bytes = fs::read(&picture).expect("a picture");
        assert!(
            bytes.starts_with(b"\x89PNG") && bytes.len() > 20_000,
            "{}: it shows something",
            look.picture
        );
        if std::env::var_os("CAMPAIGND_WRITE_DOCS").is_some() {
            let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(look.picture);
            fs::write(docs, bytes).expect("docs/ can be written");
        }
    }
}

fn wide(dom: &str) -> &str {
    let rest = dom.split("data-wide=\"").nth(1).unwrap_or("the page has not said whether it fits");
    &rest[..rest.len().min(400)]
}

impl Look {
    /// The page as the browser has it after it was laid out; of a framed one the frame.
    fn dom(&self, page: &Path, scratch: &Path) -> String {
        self.chromium(scratch, &["--dump-dom", "--virtual-time-budget=3000"], &self.framed(page, scratch))
    }

    /// A window is never as narrow as a phone: there the page stands in a frame.
    const fn is_framed(&self) -> bool {
        self.width < 500
    }

    fn picture(&self, page: &Path, scratch: &Path) -> PathBuf {
        let picture = scratch.join(self.picture);
        let framed = self.framed(page, scratch);
        self.chromium(scratch, &[&format!("--screenshot={}", picture.display())], &framed);
        picture
    }

    fn framed(&self, page: &Path, scratch: &Path) -> PathBuf {
        if !self.is_framed() {
            return page.to_path_buf();
        }
        let frame = scratch.join("frame.html");
        let html = format!(
            "<!DOCTYPE html><style>body {{ margin: 0 }} iframe {{ border: 0; display: block }}</style>\
             <script>onmessage = said => document.body.dataset.wide = said.data</script>\
             <iframe src=\"file://{}\" width=\"{}\" height=\"{}\"></iframe>",
            page.display(),
            self.width,
            self.height
        );
        fs::write(&frame, html).expect("a frame");
        frame
    }

    fn chromium(&self, scratch: &Path, what: &[&str], page: &Path) -> String {
        let profile = scratch.join("profile");
        let size = format!("--window-size={},{}", self.width, self.height);
        let scheme = format!("--blink-settings=preferredColorScheme={}", u8::from(!self.dark));
        let profile = format!("--user-data-dir={}", profile.display());
        let output = Command::new(browser())
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"])
            .args(["--allow-file-access-from-files", &size, &scheme, &profile])
            .args(what)
            .arg(format!("file://{}", page.display()))
            .output()
            .expect("Chromium starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

fn browser() -> PathBuf {
    if let Some(named) = std::env::var_os("CAMPAIGND_CHROMIUM") {
        return named.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let found = BROWSERS
        .iter()
        .find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|file| file.exists()));
    found.expect("Chromium is needed (CAMPAIGND_CHROMIUM names it); `tests/run` installs it")
}
