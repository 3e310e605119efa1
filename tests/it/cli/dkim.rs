//! Mails that are signed: by keys that are made here and elsewhere, verified by dkimpy, which has nothing of ours.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::daemon::Daemon;
use super::{NewProject, campaignd};
use crate::support::database::{on_both, on_sqlite};
use crate::support::smtp::SmtpServer;

const RSA: &str = include_str!("keys/rsa.pem");
const RSA_PKCS1: &str = include_str!("keys/rsa-pkcs1.pem");
const ED25519: &str = include_str!("keys/ed25519.pem");

/// Writes a key that only its owner may read.
fn put_key(project: &NewProject, name: &str, text: &str) {
    project.write(name, text);
    let path = project.folder().join(name);
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).expect("a mode");
}

/// Names keys in the settings: selector and file.
fn sign_with(project: &NewProject, keys: &[(&str, &str)]) {
    let settings = project.read("campaignd.yaml");
    let before = settings.split("\ndkim:").next().expect("a part");
    let keys = keys.iter().map(|(selector, file)| {
        format!("  - {{ domain: shop.example, selector: {selector}, key_file: {file} }}\n")
    });
    project.write("campaignd.yaml", &format!("{before}\ndkim:\n{}", keys.collect::<String>()));
}

/// What `campaignd dkim` says stands in DNS.
fn records(project: &NewProject) -> BTreeMap<String, String> {
    let said: Value = serde_json::from_str(&project.fine(["dkim", "--json"]).out).expect("JSON");
    let keys = said["keys"].as_array().expect("keys").iter();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    keys.map(|key| (text(&key["name"]), text(&key["value"]))).collect()
}

/// The signatures of each mail, by selector, and whether they hold.
fn verified(records: &BTreeMap<String, String>, mails: &[String]) -> Vec<Vec<(String, bool)>> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/clients/python/bin/python3");
    assert!(python.is_file(), "dkimpy is not there: run tests/clients/install");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/verify_dkim.py");
    let mut process = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mails: Vec<_> = mails.iter().map(|mail| STANDARD.encode(mail)).collect();
    let asked = json!({"records": records, "mails": mails}).to_string();
    process.stdin.take().expect("its input").write_all(asked.as_bytes()).expect("it reads");
    let output = process.wait_with_output().expect("it ends");
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).expect("signatures")
}

fn each(selectors: &[&str], holds: bool) -> Vec<(String, bool)> {
    selectors.iter().map(|selector| ((*selector).to_owned(), holds)).collect()
}

#[test]
fn what_is_sent_is_signed_by_every_key() {
    on_both(|database| async move {
        let project = NewProject::with_data_on(&database.address);
        let made = project.fine([
            "dkim",
            "--make",
            "secrets/dkim.pem",
            "--domain",
            "shop.example",
            "--selector",
            "made",
        ]);
        assert!(
            made.out.starts_with("made._domainkey.shop.example. IN TXT \"v=DKIM1; k=ed25519; p="),
            "{}",
            made.out
        );
        put_key(&project, "rsa.pem", RSA);
        put_key(&project, "old.pem", RSA_PKCS1);
        put_key(&project, "ed.pem", ED25519);
        let keys = [("made", "secrets/dkim.pem"), ("rsa", "rsa.pem"), ("old", "old.pem"), ("ed", "ed.pem")];
        sign_with(&project, &keys);
        assert_eq!(project.fine(["check"]).out, "1 file of declarations: 1 segment, 1 campaign: fine\n");
        project.fine(["send", "thank_you", "--yes"]);
        let mails: Vec<_> =
            project.outbox().iter().map(|path| std::fs::read_to_string(path).expect("a mail")).collect();
        assert_eq!(mails.len(), 2);
        let selectors = ["made", "rsa", "old", "ed"];
        for signatures in verified(&records(&project), &mails) {
            assert_eq!(signatures, each(&selectors, true));
        }
    });
}

