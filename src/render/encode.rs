//! The encodings of mail: encoded words in headers (RFC 2047), quoted-printable and base64 in bodies
//! (RFC 2045). Lines never exceed 78 characters, whatever goes in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Lines should not be longer (RFC 5322, 2.1.1).
const LINE: usize = 78;
/// An encoded word, with its marks (RFC 2047, 2).
const ENCODED_WORD: usize = 75;
/// An encoded line of a body (RFC 2045, 6.7 and 6.8).
const BODY_LINE: usize = 76;

/// Appends `name: text`, as unstructured text. Characters that are no part of a line of text are
/// replaced by spaces.
pub(super) fn unstructured(name: &str, text: &str, message: &mut Vec<u8>) {
    message.extend_from_slice(name.as_bytes());
    message.extend_from_slice(b": ");
    let text = one_line(text);
    phrase(&text, name.len() + 2, message);
    message.extend_from_slice(b"\r\n");
}

/// Appends `name: "display name" <address>`.
pub(super) fn mailbox(name: &str, display: Option<&str>, address: &str, message: &mut Vec<u8>) {
    message.extend_from_slice(name.as_bytes());
    message.extend_from_slice(b": ");
    let display = display.map(one_line).unwrap_or_default();
    let mut column = name.len() + 2;
    if !display.is_empty() {
        column = if is_plain(&display) {
            let quoted = quoted_string(&display);
            message.extend_from_slice(quoted.as_bytes());
            column + quoted.len()
        } else {
            encoded_words(&display, column, message)
        };
        let fold = column + address.len() + 3 > LINE;
        message.extend_from_slice(if fold { b"\r\n " } else { b" " });
    } else if column + address.len() + 2 > LINE {
        message.extend_from_slice(b"\r\n ");
    }
    message.push(b'<');
    message.extend_from_slice(address.as_bytes());
    message.extend_from_slice(b">\r\n");
}

/// A text as one line: runs of control characters, line ends and spaces are one space.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        let space = character.is_control()
            || matches!(character, ' ' | '\u{2028}' | '\u{2029}')
            // Direction marks could turn what follows them around.
            || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if !space {
            line.push(character);
        } else if !line.is_empty() && !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line.truncate(line.trim_end_matches(' ').len());
    line
}

/// Whether a line may stand in a header as it is.
fn is_plain(line: &str) -> bool {
    line.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && !line.contains("=?")
        && line.split(' ').all(|word| word.len() < 60)
}

fn phrase(line: &str, column: usize, message: &mut Vec<u8>) {
    if !is_plain(line) {
        encoded_words(line, column, message);
        return;
    }
    let mut column = column;
    for (index, word) in line.split(' ').enumerate() {
        if index > 0 {
            if column + 1 + word.len() > LINE {
                message.extend_from_slice(b"\r\n");
                column = 0;
            }
            message.push(b' ');
            column += 1;
        }
        message.extend_from_slice(word.as_bytes());
        column += word.len();
    }
}

fn quoted_string(line: &str) -> String {
    let is_atom = |byte: u8| byte.is_ascii_alphanumeric() || b" !#$%&'*+-/=?^_`{|}~".contains(&byte);
    if line.bytes().all(is_atom) {
        return line.to_owned();
    }
    let mut quoted = String::with_capacity(line.len() + 2);
    quoted.push('"');
    for character in line.chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

/// Appends encoded words, folded; answers with the column behind them. Each holds whole characters.
fn encoded_words(text: &str, column: usize, message: &mut Vec<u8>) -> usize {
    let quoted: usize = text.bytes().map(|byte| if is_safe_in_word(byte) { 1 } else { 3 }).sum();
    let readable = quoted <= text.len() * 2;
    let mark = if readable { "=?utf-8?q?" } else { "=?utf-8?b?" };
    let mut column = column;
    let mut rest = text;
    let mut first = true;
    while !rest.is_empty() {
        if !first {
            message.extend_from_slice(b"\r\n ");
            column = 1;
        }
        first = false;
        let room = ENCODED_WORD.min(LINE.saturating_sub(column)).saturating_sub(mark.len() + 2).max(12);
        let mut length = 0;
        let mut used = 0;
        for character in rest.chars() {
            let bytes = character.len_utf8();
            let cost: usize = if readable {
                let mut buffer = [0; 4];
                let encoded = character.encode_utf8(&mut buffer).bytes();
                encoded.map(|byte| if is_safe_in_word(byte) { 1 } else { 3 }).sum()
            } else {
                (length + bytes).div_ceil(3) * 4 - used
            };
            if used + cost > room {
                break;
            }
            used += cost;
            length += bytes;
        }
        // `max(12)` above: there is room for any character.
        let (word, behind) = rest.split_at(length);
        message.extend_from_slice(mark.as_bytes());
        if readable {
            word.bytes().for_each(|byte| push_in_word(byte, message));
        } else {
            message.extend_from_slice(STANDARD.encode(word).as_bytes());
        }
        message.extend_from_slice(b"?=");
        column += mark.len() + used + 2;
        rest = behind;
    }
    column
}

/// Safe also in a display name (RFC 2047, 5, rule 3); the space becomes `_`.
const fn is_safe_in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'!' | b'*' | b'+' | b'-' | b'/')
}

