//! The words of user agents: what browsers, mail programs and their apps say of themselves, and what programs
//! do that are none. All in lower case.

/// Proxies that stand between a reader and us.
#[rustfmt::skip]
pub(super) const PROXIES: &[&str] = &[
    "googleimageproxy", "yahoomailproxy",
];

/// Words for what programs do, wherever they stand.
#[rustfmt::skip]
pub(super) const WORDS: &[&str] = &[
    "crawl", "spider", "slurp", "scan", "fetch", "preview", "check", "monitor", "validat",
    "archiv", "feed", "reader", "headless", "phantom", "selenium", "puppeteer", "playwright",
    "lighthouse", "pagespeed", "inspect", "synthetic", "scrap", "harvest", "extract", "sitemap",
    "search", "probe", "survey", "daemon", "agent", "python", "java", "curl", "wget", "perl",
    "ruby", "libwww", "httpclient", "http-client", "okhttp", "axios", "guzzle", "nutch", "robot",
    "go-http",
];

/// How those begin that do not begin as browsers do: mail programs and old phones.
#[rustfmt::skip]
pub(super) const NATIVE: &[&str] = &[
    "opera/9", "dalvik/", "outlook-ios", "outlook-android", "macoutlook", "microsoft office/",
    "microsoft outlook", "yahoomobile/", "mail/", "mobilemail/", "airmail/", "lotus-notes",
    "blackberry", "nokia", "samsung-", "sonyericsson", "thunderbird/", "spark/", "lg-", "htc",
];

/// Names that stand behind a browser's platform.
#[rustfmt::skip]
pub(super) const NAMES: &[&str] = &[
    // engines, and what all of them say
    "applewebkit", "khtml", "gecko", "like", "safari", "version", "mobile", "chrome", "chromium",
    "presto",
    // browsers
    "firefox", "crios", "fxios", "gsa", "edg", "edga", "edgios", "edge", "opr", "opt", "opera",
    "samsungbrowser", "ucbrowser", "vivaldi", "yabrowser", "sa", "yowser", "brave", "ddg",
    "duckduckgo", "whale", "miuibrowser", "xiaomi", "huaweibrowser", "heytapbrowser",
    "vivobrowser", "oppobrowser", "qqbrowser", "mqqbrowser", "core", "qihu", "360se", "360ee",
    "metasr", "se", "silk", "goanna", "palemoon", "basilisk", "seamonkey", "waterfox", "iceweasel",
    "icecat", "epiphany", "falkon", "qtwebengine", "konqueror", "ecosiabrowser", "nf",
    "nintendobrowser", "tv", "kaios", "ubuntu", "fedora", "webappmanager", "focus", "klar",
    "iemobile",
    // mail programs
    "thunderbird", "lightning", "postboxapp", "oneoutlook", "yahoomobilemail", "emclient",
    "evolution", "geary", "spark", "mailspring", "electron", "betterbird", "airmail",
    // apps that show pages themselves
    "slack", "slack_ssb", "sonic", "twitter", "for", "iphone", "twitterandroid", "linkedinapp",
    "kakaotalk", "inapp", "reddit", "googleapp", "viber", "nettype", "language", "abi", "xweb",
];

/// Apps that say more of themselves behind their names; nothing of that matters.
#[rustfmt::skip]
pub(super) const TALKATIVE: &[&str] = &[
    "instagram", "snapchat", "trill_", "musical_ly_", "micromessenger", "mmwebsdk", "line",
    "pinterest", "bytedancewebview",
];

/// How the parts of a computer's platform begin.
#[rustfmt::skip]
pub(super) const PLATFORM: &[&str] = &[
    "windows", "win64", "wow64", "win32", "x64", "x86_64", "arm", "macintosh", "intel mac os x",
    "ppc mac os x", "mac os x", "x11", "linux", "ubuntu", "fedora", "debian", "cros ", "freebsd",
    "openbsd", "netbsd", "sunos", "rv:", "compatible", "msie ", "trident/", "slcc", ".net",
    "media center pc", "infopath", "touch", "tablet pc", "ms-office", "msoffice ",
    "microsoft outlook", "sv1", "xbox", "nokia", "lumia", "iemobile", "zunewp", "konqueror/",
    "lotus-notes/", "bb10", "blackberry", "playstation", "nintendo", "wifiwebauthapplet",
    "smart-tv", "web0s", "tizen", "maau", "mddr", "malc", "masm", "mda", "asjb", "mobile",
    "microsoft", "web0s", "u", "k",
];