#[test]
fn what_a_mail_server_gets_is_signed() {
    on_sqlite(|database| async move {
        let project = NewProject::with_data_on(&database.address);
        put_key(&project, "rsa.pem", RSA);
        sign_with(&project, &[("rsa", "rsa.pem")]);
        let server = SmtpServer::start().await;
        let settings = project.read("campaignd.yaml");
        let port = server.port();
        let transport = format!("transport: {{ smtp: {{ host: 127.0.0.1, port: {port}, tls: none }} }}\n");
        project.write("campaignd.yaml", &format!("{transport}{settings}"));
        // Lines that begin with dots, white space at their ends, a domain below the key's.
        let template = "templates/thank_you/body.html";
        let html = project.read(template).replacen("<body", "  \n.\n..a \t \n<body", 1);
        project.write(template, &html);
        let campaigns = "campaigns/thank_you.yaml";
        project.write(
            campaigns,
            &project.read(campaigns).replace("hello@shop.example", "hello@News.shop.example"),
        );
        project.fine(["send", "thank_you", "--yes"]);
        let mails = server.mails();
        assert_eq!(mails.len(), 2);
        for mail in mails {
            let mail = String::from_utf8(mail.bytes).expect("text");
            assert_eq!(verified(&records(&project), &[mail]), [each(&["rsa"], true)]);
        }
    });
}

#[test]
fn what_was_altered_on_the_way_does_not_hold() {
    on_sqlite(|database| async move {
        let project = NewProject::with_data_on(&database.address);
        put_key(&project, "rsa.pem", RSA);
        put_key(&project, "ed.pem", ED25519);
        sign_with(&project, &[("rsa", "rsa.pem"), ("ed", "ed.pem")]);
        project.fine(["send", "thank_you", "--yes"]);
        let (mail, records) = (project.a_mail(), records(&project));
        let check = |what: &str, mail: String, holds: bool| {
            let signatures = verified(&records, &[mail]);
            assert_eq!(signatures, [each(&["rsa", "ed"], holds)], "{what}");
        };
        let (headers, body) = mail.split_once("\r\n\r\n").expect("a body");
        check("nothing", mail.clone(), true);
        check("a word of the body", format!("{headers}\r\n\r\n{}", body.replacen("10", "90", 1)), false);
        check("something behind the body", format!("{mail}more\r\n"), false);
        // What servers on the way may do: fold and pad.
        check("empty lines behind the body", format!("{mail}\r\n\r\n"), true);
        check(
            "a header folded anew",
            mail.replacen("\r\nMIME-Version: ", "\r\nMIME-Version:\r\n  ", 1),
            true,
        );
        check("a trace header", format!("Received: from somewhere\r\n{mail}"), true);
        for name in [
            "From",
            "Reply-To",
            "To",
            "Cc",
            "Subject",
            "Date",
            "Message-ID",
            "List-Unsubscribe",
            "List-Unsubscribe-Post",
            "MIME-Version",
            "Content-Type",
            "Content-Transfer-Encoding",
        ] {
            check(&format!("one more {name}, above"), format!("{name}: x@y.example\r\n{mail}"), false);
            check(
                &format!("one more {name}, below"),
                format!("{headers}\r\n{name}: x@y.example\r\n\r\n{body}"),
                false,
            );
        }
        for name in ["List-Unsubscribe-Post", "List-Id", "Feedback-ID"] {
            let other = mail.replacen(&format!("\r\n{name}: "), &format!("\r\nX-{name}: "), 1);
            assert_ne!(other, mail, "there is a {name}");
            check(&format!("no {name}"), other, false);
        }

        let others = records.keys().cloned().zip(records.values().rev().cloned()).collect();
        assert_eq!(verified(&others, std::slice::from_ref(&mail)), [each(&["rsa", "ed"], false)]);
        assert_eq!(verified(&BTreeMap::new(), &[mail]), [each(&["rsa", "ed"], false)]);
    });
}