fn push_in_word(byte: u8, message: &mut Vec<u8>) {
    match byte {
        b' ' => message.push(b'_'),
        byte if is_safe_in_word(byte) => message.push(byte),
        byte => push_hex(byte, message),
    }
}

fn push_hex(byte: u8, message: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |half: u8| DIGITS[usize::from(half & 15)];
    message.extend_from_slice(&[b'=', digit(byte >> 4), digit(byte)]);
}

/// Appends a body with its `Content-Transfer-Encoding`: quoted-printable where most of it is ASCII,
/// else base64. The text's line ends become CRLF.
pub(super) fn body(text: &str, message: &mut Vec<u8>) {
    let foreign = text.bytes().filter(|byte| *byte >= 0x80).count();
    // A foreign byte takes 3 characters in one, 4/3 in the other: even at a sixth.
    if foreign * 6 > text.len() {
        message.extend_from_slice(b"Content-Transfer-Encoding: base64\r\n\r\n");
        let mut wire = Vec::with_capacity(text.len() + text.len() / 32);
        for (line, ends) in lines(text) {
            wire.extend_from_slice(line.as_bytes());
            if ends {
                wire.extend_from_slice(b"\r\n");
            }
        }
        let encoded = STANDARD.encode(&wire);
        for line in encoded.as_bytes().chunks(BODY_LINE) {
            message.extend_from_slice(line);
            message.extend_from_slice(b"\r\n");
        }
    } else {
        message.extend_from_slice(b"Content-Transfer-Encoding: quoted-printable\r\n\r\n");
        message.reserve(text.len() + text.len() / 8);
        for (line, _) in lines(text) {
            quoted_printable_line(line.as_bytes(), message);
            message.extend_from_slice(b"\r\n");
        }
    }
}

/// The lines of a text, and whether each has an end (all but perhaps the last have).
fn lines(text: &str) -> impl Iterator<Item = (&str, bool)> {
    text.split_inclusive('\n').map(|line| match line.strip_suffix('\n') {
        Some(line) => (line.strip_suffix('\r').unwrap_or(line), true),
        None => (line, false),
    })
}

fn quoted_printable_line(line: &[u8], message: &mut Vec<u8>) {
    let mut column = 0;
    let mut index = 0;
    while index < line.len() {
        let rest = &line[index..];
        // One column stays free for the `=` of a soft line end.
        let room = BODY_LINE - 1 - column;
        let run = safe_run(&rest[..room.min(rest.len())]);
        // A dot or a `From ` at the beginning of a line could be changed on the way; white space at the
        // end of one could be cut off.
        let guarded_start = column == 0 && (rest[0] == b'.' || rest.starts_with(b"From "));
        let ends_in_space = run == rest.len() && matches!(rest.last(), Some(b' ' | b'\t'));
        let run = match (guarded_start, ends_in_space) {
            (true, _) => 0,
            (_, true) => run - 1,
            _ => run,
        };
        message.extend_from_slice(&rest[..run]);
        column += run;
        index += run;
        if index == line.len() {
            return;
        }
        let last = index + 1 == line.len();
        let byte = line[index];
        let safe = SAFE_IN_BODY[usize::from(byte)]
            && !(guarded_start && run == 0)
            && !(last && matches!(byte, b' ' | b'\t'));
        let width = if safe { 1 } else { 3 };
        // The last character of a line needs no room for a soft end.
        if column + width > BODY_LINE - usize::from(!last) {
            message.extend_from_slice(b"=\r\n");
            column = 0;
            continue;
        }
        if safe {
            message.push(byte);
        } else {
            push_hex(byte, message);
        }
        column += width;
        index += 1;
    }
}

/// How many bytes at the beginning may stand in a body as they are. Eight are looked at at once: a word
/// in which none is foreign, `=`, or a control character is passed as a whole.
fn safe_run(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES * 0x80;
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut rest = bytes;
    while let Some((chunk, behind)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let marked = has_zero(word ^ (ONES * u64::from(b'='))) | has_zero(word ^ (ONES * 0x7f));
        if (word | control | marked) & HIGH != 0 {
            break;
        }
        rest = behind;
    }
    let passed = bytes.len() - rest.len();
    passed + rest.iter().take_while(|byte| SAFE_IN_BODY[usize::from(**byte)]).count()
}

