//! Who may see the pages.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{AUTHORIZATION, COOKIE, HOST, HeaderMap, HeaderValue};

/// Lets those in who know the token. Without one only a browser of this machine gets here, on whose own address it insists: a page
/// of another site that has its name point to this machine does not get in.
pub(super) struct Guard {
    token: Option<String>,
    cookie: String,
    host: IpAddr,
}

/// What a request is to be told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Let in.
    Allowed,
    /// The token came in the query: it belongs in this cookie, and the page is asked for again without it.
    Welcome(HeaderValue),
    /// The token is missing, or another one.
    Unknown,
    /// The request is for a host that is not this one.
    WrongHost,
}

impl Guard {
    pub(super) fn new(token: Option<String>, address: SocketAddr) -> Self {
        // Cookies are of a host, and know no ports.
        Self { token, cookie: format!("millstream-{}", address.port()), host: address.ip() }
    }

    pub(super) fn judge(&self, headers: &HeaderMap, query: &str) -> Verdict {
        let Some(token) = &self.token else {
            let host = headers.get(HOST).and_then(|host| host.to_str().ok());
            return if host.is_some_and(|host| self.is_own(host)) { Verdict::Allowed } else { Verdict::WrongHost };
        };
        let is_right = |given: &str| is_same(given.as_bytes(), token.as_bytes());
        if bearer(headers).is_some_and(is_right) || self.cookies(headers).any(|given| is_right(&given)) {
            return Verdict::Allowed;
        }
        let mut parameters = form_urlencoded::parse(query.as_bytes());
        match parameters.find(|(name, _)| name == "token") {
            Some((_, given)) if is_right(&given) => self.welcome(token),
            _ => Verdict::Unknown,
        }
    }

    fn welcome(&self, token: &str) -> Verdict {
        let encoded: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
        let cookie = format!("{}={encoded}; HttpOnly; SameSite=Strict; Path=/", self.cookie);
        HeaderValue::from_str(&cookie).map_or(Verdict::Unknown, Verdict::Welcome)
    }

    fn cookies(&self, headers: &HeaderMap) -> impl Iterator<Item = String> {
        let all = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let own = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let own = own.filter(|(name, _)| *name == self.cookie);
        // Encoded as a value of a query is.
        own.flat_map(|(_, value)| {
            form_urlencoded::parse(value.as_bytes()).map(|(name, _)| name.into_owned()).collect::<Vec<_>>()
        })
    }

    /// Whether this is a name of the address that is listened on.
    fn is_own(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let ip = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        name.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback() || ip == self.host)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// Compares without telling by the time it takes where the first difference is.
fn is_same(given: &[u8], expected: &[u8]) -> bool {
    let difference = given.iter().zip(expected).fold(0, |difference, (left, right)| difference | (left ^ right));
    given.len() == expected.len() && std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TOKEN: &str = "a secret & 16 bytes";

    fn guard(token: Option<&str>) -> Guard {
        Guard::new(token.map(str::to_owned), "127.0.0.1:4040".parse().unwrap())
    }

    fn headers(pairs: &[(hyper::header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn without_a_token_only_this_machines_own_names_are_served() {
        for host in ["localhost:4040", "127.0.0.1:4040", "LOCALHOST", "[::1]:4040", "127.0.0.1"] {
            assert_eq!(guard(None).judge(&headers(&[(HOST, host)]), ""), Verdict::Allowed, "{host}");
        }
        for host in ["evil.example:4040", "localhost.evil.example", "192.0.2.1:4040", "127.0.0.1.evil.example:4040", ""]
        {
            assert_eq!(guard(None).judge(&headers(&[(HOST, host)]), ""), Verdict::WrongHost, "{host}");
        }
        assert_eq!(guard(None).judge(&HeaderMap::new(), ""), Verdict::WrongHost);
    }

    #[test]
    fn a_token_comes_as_a_bearer_or_in_the_query_and_stays_in_a_cookie() {
        let guard = guard(Some(TOKEN));
        let bearer = headers(&[(AUTHORIZATION, "Bearer a secret & 16 bytes")]);
        assert_eq!(guard.judge(&bearer, ""), Verdict::Allowed);
        let Verdict::Welcome(cookie) = guard.judge(&HeaderMap::new(), "id=1&token=a+secret+%26+16+bytes") else {
            panic!("not welcome");
        };
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Path=/"), "{cookie}");
        let pair = cookie.split(';').next().unwrap();
        let with_others = format!("other=1; {pair}; millstream-4041=x");
        assert_eq!(guard.judge(&headers(&[(COOKIE, &with_others)]), ""), Verdict::Allowed);
    }

    #[test]
    fn nobody_else_is_let_in() {
        let guard = guard(Some(TOKEN));
        for (name, value) in [
            (HOST, "localhost:4040"),
            (AUTHORIZATION, "Bearer a secret & 16 byteS"),
            (AUTHORIZATION, "Bearer a secret & 16 bytes and more"),
            (AUTHORIZATION, "Bearer "),
            (COOKIE, "millstream-4040="),
            (COOKIE, "millstream-4040"),
        ] {
            assert_eq!(guard.judge(&headers(&[(name, value)]), "token=guess"), Verdict::Unknown, "{value}");
        }
    }
}
