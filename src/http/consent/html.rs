//! How the pages look: one column, readable on a phone, without script, image or foreign address.

use super::words::Words;
use crate::domain::consent::{ConsentState, Purpose};

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c1c1e;--soft:#55555c;--paper:#fff;--line:#8a8a92;--act:#1d4ed8;--on-act:#fff}\
@media(prefers-color-scheme:dark){:root{--ink:#f2f2f5;--soft:#b8b8c0;--paper:#17171a;--line:#8a8a92;--act:#9db8ff;--on-act:#10131c}}\
*{box-sizing:border-box}\
body{margin:0;background:var(--paper);color:var(--ink);font:1.0625rem/1.55 system-ui,-apple-system,'Segoe UI',sans-serif}\
main{max-width:34rem;margin:0 auto;padding:clamp(1.5rem,8vh,5rem) 1.25rem 3rem}\
h1{font-size:1.625rem;line-height:1.25;margin:0 0 1rem}\
p{margin:0 0 1rem;overflow-wrap:anywhere}\
.soft{color:var(--soft);font-size:.9375rem}\
fieldset{border:1px solid var(--line);border-radius:.5rem;margin:0 0 1.25rem;padding:.75rem 1rem 1rem}\
legend{font-weight:600;padding:0 .35rem}\
label{display:flex;gap:.6rem;align-items:center;min-height:2.75rem}\
input{width:1.25rem;height:1.25rem;flex:none;accent-color:var(--act)}\
button{font:inherit;font-weight:600;min-height:3rem;padding:.6rem 1.5rem;border:0;border-radius:.5rem;background:var(--act);color:var(--on-act);cursor:pointer}\
a{color:var(--act)}\
:focus-visible{outline:3px solid var(--act);outline-offset:3px}\
.said{border-left:.3rem solid var(--act);padding:.5rem 0 .5rem .9rem}\
@media(max-width:26rem){button{width:100%}}";

/// The page behind an unsubscribe link.
pub(super) fn ask_to_leave(words: &Words, address: &str, sender: &str) -> String {
    let question = escape(&words.question(address, sender));
    let (unsubscribe, other_mail) = (words.unsubscribe, words.other_mail);
    let body = format!(
        "<h1>{unsubscribe}</h1>\n<p>{question}</p>\n<form method=\"post\">\n\
         <p><button type=\"submit\" name=\"from\" value=\"page\">{unsubscribe}</button></p>\n</form>\n\
         <p class=\"soft\">{other_mail}</p>\n"
    );
    page(words, words.unsubscribe, &body)
}

/// It is done.
pub(super) fn left(words: &Words, address: &str, sender: &str, preferences: &str) -> String {
    let done = escape(&words.done(address, sender));
    let (title, mistake, to_preferences) = (words.done_title, words.mistake, words.preferences);
    // A path from this page: whatever stands before it on a proxy stays.
    let body = format!(
        "<h1>{title}</h1>\n<p role=\"status\">{done}</p>\n\
         <p class=\"soft\">{mistake} <a href=\"../p/{preferences}\">{to_preferences}</a></p>\n"
    );
    page(words, words.done_title, &body)
}

/// The page of preferences. `states`: marketing, tracking.
pub(super) fn preferences(
    words: &Words,
    address: &str,
    sender: &str,
    states: [ConsentState; 2],
    saved: bool,
    held_back: bool,
) -> String {
    let said = |is_so: bool, text: &str| {
        if is_so { format!("<p class=\"said\" role=\"status\">{text}</p>\n") } else { String::new() }
    };
    let [marketing, tracking] = states;
    let body = [
        format!("<h1>{}</h1>\n<p>{}</p>\n", words.preferences, escape(address)),
        said(saved, words.saved),
        said(held_back, words.held_back),
        "<form method=\"post\">\n".to_owned(),
        question(words, Purpose::Marketing, marketing, sender),
        question(words, Purpose::Tracking, tracking, sender),
        format!("<p><button type=\"submit\">{}</button></p>\n</form>\n", words.save),
        format!("<p class=\"soft\">{}</p>\n", words.other_mail),
    ]
    .concat();
    page(words, words.preferences, &body)
}

fn question(words: &Words, purpose: Purpose, state: ConsentState, sender: &str) -> String {
    let name = purpose.word();
    let option = |answer: ConsentState, text: &str| {
        let checked = if answer == state { " checked" } else { "" };
        let value = answer.word();
        format!("<label><input type=\"radio\" name=\"{name}\" value=\"{value}\"{checked}> {text}</label>\n")
    };
    format!(
        "<fieldset>\n<legend>{}</legend>\n<p>{}</p>\n{}{}</fieldset>\n",
        words.legend(purpose),
        escape(&words.statement(purpose, sender)),
        option(ConsentState::Yes, words.yes),
        option(ConsentState::No, words.no),
    )
}

/// Whoever was erased gets no mail: there is nothing to ask.
pub(super) fn erased(words: &Words) -> String {
    message(words, words.done_title, words.erased)
}

/// No such link.
pub(super) fn unknown(words: &Words) -> String {
    message(words, words.unknown_title, words.unknown)
}

/// The store is away.
pub(super) fn later(words: &Words) -> String {
    message(words, words.later_title, words.later)
}

fn message(words: &Words, title: &str, text: &str) -> String {
    page(words, title, &format!("<h1>{title}</h1>\n<p role=\"status\">{text}</p>\n"))
}

fn page(words: &Words, title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        words.tag
    )
}

/// For text and for attributes in quotation marks.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::language::Language;

    #[test]
    fn nothing_that_is_shown_becomes_markup() {
        for language in Language::ALL {
            let words = Words::of(language);
            let sender = "<script>alert(\"1\")</script> & 'Co'";
            for page in [
                ask_to_leave(&words, "<b>…@x.example", sender),
                left(&words, "\"…@x.example", sender, "TOKEN"),
                preferences(&words, "<…@x.example", sender, [ConsentState::Yes; 2], true, true),
            ] {
                assert!(!page.contains("<script") && !page.contains("<b>"), "{page}");
                assert!(
                    page.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;Co&#39;"),
                    "{page}"
                );
                assert!(
                    !page.contains('{') || page.matches('{').count() == STYLE.matches('{').count(),
                    "{page}"
                );
            }
        }
    }

    #[test]
    fn an_answer_that_is_not_known_is_not_given_for_anybody() {
        let words = Words::of(Language::English);
        let page = preferences(
            &words,
            "a…@x.example",
            "Shop",
            [ConsentState::Unknown, ConsentState::No],
            false,
            false,
        );
        assert_eq!(page.matches(" checked").count(), 1);
        assert!(page.contains("name=\"tracking\" value=\"no\" checked"));
    }
}
