//! Templates held against what is declared: every mistake at its line and column.

use campaignd::domain::name::AttributeName;
use campaignd::render::{TemplateFile, Templates, required};

use super::{DECLARATIONS, FOOTER, NOTE, Shop, hello};

#[test]
fn undeclared_names_are_found_where_they_stand() {
    for (html, expected) in [
        ("{{ contact.first_name or \"you\" }} {{ contact.email }} {{ traits.spend }} {{ data.percent }}", ""),
        (
            "<p>\n  é {{ contact.frist_name }}",
            "2:16 <frist_name> unknown-attribute: `contact.frist_name` is not declared (did you mean `first_name`?)",
        ),
        (
            "{% if false %}{{ contact.nickname }}{% endif %}",
            "1:26 <nickname> unknown-attribute: `contact.nickname` is not declared (declare it under `attributes`)",
        ),
        (
            "{{ contact[\"nickname\"] or 1 }}",
            "1:12 <\"nickname\"> unknown-attribute: `contact.nickname` is not declared (declare it under `attributes`)",
        ),
        (
            "{{ traits.spent | money(currency=\"EUR\") }}",
            "1:11 <spent> unknown-trait: `traits.spent` is not declared (did you mean `spend`?)",
        ),
        (
            "{{ first_name }}",
            "1:4 <first_name> unknown-name: `first_name` is not defined (write `contact.first_name`)",
        ),
        ("{{ percent }}", "1:4 <percent> unknown-name: `percent` is not defined (write `data.percent`)"),
        ("{{ spend }}", "1:4 <spend> unknown-name: `spend` is not defined (write `traits.spend`)"),
        (
            "{{ contcat.first_name }}",
            "1:4 <contcat> unknown-name: `contcat` is not defined (did you mean `contact`?)",
        ),
        (
            "{{ customer.name }}",
            "1:4 <customer> unknown-name: `customer` is not defined (templates know `contact`, `traits`, `scores`, `data`, `campaign`, `links`, `sender`, `now`)",
        ),
        ("{{ scores.engagement }} {{ scores.engagement_level }}", ""),
        (
            "{{ scores.engagment }}",
            "1:11 <engagment> unknown-score: `scores.engagment` is not declared (did you mean `engagement`?)",
        ),
        (
            "{{ scores.plain_level }}",
            "1:11 <plain_level> unknown-score: `scores.plain_level` is not declared (declare it under `scores`)",
        ),
        (
            "{{ engagement }}",
            "1:4 <engagement> unknown-name: `engagement` is not defined (write `scores.engagement`)",
        ),
        (
            "{{ data.precent }}",
            "1:9 <precent> unknown-data: `data.precent` is not in the data of `hello` (did you mean `percent`?)",
        ),
        ("{% if data.banner %}x{% endif %}{{ data.banner or 1 }}", ""),
        (
            "{{ data.banner }}",
            "1:9 <banner> unknown-data: `data.banner` is not in the data of `hello` (write it under the campaign's `data`)",
        ),
        (
            "{{ data.nested.deep }} {{ data.nested.deeper }}",
            "1:39 <deeper> unknown-data: `data.nested.deeper` is not in the data of `hello` (did you mean `deep`?)",
        ),
        (
            "{% for item in data.items %}{{ item.name }}{{ loop.index }}{{ item.prize }}{% endfor %}",
            "1:68 <prize> unknown-data: `data.items[…].prize` is not in the data of `hello` (did you mean `price`?)",
        ),
        (
            "{% set d = data.nested %}{{ d.deep }}{{ d.gone }}",
            "1:43 <gone> unknown-data: `data.nested.gone` is not in the data of `hello` (write it under the campaign's `data`)",
        ),
        (
            "{% set c = contact %}{{ c.gone }}",
            "1:27 <gone> unknown-attribute: `contact.gone` is not declared (declare it under `attributes`)",
        ),
        (
            "{% for k, v in data.nested %}{{ k }}{{ v }}{% endfor %}{{ v }}",
            "1:59 <v> unknown-name: `v` is not defined (templates know `contact`, `traits`, `scores`, `data`, `campaign`, `links`, `sender`, `now`)",
        ),
        ("{{ [i.name for i in data.items if i.price > 2] | join(sep=\",\") }}", ""),
        (
            "{{ contact.first_name.last }}",
            "1:23 <last> unknown-name: `contact.first_name` is of type text and has no fields",
        ),
        (
            "{{ links.unsuscribe }}",
            "1:10 <unsuscribe> unknown-name: `links.unsuscribe` is not defined (did you mean `unsubscribe`?)",
        ),
        ("{{ now.year }}", "1:8 <year> unknown-name: `now.year` is not defined"),
        ("{% raw %}{{ nothing }}{% endraw %}{# {{ nothing }} #}", ""),
        (
            "{{ contact.first_name | default(value=nothing) }}",
            "1:39 <nothing> unknown-name: `nothing` is not defined (templates know `contact`, `traits`, `scores`, `data`, `campaign`, `links`, `sender`, `now`)",
        ),
    ] {
        let found = hello(html).problems();
        let expected =
            if expected.is_empty() { String::new() } else { format!("templates/hello/body.html:{expected}") };
        assert_eq!(found, expected, "{html}");
    }
}

