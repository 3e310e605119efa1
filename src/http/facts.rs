//! What is kept of a request: enough to tell people from machines, too little to tell who it was.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, Method, header};

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

/// The facts of a request that came from `peer`.
pub(super) fn of(request: &Request, peer: Option<SocketAddr>) -> RequestFacts {
    let headers = request.headers();
    let mode = text(headers, &FETCH_MODE, OTHER);
    let fetch = mode.map(|mode| match text(headers, &FETCH_DEST, OTHER) {
        Some(dest) => format!("{mode} {dest}"),
        None => mode,
    });
    RequestFacts {
        head: request.method() == Method::HEAD,
        user_agent: text(headers, &header::USER_AGENT, USER_AGENT),
        network: client(headers, peer).map(network),
        accept: text(headers, &header::ACCEPT, OTHER),
        accept_language: text(headers, &header::ACCEPT_LANGUAGE, OTHER),
        accept_encoding: headers.contains_key(header::ACCEPT_ENCODING),
        fetch,
        purpose: PURPOSES.iter().find_map(|name| text(headers, name, OTHER)),
    }
}

/// A header as text of bounded length, without control characters.
fn text(headers: &HeaderMap, name: &HeaderName, longest: usize) -> Option<String> {
    let value = headers.get(name)?;
    let longest = value.len().min(longest);
    // Nearly all are plain, and somebody waits for the answer.
    if let Ok(plain) = value.to_str()
        && !plain.contains('\t')
    {
        return Some(plain[..longest].to_owned());
    }
    let bytes = &value.as_bytes()[..longest];
    let mut text = String::from_utf8_lossy(bytes).into_owned();
    if text.contains(char::is_control) {
        text = text.replace(char::is_control, " ");
    }
    Some(text)
}

/// Who asks. A peer on this machine or in a private network is a reverse proxy: the last address that it
/// wrote into `X-Forwarded-For` counts. What stands before that anybody may have written.
fn client(headers: &HeaderMap, peer: Option<SocketAddr>) -> Option<IpAddr> {
    let peer = peer?.ip().to_canonical();
    if !is_near(peer) {
        return Some(peer);
    }
    let said = headers.get_all(FORWARDED_FOR).iter().next_back().and_then(|value| value.to_str().ok());
    let last = said.and_then(|said| said.rsplit(',').next()).and_then(|last| last.trim().parse().ok());
    Some(last.map_or(peer, |address: IpAddr| address.to_canonical()))
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
            let [a, b, c, _] = address.octets();
            format!("{}/24", Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;

    use super::*;

    fn facts(peer: &str, headers: &[(&'static str, &str)]) -> RequestFacts {
        let mut request = Request::builder().method(Method::GET);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        of(&request.body(Body::empty()).expect("a request"), peer.parse().ok())
    }

    #[test]
    fn addresses_are_cut_and_proxies_believed_only_where_they_are_near() {
        for (peer, forwarded, expected) in [
            ("203.0.113.77:1", "", "203.0.113.0/24"),
            ("[2001:db8:1:2::3]:1", "", "2001:db8:1::/48"),
            ("[::ffff:203.0.113.77]:1", "", "203.0.113.0/24"),
            ("203.0.113.77:1", "198.51.100.1", "203.0.113.0/24"),
            ("127.0.0.1:1", "10.9.9.9, 198.51.100.1", "198.51.100.0/24"),
            ("10.0.0.2:1", "2001:db8:7::1", "2001:db8:7::/48"),
            ("127.0.0.1:1", "nonsense", "127.0.0.0/24"),
        ] {
            let headers = [("x-forwarded-for", forwarded)];
            let headers = if forwarded.is_empty() { &[][..] } else { &headers };
            assert_eq!(facts(peer, headers).network.as_deref(), Some(expected), "{peer} {forwarded}");
        }
    }

    #[test]
    fn texts_are_bounded_and_clean() {
        let long = "x".repeat(5_000);
        let facts = facts(
            "127.0.0.1:1",
            &[
                ("user-agent", &long),
                ("accept-language", "fr\tCH"),
                ("purpose", "prefetch"),
                ("sec-fetch-mode", "no-cors"),
                ("sec-fetch-dest", "image"),
            ],
        );
        assert_eq!(facts.user_agent.map(|text| text.len()), Some(USER_AGENT));
        assert_eq!(facts.accept_language.as_deref(), Some("fr CH"));
        assert_eq!(facts.purpose.as_deref(), Some("prefetch"));
        assert_eq!(facts.fetch.as_deref(), Some("no-cors image"));
        assert_eq!((facts.accept, facts.accept_encoding), (None, false));
    }
}