/// Printable ASCII but `=`, space and tab.
static SAFE_IN_BODY: [bool; 256] = {
    let mut safe = [false; 256];
    let mut byte = 0x20;
    while byte < 0x7f {
        safe[byte] = byte != b'=' as usize;
        byte += 1;
    }
    safe[b'\t' as usize] = true;
    safe
};

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> String {
        let mut message = Vec::new();
        unstructured("Subject", text, &mut message);
        String::from_utf8(message).expect("ASCII")
    }

    fn address(display: &str) -> String {
        let mut message = Vec::new();
        mailbox("From", Some(display), "bonjour@maison.example", &mut message);
        String::from_utf8(message).expect("ASCII")
    }

    fn encoded(text: &str) -> String {
        let mut message = Vec::new();
        body(text, &mut message);
        String::from_utf8(message).expect("ASCII")
    }

    #[test]
    fn headers_are_one_safe_line_folded() {
        insta::assert_snapshot!(header("Twenty percent off"), @"Subject: Twenty percent off");
        insta::assert_snapshot!(header("hi\r\nBcc: all@example.org\u{0}\u{202e}"), @"Subject: hi Bcc: all@example.org");
        insta::assert_snapshot!(header("Été : 20 % pour vous, et une très longue suite qui ne tient plus sur une seule ligne"), @r##"
Subject: =?utf-8?q?=C3=89t=C3=A9_=3A_20_=25_pour_vous=2C_et_une_tr=C3=A8s_lo?=
 =?utf-8?q?ngue_suite_qui_ne_tient_plus_sur_une_seule_ligne?=
"##);
        insta::assert_snapshot!(header("ラケットのご案内、春の新作をいち早くお届けします。どうぞお楽しみに"), @r##"
Subject: =?utf-8?b?44Op44Kx44OD44OI44Gu44GU5qGI5YaF44CB5pil44Gu5paw5L2c44KS?=
 =?utf-8?b?44GE44Gh5pep44GP44GK5bGK44GR44GX44G+44GZ44CC44Gp44GG44Ge44GK?=
 =?utf-8?b?5qW944GX44G/44Gr?=
"##);
        insta::assert_snapshot!(header("plain words go on and on until they have to be folded somewhere, which is here"), @r##"
Subject: plain words go on and on until they have to be folded somewhere,
 which is here
"##);
        insta::assert_snapshot!(header(&"x".repeat(80)), @r##"
Subject: =?utf-8?q?xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx?=
 =?utf-8?q?xxxxxxxxxxxxxxxxxxxxxxx?=
"##);
        insta::assert_snapshot!(header("not =?utf-8?q?encoded?="), @"Subject: =?utf-8?q?not_=3D=3Futf-8=3Fq=3Fencoded=3F=3D?=");
        insta::assert_snapshot!(address("Maison Roland"), @"From: Maison Roland <bonjour@maison.example>");
        insta::assert_snapshot!(address("Roland, \"la maison\" \\o/"), @r##"From: "Roland, \"la maison\" \\o/" <bonjour@maison.example>"##);
        insta::assert_snapshot!(address("Maison Élodie <hier>"), @"From: =?utf-8?q?Maison_=C3=89lodie_=3Chier=3E?= <bonjour@maison.example>");
    }

    #[test]
    fn runs_end_at_the_first_byte_that_must_be_encoded() {
        for byte in 0..=255u8 {
            for position in 0..20 {
                let mut bytes = [b'a'; 20];
                bytes[position] = byte;
                let expected = if SAFE_IN_BODY[usize::from(byte)] { 20 } else { position };
                assert_eq!(safe_run(&bytes), expected, "{byte} at {position}");
            }
        }
    }

    #[test]
    fn bodies_survive_the_way() {
        insta::assert_snapshot!(encoded("plain\n.\nFrom here\n.start and trailing \t\n=\u{e9}\r\nlast"), @r##"
Content-Transfer-Encoding: quoted-printable

plain
=2E
=46rom here
=2Estart and trailing =09
=3D=C3=A9
last
"##);
        let long = format!("{}é{} \n", "a".repeat(74), "b".repeat(76));
        insta::assert_snapshot!(encoded(&long), @r##"
Content-Transfer-Encoding: quoted-printable

aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=
=C3=A9bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb=
bbbbbbb=20
"##);
        insta::assert_snapshot!(encoded("日本語\n"), @r##"
Content-Transfer-Encoding: base64

5pel5pys6KqeDQo=
"##);
        for length in 70..80 {
            for tail in ["", " ", "é", "=", ".", " =", "  "] {
                let text = encoded(&format!("{}{tail}\n{tail}x\n", "a".repeat(length)));
                assert!(text.lines().all(|line| line.len() <= 76), "{text}");
                assert!(text.lines().all(|line| !line.ends_with(' ')), "{text}");
            }
        }
    }
}
