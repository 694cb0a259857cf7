//! Which web pages may connect.

use crate::protocol::InvalidUpgrade;
use crate::protocol::handshake::{Fields, check_origin};
use crate::server::ServerOptions;

/// Whether the page that asks, if a page does, is one of those allowed, or of this server's.
pub(super) fn check(fields: &Fields, options: &ServerOptions) -> Result<(), InvalidUpgrade> {
    match &options.origins {
        _ if options.same_origin && is_own(fields) => Ok(()),
        Some(allowed) => check_origin(fields, allowed),
        None if options.same_origin => check_origin(fields, &[]),
        None => Ok(()),
    }
}

/// Whether the request has one origin, and its authority is that of the request (RFC 6454 §4, but
/// for the scheme, which a proxy may have changed).
fn is_own(fields: &Fields) -> bool {
    let text = |name| {
        let mut all = fields.all(name);
        let only = all.next().filter(|_| all.next().is_none());
        only.and_then(|value| std::str::from_utf8(value).ok())
    };
    let (Some(origin), Some(host)) = (text("origin"), text("host")) else { return false };
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let port = match scheme {
        _ if scheme.eq_ignore_ascii_case("https") => ":443",
        _ if scheme.eq_ignore_ascii_case("http") => ":80",
        _ => return false,
    };
    let host = host.strip_suffix(port).unwrap_or(host);
    let authority = authority.strip_suffix(port).unwrap_or(authority);
    !host.is_empty() && authority.eq_ignore_ascii_case(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_the_same_authority_is_the_servers_own() {
        for (origin, host, own) in [
            ("https://example.com", "example.com", true),
            ("http://EXAMPLE.com", "example.COM", true),
            ("https://example.com", "example.com:443", true),
            ("http://example.com:8080", "example.com:8080", true),
            ("http://[::1]:9001", "[::1]:9001", true),
            ("http://example.com:8080", "example.com", false),
            ("https://example.com", "example.com:80", false),
            ("https://example.com.evil.example", "example.com", false),
            ("https://evil.example", "example.com", false),
            ("chrome-extension://example.com", "example.com", false),
            ("null", "null", false),
            ("https://", "", false),
        ] {
            let header =
                |name, value: &'static str| httparse::Header { name, value: value.as_bytes() };
            let fields = Fields::new(&[header("Host", host), header("Origin", origin)]);
            assert_eq!(is_own(&fields), own, "{origin} at {host}");
        }
    }
}
