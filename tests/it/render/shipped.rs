//! The project that ships: no problem in it, and mails as they should be.

use campaignd::domain::campaign::Campaign;
use campaignd::domain::number::Number;
use campaignd::domain::time::Timestamp;
use campaignd::domain::value::Value;

use super::{Reader, Shop};

pub(super) fn shop() -> Shop {
    Shop::load(std::path::Path::new(env!("CARGO_MANIFEST_DIR")))
}

pub(super) fn reader(language: &str) -> Reader {
    let attributes = r#"{"first_name":"Zoë","company":"TC Lyon","interests":["padel"]}"#;
    let whole = |number| Value::Number(Number::from_whole(number).expect("small"));
    Reader::new(language, attributes)
        .with("orders_12m", whole(4))
        .with("spend_12m", whole(1_250))
        .with("favourite_category", Value::Text("hiking".to_owned()))
        .with("basket_product", Value::Text("Court shoe Marée".to_owned()))
        .with("last_product", Value::Text("Court shoe Marée".to_owned()))
        .with("last_order_at", Value::Datetime(Timestamp::from_seconds(1_790_000_000)))
}

pub(super) const MAILS: [(&str, &str); 9] = [
    ("vip_discount", "default"),
    ("reactivation", "default"),
    ("aria_launch", "launch_b2b"),
    ("aria_launch", "launch_b2c"),
    ("birthday", "default"),
    ("goodbye", "default"),
    ("left_basket", "default"),
    ("racket_selection", "default"),
    ("reward", "default"),
];

#[test]
fn the_shipped_project_has_no_problem() {
    assert_eq!(shop().problems(), "");
}

#[test]
fn every_shipped_mail_is_personal_in_both_languages() {
    let shop = shop();
    for (campaign, version) in MAILS {
        for (language, greeting, footer) in [
            ("en", "Hello Zoë,", "Unsubscribe"),
            ("de", "Hello Zoë,", "Unsubscribe"),
            ("fr-CA", "Bonjour Zoë,", "Se désabonner"),
        ] {
            let mail = shop.render(campaign, version, &reader(language)).expect("it renders");
            let case = format!("{campaign} {version} {language}");
            assert!(mail.text.starts_with(greeting) && mail.html.contains(greeting), "{case}");
            assert!(mail.text.contains(footer) && mail.html.contains(footer), "{case}");
            assert_eq!(mail.language.as_deref(), (language == "fr-CA").then_some("fr"), "{case}");
            assert!(
                mail.html.contains("12 rue des Courts") && mail.text.contains("12 rue des Courts"),
                "{case}"
            );
            assert!(mail.html.len() < 30_000, "mail programs cut long mails: {case}");
            for leftover in ["{{", "}}", "{%", "campaignd_step"] {
                assert!(!mail.html.contains(leftover) && !mail.text.contains(leftover), "{case}");
            }
        }
    }
}

#[test]
fn who_lacks_everything_gets_a_mail_too() {
    let shop = shop();
    for (campaign, version) in MAILS {
        let bare = Reader::new("", "{}").with("orders_12m", Value::Number(Number::ZERO));
        // A lapsed customer has a last order by definition.
        let bare = bare.with("last_order_at", Value::Datetime(super::NOW));
        let mail = shop.render(campaign, version, &bare).expect("it renders");
        assert!(mail.text.starts_with("Hello,"), "{}", mail.text);
    }
}