#[test]
fn a_new_key_is_taken_up_by_a_running_daemon() {
    on_sqlite(|database| async move {
        let project = NewProject::with_data_on(&database.address);
        put_key(&project, "key.pem", ED25519);
        sign_with(&project, &[("one", "key.pem")]);
        let former = records(&project);
        let mut daemon = Daemon::start(&project);
        daemon.says("ready");
        put_key(&project, "key.pem", RSA);
        daemon.says("hold from now on");
        project.fine(["send", "thank_you", "--yes"]);
        project.until_mails(2);
        let mail = [project.a_mail()];
        assert_eq!(verified(&records(&project), &mail), [each(&["one"], true)]);
        assert_eq!(verified(&former, &mail), [each(&["one"], false)]);
        // A key that is not there yet is waited for, although it is none of the files that were there.
        sign_with(&project, &[("two", "later.pem")]);
        daemon.says("there is no key in");
        put_key(&project, "later.pem", ED25519);
        daemon.says("hold from now on");
        assert_eq!(daemon.stop("-TERM"), Some(0));
    });
}

#[test]
fn a_key_is_made_once_and_for_its_owner_only() {
    let project = NewProject::create();
    let words = ["dkim", "--make", "secrets/dkim.pem", "--domain", "Shop.example", "--selector", "c2026"];
    let made = project.fine(words);
    let path = project.folder().join("secrets/dkim.pem");
    let permissions =
        |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((permissions(&path), permissions(path.parent().expect("a folder"))), (0o600, 0o700));
    assert!(
        made.err.contains("dkim: [{ domain: shop.example, selector: c2026, key_file: secrets/dkim.pem }]"),
        "{}",
        made.err
    );
    let odd = ["dkim", "--make", "my, key.pem", "--domain", "shop.example", "--selector", "null"];
    let odd = project.fine(odd).err;
    assert!(odd.contains(r#"selector: "null", key_file: "my, key.pem" }]"#), "{odd}");
    let key = project.read("secrets/dkim.pem");
    let again = campaignd(project.folder(), words);
    assert_eq!((again.exit, again.out.as_str()), (2, ""));
    assert!(again.err.contains("exists already\nhint: a key is never overwritten"), "{}", again.err);
    assert_eq!(project.read("secrets/dkim.pem"), key);
    let wrong = campaignd(
        project.folder(),
        ["dkim", "--make", "other.pem", "--domain", "shop.example", "--selector", "a b"],
    );
    assert_eq!(wrong.exit, 2, "{}", wrong.err);
    assert!(!project.folder().join("other.pem").exists());

    assert!(project.fine(["dkim"]).err.starts_with("no key signs mails"));
    sign_with(&project, &[("c2026", "secrets/dkim.pem")]);
    assert_eq!(project.fine(["dkim"]).out, made.out, "the record of a key that is there");

    put_key(&project, "rsa.pem", RSA);
    sign_with(&project, &[("rsa", "rsa.pem")]);
    let record = project.fine(["dkim"]).out;
    let strings: Vec<_> = record.split('"').skip(1).step_by(2).collect();
    assert!(strings.len() == 2 && strings.iter().all(|string| string.len() <= 255), "{record}");
    assert_eq!(strings.concat(), records(&project)["rsa._domainkey.shop.example"]);
}

#[test]
fn check_says_what_is_wrong_with_keys() {
    let project = NewProject::create();
    let folder = project.folder().display().to_string();
    let said = |settings: &str| {
        let before = project.read("campaignd.yaml");
        project.write("campaignd.yaml", &format!("{before}\n{settings}\n"));
        let said: Value =
            serde_json::from_str(&campaignd(project.folder(), ["check", "--json"]).out).expect("JSON");
        project.write("campaignd.yaml", &before);
        let lines = said["problems"].as_array().expect("problems").iter().map(|problem| {
            let text = |name: &str| problem[name].as_str().unwrap_or_default().replace(&folder, "…");
            format!("{}: {} ({})", text("code"), text("message"), text("hint"))
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let key =
        |file: &str| said(&format!("dkim: [{{ domain: shop.example, selector: a, key_file: {file} }}]"));
    for (name, text) in [
        ("small.pem", include_str!("keys/rsa-1024.pem")),
        ("encrypted.pem", include_str!("keys/encrypted.pem")),
        ("public.pem", include_str!("keys/public.pem")),
        ("p256.pem", include_str!("keys/p256.pem")),
        ("cut.pem", &RSA.replacen('M', "N", 1)),
        ("none.pem", "not a key"),
        ("ed.pem", ED25519),
        ("rsa.pem", RSA),
    ] {
        put_key(&project, name, text);
    }
    let all = ["missing", "small", "encrypted", "public", "p256", "cut", "none", "ed"];
    let all: Vec<_> = all.map(|name| key(&format!("{name}.pem"))).to_vec();
    insta::assert_snapshot!(all.join("\n"), @r#"
    unreadable-file: there is no key in `./missing.pem` (paths are relative to the project folder; `campaignd dkim --make FILE` makes a key)
    wrong-key: `./small.pem` cannot sign: its RSA key is shorter than 2048 bits, which receivers refuse or soon will (RFC 8301) (`campaignd dkim --help` says how to make a key)
    wrong-key: `./encrypted.pem` cannot sign: it is encrypted: `openssl pkey -in FILE -out NEW` writes it without a password (`campaignd dkim --help` says how to make a key)
    wrong-key: `./public.pem` cannot sign: it is a public key: the private one signs (`campaignd dkim --help` says how to make a key)
    wrong-key: `./p256.pem` cannot sign: it is neither an Ed25519 nor an RSA key (`campaignd dkim --help` says how to make a key)
    wrong-key: `./cut.pem` cannot sign: its key is damaged (`campaignd dkim --help` says how to make a key)
    wrong-key: `./none.pem` cannot sign: it has no `-----BEGIN PRIVATE KEY-----` (`campaignd dkim --help` says how to make a key)
    only-ed25519: mails of `shop.example` are signed by Ed25519 only, which many receivers cannot verify (add an RSA key beside it; `campaignd dkim --help` says how to make one)
    "#);
    project.write("rsa.pem", RSA);
    let open = project.folder().join("rsa.pem");
    std::fs::set_permissions(open, PermissionsExt::from_mode(0o644)).expect("a mode");
    insta::assert_snapshot!(key("rsa.pem"), @"open-secret: everybody on this machine may use the key in `./rsa.pem` (`chmod 600 ./rsa.pem`)");
    put_key(&project, "rsa.pem", RSA);
    assert_eq!(key("rsa.pem"), "");
    insta::assert_snapshot!(
        said("dkim: [{ domain: other.example, selector: a, key_file: rsa.pem }, { domain: other.example, selector: b, key_file: rsa.pem }]"),
        @"unsigned-mail: mails from shop.example are not signed: no key of `dkim` is for that domain (there are keys for: other.example)"
    );
    insta::assert_snapshot!(
        said("dkim:\n- { domain: shop.example, selector: a, key_file: rsa.pem }\n- { domain: SHOP.example, selector: a, key_file: ed.pem }\n- { domain: shop.example, selector: a_b, key_file: ed.pem }\n- { domain: \"shop example\", selector: a, key: x }"),
        @r#"
    duplicate: `a` of `shop.example` is there twice: a selector names one key (give the second key a selector of its own)
    wrong-value: `a_b` is no selector: it is made of letters, digits and `-`, in parts parted by dots (for example `selector: c2026`)
    missing-key: a key of `dkim` needs `key_file`: the file with the private key (PEM): Ed25519, or RSA of 2048 to 4096 bits; `campaignd dkim --make` makes one (for example `key_file: secrets/dkim.pem`)
    unknown-key: a key of `dkim` has no key `key` (it has `domain`, `selector`, `key_file`)
    "#
    );
}
