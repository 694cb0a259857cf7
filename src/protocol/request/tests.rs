use super::*;

fn valid(request: impl Into<Request>) -> ValidRequest {
    request.into().validate().unwrap()
}

fn reason(request: impl Into<Request>) -> InvalidRequest {
    match request.into().0 {
        Ok(request) => panic!("{request:?}"),
        Err(rejected) => rejected.reason,
    }
}

#[test]
fn http_schemes_stand_for_websocket_schemes() {
    assert_eq!(valid("http://h:80/x").url(), "ws://h/x");
    assert_eq!(valid("https://h").url(), "wss://h/");
    assert!(valid("https://h").is_secure() && !valid("HTTP://h").is_secure());
    assert_eq!(reason("ftp://h/"), InvalidRequest::Scheme("ftp".into()));
    assert_eq!(reason("mailto:a"), InvalidRequest::Scheme("mailto".into()));
}

#[test]
fn default_ports_are_left_out_of_host_and_used() {
    for (url, authority, port) in [
        ("ws://h", "h", 80),
        ("ws://h:80", "h", 80),
        ("wss://h:443", "h", 443),
        ("wss://h:80", "h:80", 80),
        ("ws://h:8080", "h:8080", 8080),
        ("ws://[::1]", "[::1]", 80),
        ("ws://[::1]:9", "[::1]:9", 9),
        ("ws://u:p@h:9", "h:9", 9),
    ] {
        let request = valid(url);
        assert_eq!((request.authority(), request.port()), (authority, port), "{url}");
    }
}

#[test]
fn an_ipv6_host_has_no_brackets() {
    let request = valid("ws://[::1]:9/");
    assert_eq!(request.host(), Some(Host::Ipv6(std::net::Ipv6Addr::LOCALHOST)));
    assert_eq!(valid("ws://127.1/").host(), Some(Host::Ipv4([127, 0, 0, 1].into())));
    assert_eq!(valid("ws://Bücher.example/").host(), Some(Host::Domain("xn--bcher-kva.example")));
}

#[test]
fn a_query_without_a_path_asks_for_the_root() {
    assert_eq!(valid("ws://host?x=1").target(), "/?x=1");
    assert_eq!(valid("ws://host").target(), "/");
    assert_eq!(valid("ws://host/a b?c d").target(), "/a%20b?c%20d");
    assert_eq!(valid("ws://host/a/../b?").target(), "/b?");
}

#[test]
fn fragments_port_zero_and_line_breaks_are_refused() {
    assert_eq!(reason("ws://h/#a"), InvalidRequest::Fragment);
    assert_eq!(reason("ws://h/#"), InvalidRequest::Fragment);
    assert_eq!(reason("ws://h:0/"), InvalidRequest::Port);
    for url in ["ws://h/a\r\nb", "ws://h/\n", "ws://h/\0", "ws://h\t/"] {
        assert!(matches!(reason(url), InvalidRequest::ControlCharacter { .. }), "{url:?}");
    }
    assert!(matches!(reason("host/path"), InvalidRequest::Url(_)));
    assert!(matches!(reason("ws://"), InvalidRequest::Url(_)));
    assert!(matches!(reason("ws://h:99999/"), InvalidRequest::Url(_)));
}

#[test]
fn credentials_become_basic_authorization_and_appear_nowhere_else() {
    let request = valid("ws://us%65r:p%40ss%C3%A9@h/x");
    let basic = request.credentials().unwrap().to_str().unwrap();
    let pair = STANDARD.decode(basic.strip_prefix("Basic ").unwrap()).unwrap();
    assert_eq!(pair, "user:p@ssé".as_bytes());
    assert_eq!(request.url(), "ws://h/x");
    let debug = format!("{request:?}");
    assert!(!debug.contains("us%65r") && !debug.contains("ss%C3") && !debug.contains(basic));

    let own = valid(Request::new("ws://user@h/").header("authorization", "Bearer x"));
    assert_eq!(own.credentials(), None);
    assert_eq!(valid("ws://h/a@b").credentials(), None);
}

#[test]
fn no_error_shows_a_password() {
    for url in [
        "ws://user:secret@h:99999/",
        "ws://user:sec/ret@h/",
        "ws://user:secret@h/#x",
        "ftp://user:secret@h/",
        "ws://user:secret@h/\n",
        "ws:user:secret@h:x",
        "user:secret@h",
    ] {
        let request = Request::new(url);
        assert!(!request.url().contains("ret"), "{}", request.url());
        let error = request.validate().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("ret"), "{error:?}");
    }
}

#[test]
fn the_first_error_stays() {
    let request = Request::new("ws://h/").header("a", "\n").protocols(["a", "a"]);
    let name = HeaderName::from_static("a");
    assert_eq!(reason(request), InvalidHeader::Value(name).into());
}

#[test]
fn an_http_request_is_taken_with_its_headers() {
    let request = http::Request::get("wss://u:p@h:1/x?y").header("a", "1").header("a", "2");
    let request = valid(request.body(()).unwrap());
    assert_eq!(request.url(), "wss://h:1/x?y");
    assert_eq!(request.headers().get_all("a").iter().count(), 2);
    assert!(request.credentials().is_some());

    let post = http::Request::post("ws://h/").body(()).unwrap();
    assert_eq!(reason(post), InvalidRequest::Method(Method::POST));
    let path = http::Request::get("/x").body(()).unwrap();
    assert!(matches!(reason(path), InvalidRequest::Url(_)));
}