#[test]
fn names_are_followed_through_layouts_partials_and_components() {
    let mut files = vec![
        FOOTER,
        (
            "_layout.html",
            "{% set shade = 1 %}{% block top %}{{ contact.top }}{% endblock %}{% block body %}{% endblock %}{% include \"_footer.html\" %}{{ campaign.nome }}",
        ),
        ("_part.html", "{{ shade }}{{ local }}{{ unset }}"),
        (
            "_button.html",
            "{% component button(label: string, url) %}{{ label }}{{ url }}{{ contact.email }}{% endcomponent button %}",
        ),
        ("hello/subject.txt", "{{ contact.subject }}"),
        (
            "hello/body.html",
            "{% extends \"_layout.html\" %}{% block top %}no top{% endblock %}{% block body %}{% set local = 2 %}{% include \"_part.html\" %}{{ <button label=\"x\" url={contact.link} /> }}{{ outside }}{% endblock %}",
        ),
    ];
    files.extend(NOTE);
    insta::assert_snapshot!(Shop::new(DECLARATIONS, &files).problems(), @"
templates/_button.html:1:66 <contact> unknown-name: `contact` is not an argument of this component (a component sees its own arguments only: pass it what it needs)
templates/_layout.html:1:136 <nome> unknown-name: `campaign.nome` is not defined (did you mean `name`?)
templates/_part.html:1:26 <unset> unknown-name: `unset` is not defined (templates know `contact`, `traits`, `scores`, `data`, `campaign`, `links`, `sender`, `now`)
templates/hello/body.html:1:159 <link> unknown-attribute: `contact.link` is not declared (declare it under `attributes`)
templates/hello/body.html:1:173 <outside> unknown-name: `outside` is not defined (templates know `contact`, `traits`, `scores`, `data`, `campaign`, `links`, `sender`, `now`)
templates/hello/subject.txt:1:12 <subject> unknown-attribute: `contact.subject` is not declared (declare it under `attributes`)
");
}

#[test]
fn what_does_not_compile_has_a_place() {
    let declarations = DECLARATIONS;
    let mut files = vec![
        FOOTER,
        ("_broken.html", "ok\n{% if %}"),
        ("_a.html", "{% include \"_b.html\" %}"),
        ("_b.html", "\n {% include \"_a.html\" %}"),
        ("hello/subject.txt", "{{ contact.first_name | capitalise }} {{ 1 | datte }}"),
        (
            "hello/body.html",
            "{% for x in [1] -%} {{ x | monney }}{% endfor %}\n{% include \"_foter.html\" %}",
        ),
        ("hello/body.mjml", "<mjml/>"),
        ("other/subject.txt", "{{ 'open }}"),
        ("other/body.html", "{% extends \"_broken.html\" %}"),
        ("other/boddy.txt", ""),
        ("subject.txt", ""),
        ("third/body.f!.html", ""),
    ];
    files.extend(NOTE);
    insta::assert_snapshot!(Shop::new(declarations, &files).problems(), @"
templates/_a.html:1:13 <_b.html> template-cycle: the template includes itself: _a.html → _b.html → _a.html
templates/_broken.html:2:7 <%}> template-syntax: the template cannot be read: found `%}` but expected one of: integer, float, string, bool, ident, `-`, `not`, `<`, `{`, `[` or `(`
templates/hello/body.html:1:28 <monney> unknown-filter: unknown filter `monney` (did you mean `money`?)
templates/hello/body.html:2:13 <_foter.html> unknown-template: `_foter.html` is not among the templates (did you mean `_footer.html`?)
templates/hello/body.mjml:1:1 <> not-available: MJML is not available in this version (write `body.html` instead, or convert the file with the `mjml` program)
templates/hello/subject.txt:1:25 <capitalise> unknown-filter: unknown filter `capitalise` (did you mean `capitalize`?)
templates/hello/subject.txt:1:46 <datte> unknown-filter: unknown filter `datte` (did you mean `date`?)
templates/other/boddy.txt:1:1 <> unexpected-file: `boddy.txt` is neither a part of an e-mail nor a partial (did you mean `body.txt`?)
templates/other/subject.txt:1:4 <'> template-syntax: the template cannot be read: string opened with `'` is missing its closing `'`
templates/subject.txt:1:1 <> unexpected-file: a part of an e-mail stands outside of a folder (give each e-mail a folder of its own: templates/welcome/subject.txt)
templates/third/body.f!.html:1:1 <> unexpected-file: `f!` is not a language tag such as fr or fr-CA
");
}

#[test]
fn two_components_of_one_name_are_refused() {
    let component = "{% component button(label) %}x{% endcomponent button %}";
    let mut files = vec![("_a.html", component), ("_b.html", component), FOOTER];
    files.extend(NOTE);
    insta::assert_snapshot!(Shop::new(DECLARATIONS, &files).problems(), @r#"
    template-reference: component `button` is defined in both `_a.html` and `_b.html`
    campaigns/shop.yaml:17:15 <hello> unknown-template: there is no template `hello` (make the folder templates/hello with subject.txt, body.html and body.txt)
    "#);
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let file = |name: &str, bytes: &[u8]| TemplateFile { name: name.into(), bytes: bytes.to_vec() };
    let loaded = Templates::read(&[
        file("a/subject.txt", b"ok\n caf\xe9"),
        file("a/body.html", b"\xef\xbb\xbfwith a byte order mark"),
        file("a/body.txt", &vec![b'x'; 600_000]),
        file("a/.DS_Store", b"\xff"),
        file("a/body.html~", b"\xff"),
    ]);
    let shown: Vec<_> = loaded
        .problems
        .iter()
        .map(|problem| {
            format!(
                "{:?} {} {}",
                problem.place.as_ref().map(|p| (&*p.file, p.line, p.column)),
                problem.code,
                problem.message
            )
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
Some(("templates/a/body.txt", 1, 1)) too-large the template has 600000 bytes; at most 500000 are read
Some(("templates/a/subject.txt", 2, 5)) not-utf8 the template is not valid UTF-8 from here on
"#);
}

#[test]
fn a_missing_template_stands_at_the_campaign() {
    let shop = Shop::new(
        DECLARATIONS,
        &[("helo/subject.txt", "x"), ("note/subject.txt", "x"), ("note/body.fr.txt", "x")],
    );
    insta::assert_snapshot!(shop.problems(), @r#"
    campaigns/shop.yaml:17:15 <hello> unknown-template: there is no template `hello` (did you mean `helo`?)
    campaigns/shop.yaml:22:15 <note> missing-template-file: the template `note` has no body.html (write templates/note/body.html)
    templates/note/body.fr.txt:1:1 <x> incomplete-language: the language version `fr` of `note` has no body.fr.html: it takes the default's
    templates/note/body.fr.txt:1:1 <x> incomplete-language: the language version `fr` of `note` has no subject.fr.txt: it takes the default's
    "#);
}

#[test]
fn marketing_mail_must_let_people_go() {
    let files = |html: &'static str, text: &'static str| {
        let mut files = vec![("hello/subject.txt", "x"), ("hello/body.html", html), ("hello/body.txt", text)];
        files.extend(NOTE);
        Shop::new(DECLARATIONS, &files).problems()
    };
    let good = "<a href=\"{{ links.unsubscribe }}\">bye</a> {{ sender.postal_address }}";
    assert_eq!(files(good, "{{ links.unsubscribe }} 12 rue des Courts, 75016 Paris"), "");
    insta::assert_snapshot!(files("<p>", "text"), @r#"
templates/hello/body.html:1:1 <<> no-postal-address: marketing mail must show the sender's postal address (write {{ sender.postal_address }})
templates/hello/body.html:1:1 <<> no-unsubscribe-link: marketing mail must have a visible unsubscribe link (write <a href="{{ links.unsubscribe }}">Unsubscribe</a>)
templates/hello/body.txt:1:1 <t> no-postal-address: marketing mail must show the sender's postal address (write {{ sender.postal_address }})
templates/hello/body.txt:1:1 <t> no-unsubscribe-link: marketing mail must have a visible unsubscribe link (write {{ links.unsubscribe }})
"#);
    insta::assert_snapshot!(
        files("<!-- <a href=\"{{ links.unsubscribe }}\">x</a> --><div style=\"display: none\"><a href=\"{{ links.unsubscribe }}\">x</a></div>{{ sender.postal_address }}", "{{ links.unsubscribe }}{{ sender.postal_address }}"),
        @r#"templates/hello/body.html:1:1 <<> no-unsubscribe-link: marketing mail must have a visible unsubscribe link (write <a href="{{ links.unsubscribe }}">Unsubscribe</a>)"#
    );
}

#[test]
fn a_sample_finds_wrong_types() {
    for (html, expected) in [
        (
            "{{ contact.first_name | money(currency=\"EUR\") }}",
            "1:4 <contact.first_name> template-failed: a sample cannot be rendered: invalid type for the value, expected `number` but got `string`",
        ),
        (
            "{{ 1 | money }}",
            "1:8 <money> template-failed: a sample cannot be rendered: `money` needs a currency: money(currency=\"EUR\")",
        ),
        (
            "{% for i in data.items %}\n{% if i.name %}{{ contact.income | date }}{% endif %}{% endfor %}",
            "2:19 <contact.income> template-failed: a sample cannot be rendered: invalid type for the value, expected `date` but got `f64`",
        ),
        (
            "{{ contact.birth_date | date(format=\"time\") }}",
            "1:25 <date(format=\"time\")> template-failed: a sample cannot be rendered: `%H` needs a time of day, and this is only a date",
        ),
        ("{{ 1 / 0 }}", "1:8 <0> template-failed: a sample cannot be rendered: cannot divide by 0"),
    ] {
        let found = hello(html).problems();
        assert_eq!(found, format!("templates/hello/body.html:{expected}"), "{html}");
    }
}

#[test]
#[cfg(unix)]
fn what_has_no_end_is_not_read() {
    let project = tempfile::tempdir().expect("a folder");
    let folder = project.path().join("templates/hello");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::os::unix::fs::symlink("/dev/zero", folder.join("body.html")).expect("a link");
    let loaded = campaignd::render::Templates::load(project.path());
    insta::assert_snapshot!(crate::declare::lines(&loaded.problems), @"templates/hello/body.html:1:1+1 unreadable-file: could not read the file: it is no file");
}

#[test]
fn endless_work_is_stopped() {
    for (html, expected) in [
        (
            "{% for a in range(end=1000) %}{% for b in range(end=1000) %}{% endfor %}{% endfor %}",
            "the loops of this template take more than 100000 turns; shorten them",
        ),
        (
            "{% for a in range(end=400) %}{% set x = [b for b in range(end=400) if b > a] %}{% endfor %}",
            "the loops of this template take more than 100000 turns; shorten them",
        ),
        (
            "{{ range(end=1000000000) }}",
            "the loops of this template take more than 100000 turns; shorten them",
        ),
        (
            "{% for a in range(end=20000) %}{{ campaign.description }}{{ campaign.description }}{{ campaign.description }}{{ campaign.description }}{{ campaign.description }}{{ campaign.description }}{% endfor %}",
            "this part of the mail is larger than 1000000 bytes",
        ),
    ] {
        let found = hello(html).problems();
        assert!(found.ends_with(expected), "{html}: {found}");
        assert_eq!(found.lines().count(), 1, "{found}");
    }
}

#[test]
fn what_a_template_cannot_do_without_is_known() {
    let shop = hello(
        "{{ contact.first_name or 1 }}{% if contact.birth_date %}{{ contact.birth_date | date }}{% endif %}\n{{ contact.income }}{{ contact.income }}{% if contact.interests and \"a\" in contact.interests %}{% endif %}",
    );
    assert_eq!(shop.problems(), "");
    let campaign = shop.catalogue.campaigns.values().next().expect("hello");
    let required: Vec<_> = required(&shop.templates, &shop.catalogue, campaign)
        .into_iter()
        .map(|one| format!("{} {}:{}:{}", one.needed, one.place.file, one.place.line, one.place.column))
        .collect();
    assert_eq!(required, ["contact.income templates/hello/body.html:2:12"]);
    let needs = shop.renderer().needs(&campaign.name);
    let names: Vec<_> = needs.attributes.iter().map(AttributeName::as_str).collect();
    assert_eq!(names, ["birth_date", "first_name", "income", "interests"]);
    assert!(needs.traits.is_empty());
}
