//! What is kept of a request: enough to tell people from machines, too little to tell who it was.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};

use crate::domain::engagement::RequestFacts;

/// Longer ones are cut: no browser's is.
const USER_AGENT: usize = 400;
/// For the other headers; what matters stands at their beginning.
const OTHER: usize = 100;

/// What `X-Forwarded-For`, a reverse proxy's word for whom it speaks, is called.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// What browsers say that fetch a page before anybody asked for it.
const PURPOSES: [HeaderName; 4] = [
    HeaderName::from_static("sec-purpose"),
    HeaderName::from_static("purpose"),
    HeaderName::from_static("x-purpose"),
    HeaderName::from_static("x-moz"),
];
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// The facts of a request that came from `peer`, borrowed from it where its texts need no change.
pub(super) fn of<B>(request: &Request<B>, peer: SocketAddr) -> RequestFacts<Cow<'_, str>> {
    let headers = Headers::of(request.headers());
    let fetch = headers.fetch_mode.map(|mode| match headers.fetch_dest {
        Some(dest) => format!("{} {}", text(mode, OTHER), text(dest, OTHER)).into(),
        None => text(mode, OTHER),
    });
    RequestFacts {
        head: request.method() == Method::HEAD,
        user_agent: headers.user_agent.map(|value| text(value, USER_AGENT)),
        network: Some(network(client(headers.forwarded_for, peer)).into()),
        accept: headers.accept.map(|value| text(value, OTHER)),
        accept_language: headers.accept_language.map(|value| text(value, OTHER)),
        accept_encoding: headers.accept_encoding.is_some(),
        fetch,
        purpose: headers.purposes.into_iter().flatten().next().map(|value| text(value, OTHER)),
    }
}

/// The headers that tell something. Of several with one name the first counts, of `X-Forwarded-For` the last.
#[derive(Default)]
struct Headers<'r> {
    user_agent: Option<&'r HeaderValue>,
    accept: Option<&'r HeaderValue>,
    accept_language: Option<&'r HeaderValue>,
    accept_encoding: Option<&'r HeaderValue>,
    fetch_mode: Option<&'r HeaderValue>,
    fetch_dest: Option<&'r HeaderValue>,
    forwarded_for: Option<&'r HeaderValue>,
    purposes: [Option<&'r HeaderValue>; 4],
}

impl<'r> Headers<'r> {
    /// In one walk: a request has few headers, and each search for one costs as much.
    fn of(headers: &'r HeaderMap) -> Self {
        let mut found = Self::default();
        for (name, value) in headers {
            if *name == FORWARDED_FOR {
                found.forwarded_for = Some(value);
            } else if let Some(place) = found.place(name) {
                place.get_or_insert(value);
            }
        }
        found
    }

    fn place(&mut self, name: &HeaderName) -> Option<&mut Option<&'r HeaderValue>> {
        Some(match name {
            name if *name == header::USER_AGENT => &mut self.user_agent,
            name if *name == header::ACCEPT => &mut self.accept,
            name if *name == header::ACCEPT_LANGUAGE => &mut self.accept_language,
            name if *name == header::ACCEPT_ENCODING => &mut self.accept_encoding,
            name if *name == FETCH_MODE => &mut self.fetch_mode,
            name if *name == FETCH_DEST => &mut self.fetch_dest,
            name => {
                let purpose = PURPOSES.iter().position(|purpose| purpose == name)?;
                &mut self.purposes[purpose]
            }
        })
    }
}

/// A header as text of bounded length, without control characters.
fn text(value: &HeaderValue, longest: usize) -> Cow<'_, str> {
    let bytes = &value.as_bytes()[..value.len().min(longest)];
    match str::from_utf8(bytes) {
        // Nearly all are plain, and somebody waits for the answer. A tab is the one control character of ASCII
        // that a header can hold.
        Ok(plain) if plain.is_ascii() && !bytes.contains(&b'\t') => plain.into(),
        _ => String::from_utf8_lossy(bytes).replace(char::is_control, " ").into(),
    }
}

/// Who asks. A peer on this machine or in a private network is a reverse proxy: the last address that it
/// wrote into `X-Forwarded-For` counts. What stands before that anybody may have written.
fn client(forwarded_for: Option<&HeaderValue>, peer: SocketAddr) -> IpAddr {
    let peer = peer.ip().to_canonical();
    if !is_near(peer) {
        return peer;
    }
    let said = forwarded_for.and_then(|value| value.to_str().ok());
    let last = said.and_then(|said| said.rsplit(',').next()).and_then(|last| last.trim().parse().ok());
    last.map_or(peer, |address: IpAddr| address.to_canonical())
}

fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

/// The first 24 bits of an IPv4 address, 48 of an IPv6 address: what usually belongs to one provider or
/// one company, not to one person.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let mut text = String::with_capacity("255.255.255.0/24".len());
            for octet in &address.octets()[..3] {
                // Three digits at most; the machinery of `format!` costs more than the rest of a hit.
                for unit in [100, 10] {
                    if *octet >= unit {
                        text.push(char::from(b'0' + octet / unit % 10));
                    }
                }
                text.push(char::from(b'0' + octet % 10));
                text.push('.');
            }
            text + "0/24"
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&'static str, &str)]) -> Request<()> {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request")
    }

    #[test]
    fn addresses_are_cut_and_proxies_believed_only_where_they_are_near() {
        for (peer, forwarded, expected) in [
            ("203.0.113.77:1", "", "203.0.113.0/24"),
            ("[2001:db8:1:2::3]:1", "", "2001:db8:1::/48"),
            ("[::ffff:203.0.113.77]:1", "", "203.0.113.0/24"),
            ("203.0.113.77:1", "198.51.100.1", "203.0.113.0/24"),
            ("8.10.255.7:1", "", "8.10.255.0/24"),
            ("100.99.9.7:1", "", "100.99.9.0/24"),
            ("127.0.0.1:1", "10.9.9.9, 198.51.100.1", "198.51.100.0/24"),
            ("10.0.0.2:1", "2001:db8:7::1", "2001:db8:7::/48"),
            ("127.0.0.1:1", "nonsense", "127.0.0.0/24"),
        ] {
            let headers = [("x-forwarded-for", forwarded)];
            let headers = if forwarded.is_empty() { &[][..] } else { &headers };
            let (request, peer) = (request(headers), peer.parse().expect("an address"));
            assert_eq!(of(&request, peer).network.as_deref(), Some(expected), "{peer} {forwarded}");
        }
    }

    #[test]
    fn texts_are_bounded_and_clean() {
        let long = "x".repeat(5_000);
        let request = request(&[
            ("user-agent", &long),
            ("accept-language", "fr\tCH"),
            ("purpose", "prefetch"),
            ("sec-fetch-mode", "no-cors"),
            ("sec-fetch-dest", "image"),
        ]);
        let facts = of(&request, SocketAddr::from(([127, 0, 0, 1], 1)));
        assert_eq!(facts.user_agent.map(|text| text.len()), Some(USER_AGENT));
        assert_eq!(facts.accept_language.as_deref(), Some("fr CH"));
        assert_eq!(facts.purpose.as_deref(), Some("prefetch"));
        assert_eq!(facts.fetch.as_deref(), Some("no-cors image"));
        assert_eq!((facts.accept, facts.accept_encoding), (None, false));
    }
}
