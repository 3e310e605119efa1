//! Nothing but values of `href` changes, and what was there can be told from what is there now.

use super::*;
use crate::domain::campaign::Utm;
use crate::domain::delivery::{DeliveryId, RunId};
use crate::links::{Claims, Signer, SigningKey};

const RUN: RunId = RunId(3);
const DELIVERY: Subject = Subject::Delivery(DeliveryId(7));

fn links() -> Links {
    let key = SigningKey { id: 0, secret: vec![7; 32] };
    Links::new(Signer::new(&key, &[]), "https://mail.maison.example/x?a=1&b")
}

/// Puts back what the rewriting took, by what the tokens say alone.
fn undo(html: &str, urls: &[String], links: &Links) -> String {
    let base = "https://mail.maison.example/x?a=1&amp;b/";
    let mut original = html.to_owned();
    while let Some(start) = original.find(base) {
        let behind = start + base.len();
        let (path, token) = (&original[behind..behind + 2], &original[behind + 2..behind + 45]);
        match (path, links.signer().verify(token).expect("it was minted here")) {
            ("c/", Claims::Click(_, number)) => {
                let number_of = |url: &&String| LinkNumber::first_choice(RUN, url) == number;
                let url = urls.iter().find(number_of).expect("it stood in the mail");
                original.replace_range(start..behind + 45, &entities::encode(url));
            }
            ("o/", Claims::Open(_)) => {
                let open = original[..start].rfind("<img").expect("a tag");
                let close = start + original[start..].find('>').expect("it ends") + 1;
                original.replace_range(open..close, "");
            }
            other => panic!("{other:?}"),
        }
    }
    original
}

fn rewritten(html: &str, tracking: Tracking, utm: &Utm) -> (String, Vec<String>) {
    let links = links();
    let mut common = HashSet::new();
    collect(html, &mut common);
    let parameters = Parameters::of(utm);
    let found = find(html, Rules { tracking, parameters: &parameters, common: &common, links: &links });
    let numbers: Vec<_> = found.urls.iter().map(|url| LinkNumber::first_choice(RUN, url)).collect();
    let subject = if tracking == Tracking::Aggregate { Subject::Run(RUN) } else { DELIVERY };
    (found.apply(html.to_owned(), &links, subject, &numbers), found.urls)
}

/// With tokens of one delivery; tokens shown as `CLICK` and `OPEN`.
fn shown(html: &str) -> String {
    let (html, urls) = rewritten(html, Tracking::Individual, &Utm::default());
    let mut shown = html;
    for (index, url) in urls.iter().enumerate() {
        let address = links().click(DELIVERY, LinkNumber::first_choice(RUN, url));
        shown = shown.replace(&entities::encode(&address), &format!("CLICK{index}"));
    }
    shown.replace(&entities::encode(&links().open(DELIVERY)), "OPEN") + "\n" + &urls.join("\n")
}

