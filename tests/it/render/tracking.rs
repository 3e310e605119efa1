//! Links and pixels of mails, by what may be recorded.

use campaignd::domain::campaign::Tracking;
use campaignd::domain::delivery::{DeliveryId, RunId};
use campaignd::domain::link::LinkNumber;
use campaignd::links::{Claims, Subject};
use campaignd::render::Rendered;

use super::shipped::{MAILS, reader, shop};
use super::{Reader, Shop, links};

/// The addresses below ours of this kind in an HTML part.
fn addresses<'h>(html: &'h str, path: &str) -> Vec<&'h str> {
    let base = format!("https://mail.maison.example/{path}/");
    html.split(&base).skip(1).map(|rest| &rest[..43]).collect()
}

/// Puts back what was rewritten: by what the tokens say, and the addresses that `plain` has.
fn undone(tracked: &str, plain: &str) -> String {
    let mut html = tracked.to_owned();
    for token in addresses(tracked, "c") {
        let Ok(Claims::Click(_, number)) = links().signer().verify(token) else { panic!("{token}") };
        let url = plain
            .split(['"', '\''])
            .find(|raw| LinkNumber::first_choice(RunId(3), &raw.replace("&amp;", "&")) == number)
            .expect("it stood in the mail");
        html = html.replace(&format!("https://mail.maison.example/c/{token}"), url);
    }
    let pixel = html.find("<img src=\"https://mail.maison.example/o/").expect("a pixel");
    let end = pixel + html[pixel..].find('>').expect("its end") + 1;
    html.replace_range(pixel..end, "");
    html
}

fn mail(shop: &Shop, campaign: &str, version: &str, reader: &Reader, tracking: Tracking) -> Rendered {
    shop.render(campaign, version, &reader.clone().tracked(tracking)).expect("it renders")
}

#[test]
fn shipped_mails_differ_by_their_links_and_pixel_alone() {
    let shop = shop();
    for (campaign, version) in MAILS {
        for language in ["en", "fr"] {
            let reader = reader(language);
            let plain = mail(&shop, campaign, version, &reader, Tracking::None);
            assert!(addresses(&plain.html, "c").is_empty() && addresses(&plain.html, "o").is_empty());
            for tracking in [Tracking::Aggregate, Tracking::Individual] {
                let tracked = mail(&shop, campaign, version, &reader, tracking);
                let case = format!("{campaign} {version} {language} {tracking:?}");
                assert_eq!(undone(&tracked.html, &plain.html), plain.html, "{case}");
                assert_eq!((&tracked.text, &tracked.subject), (&plain.text, &plain.subject), "{case}");
                assert_eq!(tracked.email.message_id, plain.email.message_id, "{case}");
                assert!(tracked.html.contains(&links().unsubscribe(DeliveryId(7))), "{case}");
                let (clicks, pixels) = (addresses(&tracked.html, "c"), addresses(&tracked.html, "o"));
                assert!(!clicks.is_empty() && pixels.len() == 1, "{case}");
                let subject = match tracking {
                    Tracking::Aggregate => Subject::Run(RunId(3)),
                    _ => Subject::Delivery(DeliveryId(7)),
                };
                assert_eq!(links().signer().verify(pixels[0]), Ok(Claims::Open(subject)), "{case}");
                for token in clicks {
                    let claims = links().signer().verify(token);
                    assert!(
                        matches!(claims, Ok(Claims::Click(of, _)) if of == subject),
                        "{case}: {claims:?}"
                    );
                }
            }
        }
    }
}

/// A campaign with these keys and this HTML part.
fn letter(keys: &str, html: &str) -> Shop {
    let declarations = format!(
        "attributes: {{ site: text }}
campaigns:
  letter:
    audience: everyone
    from: Maison <bonjour@maison.example>
    template: letter
    data: {{ offer: 'https://maison.example/offer?a=1&b=2' }}
{keys}"
    );
    let footer = "<a href='{{ links.unsubscribe }}'>leave</a> {{ sender.postal_address }}";
    Shop::new(
        &declarations,
        &[("letter/subject.txt", "News"), ("letter/body.html", &format!("{html}{footer}"))],
    )
}

const BODY: &str = "<a href=\"https://maison.example/\">home</a> <a href=\"{{ data.offer }}\">offer</a> \
                    <a href=\"{{ contact.site or '#' }}\">yours</a>";

#[test]
fn a_mail_that_only_counts_is_the_same_for_all_but_for_what_is_theirs() {
    let shop = letter("    tracking: aggregate\n", BODY);
    assert_eq!(shop.problems(), "");
    let one = Reader::new("", r#"{"site":"https://one.example/?id=1"}"#);
    let counted = mail(&shop, "letter", "default", &one, Tracking::Aggregate);
    assert_eq!(addresses(&counted.html, "c").len(), 2);
    assert!(counted.html.contains("<a href=\"https://one.example/?id=1\">yours</a>"), "{}", counted.html);
    let known = mail(&shop, "letter", "default", &one, Tracking::Individual);
    assert_eq!(addresses(&known.html, "c").len(), 3);
    assert!(!known.html.contains("one.example"));
    assert!(known.text.contains("https://one.example/?id=1"), "{}", known.text);
}

#[test]
fn transactional_mail_is_not_tracked() {
    let shop = letter("    purpose: transactional\n", BODY);
    let reader = Reader::new("", "{}");
    let plain = mail(&shop, "letter", "default", &reader, Tracking::None);
    let asked = mail(&shop, "letter", "default", &reader, Tracking::Individual);
    assert_eq!(plain, asked);
    assert_eq!(asked.tracking, Tracking::None);
}

#[test]
fn parameters_go_to_every_address_but_ours() {
    let shop = letter("    utm: { source: newsletter, campaign: letter }\n", BODY);
    assert_eq!(shop.problems(), "");
    let plain = mail(&shop, "letter", "default", &Reader::new("", "{}"), Tracking::None);
    insta::assert_snapshot!(plain.html, @r##"<a href="https://maison.example/?utm_source=newsletter&amp;utm_campaign=letter">home</a> <a href="https://maison.example/offer?a=1&amp;b=2&amp;utm_source=newsletter&amp;utm_campaign=letter">offer</a> <a href="#">yours</a><a href='https://mail.maison.example/u/AQEBAAAAAAAAAAcAAAAAAPI8F6TjV7FTsepjXkvSP7M'>leave</a> 12 rue des Courts, 75016 Paris"##);
    let tracked = mail(&shop, "letter", "default", &Reader::new("", "{}"), Tracking::Individual);
    assert_eq!(undone(&tracked.html, &plain.html), plain.html);
}
