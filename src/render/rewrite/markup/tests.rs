//! The reader finds what a full parser finds.

use std::cell::RefCell;

use lol_html::{HtmlRewriter, Settings, element};

use super::*;
use crate::render::rewrite::tests::WORDS;

/// The same by a parser of HTML.
fn oracle(html: &str) -> Vec<String> {
    let hrefs = RefCell::new(Vec::new());
    let settings = Settings::new()
        .append_element_content_handler(element!("a[href], area[href]", |element| {
            hrefs.borrow_mut().extend(element.get_attribute("href"));
            Ok(())
        }))
        .with_strict(false);
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    rewriter.write(html.as_bytes()).and_then(|()| rewriter.end()).expect("it is read");
    hrefs.into_inner().into_iter().filter(|href| !href.is_empty()).collect()
}

fn hrefs(html: &str) -> Vec<String> {
    let values = read(html).hrefs.into_iter().map(|href| html[href.value].to_owned());
    values.filter(|href| !href.is_empty()).collect()
}

#[test]
fn tags_are_read_as_browsers_do() {
    for (html, expected) in [
        ("<a href=\"x\">", vec!["x"]),
        ("<a href='x' href='y'>", vec!["x"]),
        ("<a href=x/>", vec!["x/"]),
        ("<a/href=x>", vec!["x"]),
        ("<a\nhref\t=\r\n'x'>", vec!["x"]),
        ("<a href>", vec![]),
        ("<a href=>", vec![]),
        ("<a =href=x>", vec![]),
        ("<a title='>' href=x>", vec!["x"]),
        ("<a title=\"<a href=y>\" href=x>", vec!["x"]),
        ("<abbr href=x><aside href=x>", vec![]),
        ("< a href=x>", vec![]),
        ("<a href=x", vec![]),
        ("<a href='x>", vec![]),
        ("<!--><a href=x>", vec!["x"]),
        ("<!---><a href=x>", vec!["x"]),
        ("<!-- --!><a href=x>", vec!["x"]),
        ("<!-- > <a href=x> --><a href=y>", vec!["y"]),
        ("<!--[if !mso]><!--><a href=x><!--<![endif]-->", vec!["x"]),
        ("<![if !mso]><a href=x><![endif]>", vec!["x"]),
        ("<?xml version='1.0'?><a href=x>", vec!["x"]),
        ("</ a href=y><a href=x>", vec!["x"]),
        ("<style><a href=y></style ><a href=x>", vec!["x"]),
        ("<style><a href=y></styles></style", vec![]),
        ("<title><a href=y></title><a href=x>", vec!["x"]),
        ("<script><!-- <script> </script><a href=y>", vec![]),
        ("<script>1 < 2</script><a href=x>", vec!["x"]),
        ("<plaintext><a href=y>", vec![]),
        ("<svg><a href=x></svg>", vec!["x"]),
        ("<![CDATA[ > <a href=y> ]]><a href=x>", vec!["x"]),
    ] {
        assert_eq!(hrefs(html), expected, "{html}");
    }
    assert_eq!(read("<!-- </body> --></body ></BODY>x").body_end, Some(24));
    assert_eq!(read("<title></body></title>").body_end, None);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2_000))]
    #[test]
    fn any_html_is_read_as_a_parser_does(words in proptest::collection::vec(0..WORDS.len(), 0..24)) {
        let html: String = words.into_iter().map(|word| WORDS[word]).collect();
        // A comment outside of drawings: passed over a little further, on purpose.
        if !html.contains("<![CDATA[") {
            proptest::prop_assert_eq!(hrefs(&html), oracle(&html), "{}", html);
        }
    }
}