#[test]
fn only_links_to_the_web_are_rewritten() {
    insta::assert_snapshot!(shown(r##"<!DOCTYPE html><html><body>
<a class=x href="https://a.example/?b=1&amp;c=2#top" id=y>two</a> <A HREF = 'https://a.example/'>one</A>
<a href=https://a.example/>one again, unquoted</a><area shape=rect href="https://a.example/area"/>
<a href="mailto:a@b.example">m</a> <a href="tel:+331">t</a> <a href="#x">x</a> <a href="/r">r</a> <a>none</a>
<link href="https://a.example/style"> <img src="https://a.example/i" alt="<a href='https://a.example/no'>">
<!-- <a href="https://a.example/no"> --><!--[if mso]><a href="https://a.example/no"><![endif]-->
<style>a[href="https://a.example/no"] { }</style><a href="https://mail.maison.example/x?a=1&amp;b/u/token">leave</a>
<a href="https://a.example/"	href="https://a.example/second">first</a>
</body></html>
"##), @r##"
<!DOCTYPE html><html><body>
<a class=x href="CLICK0" id=y>two</a> <A HREF = 'CLICK1'>one</A>
<a href="CLICK1">one again, unquoted</a><area shape=rect href="CLICK2"/>
<a href="mailto:a@b.example">m</a> <a href="tel:+331">t</a> <a href="#x">x</a> <a href="/r">r</a> <a>none</a>
<link href="https://a.example/style"> <img src="https://a.example/i" alt="<a href='https://a.example/no'>">
<!-- <a href="https://a.example/no"> --><!--[if mso]><a href="https://a.example/no"><![endif]-->
<style>a[href="https://a.example/no"] { }</style><a href="https://mail.maison.example/x?a=1&amp;b/u/token">leave</a>
<a href="CLICK1"	href="https://a.example/second">first</a>
<img src="OPEN" alt="" width="1" height="1" style="display:block; border:0;"></body></html>

https://a.example/?b=1&c=2#top
https://a.example/
https://a.example/area
"##);
}

#[test]
fn the_pixel_goes_before_the_end_of_the_body_or_to_the_end() {
    insta::assert_snapshot!(shown("<p>no body</p>"), @r##"<p>no body</p><img src="OPEN" alt="" width="1" height="1" style="display:block; border:0;">"##);
    insta::assert_snapshot!(shown("<body></body><!-- </body> --><a href=https://a.example>late</a></BODY ></html>"), @r##"
<body></body><!-- </body> --><a href="CLICK0">late</a><img src="OPEN" alt="" width="1" height="1" style="display:block; border:0;"></BODY ></html>
https://a.example
"##);
    insta::assert_snapshot!(shown("<body></body><a href=https://a.example>later</a>"), @r##"
<body><img src="OPEN" alt="" width="1" height="1" style="display:block; border:0;"></body><a href="CLICK0">later</a>
https://a.example
"##);
    insta::assert_snapshot!(shown("cut <a href='https://a.example"), @r##"cut <a href='https://a.example<img src="OPEN" alt="" width="1" height="1" style="display:block; border:0;">"##);
}

#[test]
fn modes_and_parameters_are_apart() {
    let html = r#"<a href="https://a.example/?x=&quot;">a</a><body></body>"#;
    let utm = Utm { source: Some("mail".to_owned()), ..Utm::default() };
    assert_eq!(rewritten(html, Tracking::None, &Utm::default()), (html.to_owned(), vec![]));
    let (plain, urls) = rewritten(html, Tracking::None, &utm);
    assert_eq!(plain, r#"<a href="https://a.example/?x=&quot;&amp;utm_source=mail">a</a><body></body>"#);
    assert!(urls.is_empty());
    let (tracked, urls) = rewritten(html, Tracking::Individual, &utm);
    assert_eq!(urls, ["https://a.example/?x=\"&utm_source=mail"]);
    assert_eq!(undo(&tracked, &urls, &links()), plain);

    // Counted, but not who: one and the same in all mails, and nothing that is made for one contact.
    let links = links();
    let common = HashSet::from(["https://a.example/same".to_owned()]);
    let parameters = Parameters::default();
    let rules =
        Rules { tracking: Tracking::Aggregate, parameters: &parameters, common: &common, links: &links };
    let html = "<a href='https://a.example/same'>s</a><a href='https://a.example/?contact=7'>c</a>";
    let found = find(html, rules);
    assert_eq!(found.urls, ["https://a.example/same"]);
    let shown = found.apply(html.to_owned(), &links, Subject::Run(RUN), &[LinkNumber(5)]);
    let click = entities::encode(&links.click(Subject::Run(RUN), LinkNumber(5)));
    let pixel = entities::encode(&links.open(Subject::Run(RUN)));
    assert_eq!(
        shown,
        format!(
            "<a href='{click}'>s</a><a href='https://a.example/?contact=7'>c</a>\
             <img src=\"{pixel}\" alt=\"\" width=\"1\" height=\"1\" style=\"display:block; border:0;\">"
        )
    );
}

/// Words that HTML is made of; most orders of them are awkward.
pub(super) const WORDS: [&str; 48] = [
    "<a ",
    "<A\n",
    "<area/",
    "</a>",
    "<p ",
    "<b>",
    "<",
    ">",
    "/>",
    "</",
    "href=",
    "HREF =",
    "hreF\t=\n",
    "href",
    "=",
    "\"",
    "'",
    "\"https://a.example/\"",
    "'https://a.example/?b=1&amp;c'",
    "https://b.example/&copy ",
    "\" ",
    "mailto:x",
    "#top",
    "<!--",
    "-->",
    "--!>",
    "<!-",
    "<!>",
    "<!DOCTYPE html>",
    "<?x",
    "<![CDATA[",
    "]]>",
    "<style>",
    "</style>",
    "</STYLE x>",
    "<title>",
    "</title",
    "</body>",
    "</body ",
    "<textarea>",
    "</textarea>",
    "é",
    " ",
    "class=x",
    "&amp;",
    "<!--[if mso]>",
    "<![endif]-->",
    "data-href='x'",
];

proptest::proptest! {
    #[test]
    fn what_was_there_can_be_put_back(
        words in proptest::collection::vec(0..WORDS.len(), 0..24),
    ) {
        let html: String = words.into_iter().map(|word| WORDS[word]).collect();
        for tracking in [Tracking::Individual, Tracking::Aggregate] {
            let (changed, urls) = rewritten(&html, tracking, &Utm::default());
            let pixels = changed.matches("<img").count();
            proptest::prop_assert_eq!(pixels, 1);
            // As far as quotation marks and references are spelled: `rewritten` writes them its own way.
            let plain = |text: &str| entities::decode(text).replace(['"', '\'', ' ', '\n', '\t'], "");
            let undone = undo(&changed, &urls, &links());
            let same = plain(&undone) == plain(&html);
            proptest::prop_assert!(same, "{:?} became {:?}", html, undone);
        }
    }
}
