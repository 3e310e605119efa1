//! E-mail addresses: accepted, refused with which words, compared how.

use campaignd::domain::address::EmailAddress;
use insta::assert_snapshot;
use proptest::prelude::*;

fn refusal(text: &str) -> String {
    EmailAddress::parse(text).expect_err(text).to_string()
}

#[test]
fn addresses_are_accepted_as_they_are() {
    for text in [
        "anna@shop.example",
        "Anna.Müller+padel@shop.example",
        "o'neill@shop.example",
        "a@b.co",
        "1@2.example",
        "x_y=z@a-b.c--d.example",
        "customer-12345@shop.example",
        "anna@müller.example",
        "anna@xn--mller-kva.example",
        "用户@例子.广告",
        "संपर्क@डाटामेल.भारत",
        "josé@münchen.example",
        &format!("{}@shop.example", "a".repeat(64)),
        &format!("a@{}.example", "b".repeat(63)),
    ] {
        let address = EmailAddress::parse(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(address.as_str(), text);
        assert_eq!(format!("{}@{}", address.local(), address.domain()), text);
    }
}

#[test]
fn what_is_no_address_is_refused_with_a_reason() {
    assert_snapshot!(refusal(""), @"`` is not an e-mail address: it is empty");
    assert_snapshot!(refusal("anna"), @"`anna` is not an e-mail address: it has no @");
    assert_snapshot!(refusal("@shop.example"), @"`@shop.example` is not an e-mail address: nothing stands before the @");
    assert_snapshot!(refusal("anna@"), @"`anna@` is not an e-mail address: nothing stands behind the @");
    assert_snapshot!(refusal("anna@home@shop.example"), @"`anna@home@shop.example` is not an e-mail address: it has more than one @");
    assert_snapshot!(refusal("anna@gmail"), @"`anna@gmail` is not an e-mail address: its domain has no dot");
    assert_snapshot!(refusal("anna @shop.example"), @"`anna @shop.example` is not an e-mail address: white space is in it");
    assert_snapshot!(refusal("anna\u{a0}@shop.example"), @"`anna�@shop.example` is not an e-mail address: white space is in it");
    assert_snapshot!(refusal("Anna <anna@shop.example>"), @"`Anna <anna@shop.example>` is not an e-mail address: give the bare address, without name and angle brackets");
    assert_snapshot!(refusal("anna@shop.example\r\nBcc: all@shop.example"), @"`anna@shop.example��Bcc: all@shop.example` is not an e-mail address: a control character or a line break is in it");
    assert_snapshot!(refusal("anna@shop.example\0"), @"`anna@shop.example�` is not an e-mail address: a control character or a line break is in it");
    assert_snapshot!(refusal(".anna@shop.example"), @"`.anna@shop.example` is not an e-mail address: a dot begins or ends what stands before the @, or follows another");
    assert_snapshot!(refusal("anna..b@shop.example"), @"`anna..b@shop.example` is not an e-mail address: a dot begins or ends what stands before the @, or follows another");
    assert_snapshot!(refusal("anna,bert@shop.example"), @"`anna,bert@shop.example` is not an e-mail address: a character before the @ is not one that an address can have");
    assert_snapshot!(refusal("mailto:anna@shop.example"), @"`mailto:anna@shop.example` is not an e-mail address: a character before the @ is not one that an address can have");
    assert_snapshot!(refusal("an\u{200b}na@shop.example"), @"`an�na@shop.example` is not an e-mail address: a character before the @ is not one that an address can have");
    assert_snapshot!(refusal("anna\u{fffd}@shop.example"), @"`anna�@shop.example` is not an e-mail address: a character before the @ is not one that an address can have");
    assert_snapshot!(refusal("\"anna b\"@shop.example"), @r#"`"anna b"@shop.example` is not an e-mail address: white space is in it"#);
    assert_snapshot!(refusal("anna@[192.0.2.1]"), @"`anna@[192.0.2.1]` is not an e-mail address: an address of a machine in brackets is not supported; give a domain");
    assert_snapshot!(refusal("anna@192.0.2.1"), @"`anna@192.0.2.1` is not an e-mail address: its domain ends with a number");
    assert_snapshot!(refusal("anna@shop_one.example"), @"`anna@shop_one.example` is not an e-mail address: a character behind the @ is not one that a domain can have");
    assert_snapshot!(refusal("anna@-shop.example"), @"`anna@-shop.example` is not an e-mail address: a part of its domain begins or ends with a hyphen");
    assert_snapshot!(refusal("anna@shop.example."), @"`anna@shop.example.` is not an e-mail address: a dot begins or ends its domain, or follows another");
    assert_snapshot!(refusal("anna@xn--a-ecp.example\u{ff0e}"), @"`anna@xn--a-ecp.example�` is not an e-mail address: a character behind the @ is not one that a domain can have");
    assert_snapshot!(refusal("anna@xn--99999999.example"), @"`anna@xn--99999999.example` is not an e-mail address: its domain is no valid international domain name");
    assert_snapshot!(refusal(&format!("{}@shop.example", "ä".repeat(33))), @"`äääääääääääääääääääääääääääääääää@shop.example` is not an e-mail address: what stands before the @ is longer than 64 bytes");
    assert_snapshot!(refusal(&format!("a@{}.example", "b".repeat(64))), @"`a@bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.example` is not an e-mail address: a part of its domain is longer than 63 bytes");
    assert_snapshot!(refusal(&format!("a@{}example", "b.".repeat(124))), @"`a@b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.` is not an e-mail address: its domain is longer than 253 bytes");
    assert_snapshot!(refusal(&format!("{}@{}example", "a".repeat(64), "b.".repeat(100))), @"`aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b.b.b.b.b.b.b.b` is not an e-mail address: it is longer than 254 bytes");
}

#[test]
fn addresses_are_compared_in_lower_case() {
    let check = |one: &str, folded: &str, wire: &str| {
        let address = EmailAddress::parse(one).unwrap();
        assert_eq!(address.folded(), folded);
        assert_eq!(address.on_the_wire(), wire);
    };
    check("Anna@Shop.EXAMPLE", "anna@shop.example", "Anna@Shop.EXAMPLE");
    check("Anna@MÜLLER.example", "anna@xn--mller-kva.example", "Anna@xn--mller-kva.example");
    check("ÉLODIE@shop.example", "élodie@shop.example", "ÉLODIE@shop.example");
    check("E\u{301}lodie@shop.example", "élodie@shop.example", "E\u{301}lodie@shop.example");
}

proptest! {
    #[test]
    fn whatever_is_accepted_is_harmless_and_folds_once(text in r"\PC{0,12}[@.]?\PC{0,12}@[\PC.]{0,20}\.(example|[a-zü]{2,5})") {
        if let Ok(address) = EmailAddress::parse(&text) {
            prop_assert!(!text.chars().any(|c| c.is_control() || c.is_whitespace() || "<>,;:\"()[]\\".contains(c)));
            prop_assert_eq!(text.matches('@').count(), 1);
            let folded = EmailAddress::parse(&address.folded()).expect("a folded address is an address");
            prop_assert_eq!(folded.folded(), address.folded());
            prop_assert!(address.on_the_wire().is_ascii() || !address.local().is_ascii());
        }
    }

    #[test]
    fn lettre_takes_what_is_accepted(
        local in "[a-zA-Z0-9äéøñж中!#$%&'*+/=?^_`{|}~-]{1,16}(\\.[a-z0-9é]{1,8})?",
        domain in "[a-z0-9ü]{1,10}(-[a-z0-9]{1,5})?(\\.[a-zé0-9]{1,8})?\\.(example|рф|co)",
    ) {
        let text = format!("{local}@{domain}");
        if let Ok(address) = EmailAddress::parse(&text) {
            prop_assert!(address.as_str().parse::<lettre::Address>().is_ok());
            prop_assert!(address.on_the_wire().parse::<lettre::Address>().is_ok());
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        EmailAddress::parse(&text).ok();
    }
}
