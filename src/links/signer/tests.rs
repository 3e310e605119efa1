//! No token is accepted that was not minted here, for this purpose and this subject.

use super::*;
use crate::domain::delivery::RunId;
use crate::domain::link::LinkNumber;
use crate::links::{Links, Subject};

fn key(id: u8) -> SigningKey {
    SigningKey { id, secret: vec![id; 32] }
}

/// One of each purpose, for a subject and a link.
fn claims(subject: i64, link: i64) -> [Claims; 6] {
    let (delivery, run) = (DeliveryId(subject), RunId(subject));
    [
        Claims::Unsubscribe(delivery),
        Claims::Preferences(delivery),
        Claims::Open(Subject::Delivery(delivery)),
        Claims::Click(Subject::Delivery(delivery), LinkNumber(link)),
        Claims::Open(Subject::Run(run)),
        Claims::Click(Subject::Run(run), LinkNumber(link)),
    ]
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[test]
fn what_is_minted_is_verified() {
    let signer = Signer::new(&key(1), &[]);
    for (subject, link) in [(1, 0), (i64::MAX, (1 << 40) - 1), (0, 7)] {
        for (claims, purpose) in claims(subject, link).into_iter().zip(LinkPurpose::ALL) {
            let token = signer.mint(claims);
            assert_eq!(claims.purpose(), purpose);
            assert_eq!(token.len(), CHARACTERS);
            assert_eq!(signer.verify(&token), Ok(claims));
        }
    }
}

#[test]
fn any_altered_character_is_refused() {
    let signer = Signer::new(&key(1), &[]);
    let mut tried = 0;
    for claims in claims(42, 3) {
        let token = signer.mint(claims);
        for position in 0..token.len() {
            for character in ALPHABET.iter().chain(b"=+/ %.") {
                let mut altered = token.clone().into_bytes();
                if altered[position] == *character {
                    continue;
                }
                altered[position] = *character;
                let altered = String::from_utf8(altered).expect("ASCII");
                assert_eq!(signer.verify(&altered), Err(InvalidToken), "{altered}");
                tried += 1;
            }
        }
        for cut in [&token[..42], &token[1..], "", "A", &format!("{token}A"), &format!("{token}="), "é"] {
            assert_eq!(signer.verify(cut), Err(InvalidToken), "{cut}");
        }
    }
    assert_eq!(tried, 6 * 43 * 69);
}

#[test]
fn a_hundred_thousand_altered_or_crossed_tokens_are_refused() {
    let signer = Signer::new(&key(2), &[key(1)]);
    // The same numbers at every run: hashes of a counter.
    let mut counter = 0u64;
    let mut random = |below: u64| {
        counter += 1;
        let digest = Sha256::digest(counter.to_be_bytes());
        let number = digest.iter().take(8).fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        number % below
    };
    let bytes_of = |token: &str| -> [u8; TOKEN] {
        URL_SAFE_NO_PAD.decode(token).expect("it is base64").try_into().expect("it has its length")
    };
    let strangers: Vec<Signer> =
        (3..11).map(|byte| Signer::new(&SigningKey { id: 2, secret: vec![byte; 32] }, &[])).collect();
    for round in 0..100_000 {
        let subject = random(1_000_000) as i64;
        let link = 1 + random((1 << 40) - 1) as i64;
        let mine = claims(subject, link)[random(6) as usize];
        let token = bytes_of(&signer.mint(mine));
        let mut altered = token;
        match round % 6 {
            // Bits are flipped.
            0 => {
                for _ in 0..=random(8) {
                    altered[random(TOKEN as u64) as usize] ^= 1 << random(8);
                }
            }
            // Another purpose, by the same tag.
            1 => altered[2] = random(256) as u8,
            // Another subject's or link's tag.
            2 => {
                let other = claims(subject + 1, link - 1);
                let other = bytes_of(&signer.mint(other[random(6) as usize]));
                altered[CLAIMS..].copy_from_slice(&other[CLAIMS..]);
            }
            // Another of our keys, by the same tag; a key that nobody knows.
            3 => altered[1] = random(256) as u8,
            // Signed by somebody else under our key's number.
            4 => altered = bytes_of(&strangers[random(8) as usize].mint(mine)),
            // Made up.
            _ => altered[3..].fill_with(|| random(256) as u8),
        }
        if altered != token {
            let altered = URL_SAFE_NO_PAD.encode(altered);
            assert_eq!(signer.verify(&altered), Err(InvalidToken), "{altered} of {mine:?}");
        }
    }
}

#[test]
fn tokens_of_other_keys_stay_valid_and_of_strangers_do_not() {
    let claims = Claims::Preferences(DeliveryId(5));
    let signer = Signer::new(&key(1), &[]);
    let old = signer.mint(claims);
    let shared = signer.clone();
    let id = signer.message_id(DeliveryId(5), "maison.example");
    signer.replace(&key(2), &[key(1)]);
    assert_eq!(shared.verify(&old), Ok(claims));
    assert_eq!(shared.verify(&shared.mint(claims)), Ok(claims));
    assert_ne!(old, shared.mint(claims));
    assert_eq!(shared.message_id(DeliveryId(5), "maison.example"), id, "a try after the new key");
    let stranger = Signer::new(&SigningKey { id: 1, secret: vec![9; 32] }, &[]);
    assert_eq!(stranger.verify(&old), Err(InvalidToken));
    assert_eq!(Signer::new(&key(3), &[]).verify(&old), Err(InvalidToken));
}

#[test]
fn addresses_hold_no_secret_and_no_person() {
    let links = Links::new(Signer::new(&key(1), &[]), "https://mail.maison.example/");
    let delivery = DeliveryId(77);
    insta::assert_snapshot!(links.unsubscribe(delivery), @"https://mail.maison.example/u/AQEBAAAAAAAAAE0AAAAAACfn2Kj5JKh4664rY0v0rTc");
    insta::assert_snapshot!(links.preferences(delivery), @"https://mail.maison.example/p/AQECAAAAAAAAAE0AAAAAAFV5-6mJlCVGdb55FTHPrl4");
    insta::assert_snapshot!(links.open(Subject::Delivery(delivery)), @"https://mail.maison.example/o/AQEDAAAAAAAAAE0AAAAAAARu5ulAnip2vSfiwKohIFw");
    insta::assert_snapshot!(links.click(Subject::Run(RunId(7)), LinkNumber(1)), @"https://mail.maison.example/c/AQEGAAAAAAAAAAcAAAAAAfHz6vQckdlN4b_vrQgrV1M");
    insta::assert_snapshot!(links.unsubscribe_mailbox(delivery, "maison.example"), @"unsubscribe+AQEBAAAAAAAAAE0AAAAAACfn2Kj5JKh4664rY0v0rTc@maison.example");
    insta::assert_snapshot!(links.signer().message_id(delivery, "maison.example"), @"<f6543472eea538cae348012fa300eae7@maison.example>");
    assert_eq!(format!("{:?}", key(1)), "SigningKey { id: 1, .. }");
    assert!(links.is_own(&links.unsubscribe(delivery)));
    assert!(!links.is_own("https://mail.maison.example/shop/c/1"));
    assert!(!links.is_own("https://mail.maison.example.org/u/1"));
}

#[test]
fn the_sender_of_an_envelope_names_its_delivery() {
    let links = Links::new(Signer::new(&key(1), &[]), "https://mail.maison.example");
    let address = links.bounce_mailbox(DeliveryId(77), "bounces@maison.example");
    insta::assert_snapshot!(address, @"bounces+aaaaaaaaaaae3giblambrbkruujkgzq3@maison.example");
    let token =
        address.strip_prefix("bounces+").and_then(|rest| rest.strip_suffix("@maison.example")).unwrap();
    assert_eq!(token.len(), crate::links::bounce::TOKEN);
    for delivery in [1, 77, i64::MAX].map(DeliveryId) {
        let token = links.signer().bounce(delivery);
        assert_eq!(links.signer().bounced(&token), Ok(delivery));
        assert_eq!(links.signer().bounced(&token.to_uppercase()), Ok(delivery), "servers change the case");
    }
    // No letter can be another, and no other secret makes it.
    for place in 0..token.len() {
        for letter in ["a", "b", "7", "1", "é"] {
            let mut altered = token.to_owned();
            altered.replace_range(place..=place, letter);
            let found = links.signer().bounced(&altered);
            assert!(altered == token || found == Err(InvalidToken), "{altered}");
        }
    }
    assert_eq!(links.signer().bounced(&token[1..]), Err(InvalidToken));
    let stranger = Signer::new(&SigningKey { id: 1, secret: vec![9; 32] }, &[]);
    assert_eq!(stranger.bounced(token), Err(InvalidToken));
    // A new key leaves it as it is, at every try.
    let rotated = Signer::new(&key(2), &[key(1)]);
    assert_eq!(rotated.bounce(DeliveryId(77)), token);
}

#[test]
fn the_mac_is_the_one_of_rfc_4231() {
    // Test cases 1 and 6 (a key longer than a block).
    for (secret, text, expected) in [
        (vec![0x0b; 20], "Hi There", "b0344c61d8db38535ca8afceaf0bf12b"),
        (
            vec![0xaa; 131],
            "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f",
        ),
    ] {
        let mut mac = keyed(&secret);
        mac.update(text.as_bytes());
        assert_eq!(hex(&mac.finalize().into_bytes()[..16]), expected);
    }
}
