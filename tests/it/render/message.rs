//! Messages as they go over the wire, read back by a parser of others.

use std::fmt::Write as _;

use campaignd::dkim::{Key, Signer};
use campaignd::domain::delivery::DeliveryId;
use campaignd::domain::number::Number;
use campaignd::domain::score::ScoreValue;
use campaignd::domain::value::Value;
use campaignd::render::RenderError;
use mail_parser::{HeaderValue, MessageParser, MimeHeaders as _};

use super::{DECLARATIONS, FOOTER, NOTE, NOW, Reader, Shop, hello, render_with};

fn raw(shop: &Shop, campaign: &str, reader: &Reader) -> String {
    let mail = shop.render(campaign, "default", reader).expect("it renders");
    String::from_utf8(mail.email.bytes).expect("it is ASCII")
}

#[test]
fn a_marketing_mail_carries_all_that_it_must() {
    let shop = hello("<p>Hello {{ contact.first_name }}</p>");
    insta::assert_snapshot!(raw(&shop, "hello", &Reader::new("", r#"{"first_name":"Zoë"}"#)), @r##"
Date: Mon, 1 Mar 2027 08:00:00 +0000
Message-ID: <9abc5c3f482dd97f94a0c1bf7a2431f5@maison.example>
From: Maison Roland <bonjour@maison.example>
To: <zoe@example.org>
Subject: Hello
List-Id: <marketing.maison.example>
List-Unsubscribe: <https://mail.maison.example/u/AQEBAAAAAAAAAAcAAAAAAPI8F6TjV7FTsepjXkvSP7M>,
 <mailto:unsubscribe+AQEBAAAAAAAAAAcAAAAAAPI8F6TjV7FTsepjXkvSP7M@maison.example?subject=unsubscribe>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
Feedback-ID: hello:default:marketing:maisonexample
MIME-Version: 1.0
Content-Type: multipart/alternative;
 boundary="=_9abc5c3f482dd97f94a0c1bf"

--=_9abc5c3f482dd97f94a0c1bf
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Hello Zo=C3=AB

[Unsubscribe][1] 12 rue des Courts, 75016 Paris

[1]: https://mail.maison.example/u/AQEBAAAAAAAAAAcAAAAAAPI8F6TjV7FTsepjXkvS=
P7M

--=_9abc5c3f482dd97f94a0c1bf
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p>Hello Zo=C3=AB</p><a href=3D"https://mail.maison.example/u/AQEBAAAAAAAAA=
AcAAAAAAPI8F6TjV7FTsepjXkvSP7M">Unsubscribe</a> 12 rue des Courts, 75016 Pa=
ris

--=_9abc5c3f482dd97f94a0c1bf--
"##);
}

#[test]
fn a_transactional_mail_carries_nothing_of_lists() {
    insta::assert_snapshot!(raw(&hello(""), "note", &Reader::new("", "{}")), @r#"
Date: Mon, 1 Mar 2027 08:00:00 +0000
Message-ID: <9abc5c3f482dd97f94a0c1bf7a2431f5@maison.example>
From: Maison Roland <bonjour@maison.example>
To: <zoe@example.org>
Subject: A note
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: multipart/alternative;
 boundary="=_9abc5c3f482dd97f94a0c1bf"

--=_9abc5c3f482dd97f94a0c1bf
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Note

--=_9abc5c3f482dd97f94a0c1bf
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p>Note</p>

--=_9abc5c3f482dd97f94a0c1bf--
"#);
}

#[test]
fn the_same_delivery_makes_the_same_bytes_and_another_does_not() {
    let shop = hello("{{ contact.first_name }}");
    let reader = Reader::new("", r#"{"first_name":"Zoë"}"#);
    let make = |delivery| {
        render_with(&shop.renderer(), "hello", "default", &reader, DeliveryId(delivery)).expect("it renders")
    };
    assert_eq!(make(1), make(1));
    assert_ne!(make(1).email.message_id, make(2).email.message_id);
    assert_ne!(make(1).content_hash, make(2).content_hash);
}

#[test]
fn a_signature_is_dated_as_its_mail_so_that_every_try_has_the_same_bytes() {
    let mut shop = hello("{{ contact.first_name }}");
    let reader = Reader::new("", r#"{"first_name":"Zoë"}"#);
    let unsigned = raw(&shop, "hello", &reader);
    let key = || Key::from_pem(include_str!("../cli/keys/ed25519.pem")).expect("a key");
    let signer = |domain| Signer::new(domain, "c2026", key()).expect("names");
    shop.settings.signers = vec![signer("elsewhere.example"), signer("maison.example")];
    let mail = raw(&shop, "hello", &reader);
    assert_eq!(mail, raw(&shop, "hello", &reader));
    let signature = mail.strip_suffix(&unsigned).expect("nothing else differs");
    assert_eq!(signature.matches("DKIM-Signature: ").count(), 1, "{signature}");
    assert!(signature.contains(&format!(" t={};", NOW.to_utc().timestamp())), "{signature}");
    assert!(signature.contains(" d=maison.example;"), "{signature}");
}

#[test]
fn lines_are_short_and_end_properly_whatever_they_hold() {
    let long = "x".repeat(5_000);
    let shop = hello("{{ contact.first_name }}\r\n.\r\nFrom here\n{{ contact.first_name }}");
    for name in [long.as_str(), &"é".repeat(3_000), &"語".repeat(3_000), "a\\rb\\nc\\r\\n.\\r\\n"] {
        let bytes = raw(&shop, "hello", &Reader::new("", &format!(r#"{{"first_name":"{name}"}}"#)));
        assert!(bytes.ends_with("\r\n"));
        for line in bytes.split("\r\n") {
            assert!(
                line.len() <= 78 || line.starts_with("List-Unsubscribe:") || line.contains("mailto:"),
                "{line}"
            );
            assert!(line.len() <= 998 && !line.contains(['\r', '\n']), "{line}");
            assert!(line.bytes().all(|byte| (32..127).contains(&byte) || byte == b'\t'), "{line}");
        }
    }
}

/// A project whose mails show the first name wherever a mail can.
pub(crate) fn wire() -> Shop {
    let declarations =
        DECLARATIONS.replace("\"Maison Roland <bonjour@maison.example>\"", "bonjour@maison.example");
    let body = "<p title=\"{{ contact.first_name }}\" lang='{{ contact.first_name }}'>[{{ contact.first_name }}]</p>{% include \"_footer.html\" %}";
    let mut files = vec![
        FOOTER,
        ("hello/subject.txt", "For {{ contact.first_name }}!"),
        ("hello/body.html", body),
        ("hello/body.txt", "[{{ contact.first_name }}] {{ links.unsubscribe }}"),
    ];
    files.extend(NOTE);
    Shop::new(&declarations, &files)
}

/// Puts a text where contacts and declarations can put one, and reads the message back.
pub(crate) fn goes_through_intact(shop: &mut Shop, text: &str) {
    for campaign in shop.catalogue.campaigns.values_mut() {
        campaign.from.name = Some(text.to_owned());
    }
    let attributes = serde_json::json!({ "first_name": text }).to_string();
    let mail = shop.render("hello", "default", &Reader::new("", &attributes)).expect("it renders");
    let message = MessageParser::default().parse(&mail.email.bytes).expect("a message");

    // Line ends are the wire's; blanks at the ends of lines of the text part are cut.
    let lines = |text: &str| text.replace("\r\n", "\n");
    assert_eq!(
        lines(&message.body_html(0).expect("HTML")).trim_end(),
        lines(&mail.html).trim_end(),
        "{text:?}"
    );
    assert_eq!(
        lines(&message.body_text(0).expect("text")).trim_end(),
        lines(&mail.text).trim_end(),
        "{text:?}"
    );
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;");
    assert!(mail.html.contains(&format!("[{escaped}]</p>")), "{text:?} in {}", mail.html);
    assert_eq!(message.subject().unwrap_or_default(), mail.subject, "{text:?}");

    let from = message.from().and_then(|from| from.first()).expect("a sender");
    assert_eq!(from.address(), Some("bonjour@maison.example"), "{text:?}");
    let shown = shop.render("note", "default", &Reader::new("", "{}")).expect("it renders");
    let shown = MessageParser::default()
        .parse(&shown.email.bytes)
        .and_then(|message| message.from()?.first().cloned());
    let name = shown.and_then(|from| from.name).unwrap_or_default();
    let visible = |text: &str| {
        text.split(|c: char| c.is_control() || c.is_whitespace())
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let directions = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert_eq!(visible(&name), visible(&text.replace(directions, " ")), "{text:?}");

    let names: Vec<_> = message.headers().iter().map(|header| header.name().to_owned()).collect();
    assert_eq!(
        names,
        [
            "Date",
            "Message-ID",
            "From",
            "To",
            "Subject",
            "List-ID",
            "List-Unsubscribe",
            "List-Unsubscribe-Post",
            "Feedback-ID",
            "MIME-Version",
            "Content-Type"
        ],
        "nothing was injected: {text:?}"
    );
    assert_eq!(message.parts.len(), 3);
    assert!(
        message.parts[1..]
            .iter()
            .all(|part| part.content_type().is_some_and(|t| t.attribute("charset") == Some("utf-8")))
    );
    assert!(!matches!(message.header("To"), Some(HeaderValue::Empty) | None));
}

#[test]
fn international_domains_are_written_in_ascii() {
    let mut reader = Reader::new("", r#"{"first_name":"Anna"}"#);
    reader.contact.email = Some("anna@müller.example".to_owned());
    let mail = raw(&hello("<p>Hello {{ contact.first_name }}</p>"), "hello", &reader);
    assert!(mail.is_ascii() && mail.contains("\r\nTo: <anna@xn--mller-kva.example>\r\n"), "{mail}");
}

#[test]
fn hostile_names_go_through_intact() {
    let mut shop = wire();
    for text in [
        "Zoë",
        "a\r\nBcc: all@example.org",
        "<script>alert('x')</script>",
        "{{ contact.email }}{% for x in y %}",
        "\"quoted\" \\back\\ <angle@example.org>, (comment); group:",
        "=?utf-8?q?already_encoded?=",
        "=?utf-8?b?",
        "ends in space ",
        "O'Neill & Söhne",
        "👩‍👩‍👧 family",
        "\u{202e}turned",
        "=_=_--=_\n--=_",
        ".",
        "\u{feff}mark",
        &"long words ".repeat(40),
        &"é".repeat(400),
    ] {
        goes_through_intact(&mut shop, text);
    }
}

#[test]
fn a_failure_says_where_and_what() {
    for (html, attributes, expected) in [
        (
            "<p>\n é{{ contact.first_name }}",
            "{}",
            "templates/hello/body.html:2:6: `contact.first_name` has no value for this contact; `{{ contact.first_name or \"…\" }}` would say what to write instead",
        ),
        (
            "{{ contact.first_name | upper }}",
            "{}",
            "templates/hello/body.html:1:4: `contact.first_name` has no value for this contact; `{{ contact.first_name or \"…\" }}` would say what to write instead",
        ),
        (
            "{% for i in contact.interests -%}\n{{ i }}{% endfor %}",
            "{}",
            "templates/hello/body.html:1:13: `contact.interests` has no value for this contact; `{{ contact.interests or \"…\" }}` would say what to write instead",
        ),
        (
            "{% for i in contact.interests -%}\n{{ traits.spend }}{% endfor %}",
            r#"{"interests":["a"]}"#,
            "templates/hello/body.html:2:4: `traits.spend` has no value for this contact; `{{ traits.spend or \"…\" }}` would say what to write instead",
        ),
        (
            "{{ contact.yearly_income }}",
            r#"{"yearly_income":1}"#,
            "templates/hello/body.html:1:4: `contact.yearly_income` has no value for this contact; `{{ contact.yearly_income or \"…\" }}` would say what to write instead",
        ),
    ] {
        let failure = hello(html).render("hello", "default", &Reader::new("", attributes));
        assert_eq!(failure.expect_err("it fails").to_string(), expected, "{html}");
    }
    let mut files =
        vec![FOOTER, ("hello/subject.txt", " {{ contact.first_name or \"\" }}\n"), ("hello/body.html", "x")];
    files.extend(NOTE);
    let shop = Shop::new(DECLARATIONS, &files);
    let failure =
        |attributes| shop.render("hello", "default", &Reader::new("", attributes)).map(|mail| mail.subject);
    assert_eq!(
        failure(r#"{"first_name":" \r\n "}"#).map_err(|error| error.to_string()),
        Err("templates/hello/subject.txt:1:1: the subject is empty for this contact".to_owned())
    );
    assert_eq!(failure(r#"{"first_name":" a\r\nb "}"#), Ok("a b".to_owned()));
    let gone = shop.render("gone", "default", &Reader::new("", "{}"));
    assert!(matches!(gone, Err(RenderError::UnknownCampaign(_))));
    let gone = shop.render("hello", "gone", &Reader::new("", "{}"));
    assert!(matches!(gone, Err(RenderError::UnknownVersion { .. })));
}

#[test]
fn facts_are_found_under_their_declared_names_and_types() {
    let html = "{{ contact.first_name }}|{{ contact.birth_date | date(format='short') }}|{{ contact.interests | join(sep='+') }}|{{ contact.income | money(currency='EUR') }}|{{ contact.income + 1 }}|{{ traits.spend | money(currency='EUR') }}|{{ contact.id }}|{{ contact.email }}|{{ contact.language }}|{{ now | date(format='%F %R') }}|{{ campaign.name }}: {{ campaign.description }}|{{ sender.name }} {{ sender.email }}|{{ scores.engagement }} {{ scores.engagement_level }}|";
    let attributes = r#"{"first_name":"Zoë","birth_date":"1990-02-01","interests":["a","b"],"yearly_income":12.5,"income":99,"other":1}"#;
    let spend = Value::Number(Number::parse("1234.5").expect("a number"));
    let mut reader = Reader::new("fr", attributes).with("spend", spend);
    reader.scores.push(("engagement", ScoreValue { value: 23.456_789, level: Some(1) }));
    let mut american = reader.clone();
    american.contact.time_zone = Some("America/New_York".to_owned());
    american.contact.language = Some("en-US".to_owned());
    let shop = hello(html);
    let mut shown = String::new();
    for reader in [reader, american] {
        let mail = shop.render("hello", "default", &reader).expect("it renders");
        let _ = writeln!(shown, "{}", mail.html.split("<a").next().unwrap_or_default());
    }
    insta::assert_snapshot!(shown, @r#"
    Zoë|01/02/1990|a+b|12,50 €|13.5|1 234,50 €|c-1|zoe@example.org|fr|2027-03-01 09:00|hello: Says hello|Maison Roland bonjour@maison.example|23.46 warm|
    Zoë|02/01/1990|a+b|€12.50|13.5|€1,234.50|c-1|zoe@example.org|en-US|2027-03-01 03:00|hello: Says hello|Maison Roland bonjour@maison.example|23.46 warm|
    "#);
}

#[test]
fn a_text_part_is_derived_where_none_is_written() {
    let shop = hello(
        "<div style=\"display:none\">preview</div><h1>Hi</h1><p>There is <a href=\"https://maison.example/new\">news</a>.</p>",
    );
    let mail = shop.render("hello", "default", &Reader::new("", "{}")).expect("it renders");
    insta::assert_snapshot!(mail.text, @r##"
# Hi

There is [news][1].

[Unsubscribe][2] 12 rue des Courts, 75016 Paris

[1]: https://maison.example/new
[2]: https://mail.maison.example/u/AQEBAAAAAAAAAAcAAAAAAPI8F6TjV7FTsepjXkvSP7M
"##);
}

#[test]
fn the_language_version_is_the_nearest_one() {
    let mut files = vec![
        ("hello/subject.txt", "default"),
        ("hello/body.html", "default"),
        ("hello/body.txt", "default"),
        ("hello/subject.fr.txt", "fr"),
        ("hello/body.fr.html", "<p>fr</p>"),
        ("hello/subject.fr-CA.txt", "fr-CA"),
    ];
    files.extend(NOTE);
    let shop = Shop::new(DECLARATIONS, &files);
    for (language, expected) in [
        ("", ("default", "default", "default\n")),
        ("en", ("default", "default", "default\n")),
        ("fr", ("fr", "<p>fr</p>", "fr\n")),
        ("FR_be", ("fr", "<p>fr</p>", "fr\n")),
        ("fr-CA", ("fr-CA", "default", "default\n")),
        ("frr", ("default", "default", "default\n")),
        ("-", ("default", "default", "default\n")),
    ] {
        let mail = shop.render("hello", "default", &Reader::new(language, "{}")).expect("it renders");
        assert_eq!((mail.subject.as_str(), mail.html.as_str(), mail.text.as_str()), expected, "{language}");
    }
}