#[test]
fn the_two_tones_of_the_announcement_differ() {
    let shop = shop();
    let mail =
        |version, language| shop.render("aria_launch", version, &reader(language)).expect("it renders");
    let (clubs, players) = (mail("launch_b2b", "en"), mail("launch_b2c", "en"));
    insta::assert_snapshot!(clubs.subject, @"A club racket that lasts three seasons: our figures");
    insta::assert_snapshot!(players.subject, @"Zoë, meet Aria");
    insta::assert_snapshot!(mail("launch_b2b", "fr").subject, @"Une raquette de club qui tient trois saisons : nos chiffres");
    assert!(clubs.text.contains("materials engineer") && !players.text.contains("materials engineer"));
    assert!(players.text.contains("padel") && !clubs.text.contains("padel"));
    insta::assert_snapshot!(players.text, @r##"
Hello Zoë,

You know the sound. A low ball, a heroic dive, and then: crack.
Wall one, racket nil.

We have all been there, so we built one that does not hold a grudge. Aria wears
her rim like a good pair of shoes wears its soles: when it is done, you change
it. Six screws, four minutes, one coffee.

And yes, since you play padel: there is one with a teardrop head, soft enough for
the elbow and loud enough for the bar.

Say hello to Aria: https://www.maison.example/aria

€149, on sale from Monday 15 March. A new rim costs €9.50, and
changing your first one is on us: come by with a broken rim and a good story.

Go on, dive for it.
Camille and the team at Maison Roland

--
You receive this mail because you agreed to hear from Maison Roland.
Unsubscribe: https://mail.maison.example/u/AQEBAAAAAAAAAAcAAAAAAPI8F6TjV7FTsepjXkvSP7M
Choose what you receive: https://mail.maison.example/p/AQECAAAAAAAAAAcAAAAAADFVvUfurMgZhvd_z7xBlEk
12 rue des Courts, 75016 Paris
"##);
}

#[test]
fn each_example_speaks_of_what_is_known_of_the_reader() {
    let shop = shop();
    let mail = |campaign, language| shop.render(campaign, "default", &reader(language)).expect("it renders");
    let subjects = ["birthday", "goodbye", "left_basket", "racket_selection", "reward"].map(|campaign| {
        format!("{campaign}: {} / {}", mail(campaign, "en").subject, mail(campaign, "fr").subject)
    });
    insta::assert_snapshot!(subjects.join("\n"), @"
    birthday: Happy birthday, Zoë / Joyeux anniversaire, Zoë
    goodbye: Zoë, we will stop writing / Zoë, nous cessons de vous écrire
    left_basket: Court shoe Marée: shall we keep it for you? / Court shoe Marée : on le met de côté ?
    racket_selection: Zoë, three minutes in our stringing room / Zoë, trois minutes dans notre atelier de cordage
    reward: Zoë, the key to the shop is yours for an evening / Zoë, les clés du magasin, le temps d’une soirée
    ");
    let selection = mail("racket_selection", "en").text;
    assert!(selection.contains("Carbon padel racket") && !selection.contains("Presto"), "{selection}");
    let basket = mail("left_basket", "en").text;
    assert!(basket.contains("Court shoe Marée"), "{basket}");
    insta::assert_snapshot!(mail("goodbye", "en").text, @"
    Hello Zoë,

    Our last ten mails did not interest you, as far as we can tell. Nobody needs an inbox
    full of things they do not read, so this is the last one: we stop here, and you need do
    nothing.

    Were we wrong? One click, and you stay: https://www.maison.example/stay

    Orders, repairs and your guarantee are not touched: about those we write when there is
    something to say.

    All the best, and good games,
    Camille, Maison Roland

    --
    You receive this mail because you agreed to hear from Maison Roland.
    Unsubscribe: https://mail.maison.example/u/AQEBAAAAAAAAAAcAAAAAAPI8F6TjV7FTsepjXkvSP7M
    Choose what you receive: https://mail.maison.example/p/AQECAAAAAAAAAAcAAAAAADFVvUfurMgZhvd_z7xBlEk
    12 rue des Courts, 75016 Paris
    ");
}

#[test]
fn letters_have_the_words_of_their_campaign() {
    let shop = shop();
    let is_letter = |campaign: &&Campaign| campaign.versions.iter().all(|one| one.template == "letter");
    let letters: Vec<_> = shop.catalogue.campaigns.values().filter(is_letter).collect();
    assert!(letters.len() > 5, "{}", letters.len());
    for campaign in letters.iter().map(|campaign| campaign.name.as_str()) {
        let mail = shop.render(campaign, "default", &reader("en")).expect("it renders");
        assert!(
            mail.text.starts_with("Hello Zoë,\n\n") && mail.subject.starts_with("Zoë: "),
            "{}",
            mail.text
        );
        assert!(mail.html.contains("Camille, Maison Roland"), "{campaign}");
        shop.render(campaign, "default", &Reader::new("", "{}")).expect("it renders for whoever lacks all");
    }
    insta::assert_snapshot!(shop.render("why_us", "default", &reader("en")).expect("it renders").text, @"
    Hello Zoë,

    A racket costs what it costs elsewhere. What it costs afterwards differs: restringing while you wait, a repair bench, and two weeks to try shoes on court.

    Found it for less within a month? Send us the link, and you get the difference back.

    Compare: https://www.maison.example/compare

    Camille, Maison Roland

    --
    You receive this mail because you agreed to hear from Maison Roland.
    Unsubscribe: https://mail.maison.example/u/AQEBAAAAAAAAAAcAAAAAAPI8F6TjV7FTsepjXkvSP7M
    Choose what you receive: https://mail.maison.example/p/AQECAAAAAAAAAAcAAAAAADFVvUfurMgZhvd_z7xBlEk
    12 rue des Courts, 75016 Paris
    ");
}
