use super::*;

/// What a server answers, as text; empty if it declines.
fn answer(deflate: Deflate, offers: &str) -> String {
    deflate.answer([offers]).unwrap_or_default()
}

/// A server that lets both compress with context.
const OPEN: Deflate = Deflate::new().server_context_takeover().client_context_takeover();

#[test]
fn a_server_answers_the_first_offer_that_it_can_accept() {
    for (offers, expected) in [
        ("permessage-deflate", "permessage-deflate"),
        ("permessage-deflate; client_max_window_bits", "permessage-deflate"),
        ("x-other, permessage-deflate", "permessage-deflate"),
        ("PerMessage-Deflate", "permessage-deflate"),
        (
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        ),
        (
            "permessage-deflate; server_max_window_bits=10",
            "permessage-deflate; server_max_window_bits=10",
        ),
        (
            "permessage-deflate; server_max_window_bits=\"15\"",
            "permessage-deflate; server_max_window_bits=15",
        ),
        // This compressor has no window of 8 bits, a decompressor of 15 understands one.
        (
            "permessage-deflate; client_max_window_bits=8",
            "permessage-deflate; client_max_window_bits=8",
        ),
        ("permessage-deflate; server_max_window_bits=8", ""),
        (
            "permessage-deflate; server_max_window_bits=8, permessage-deflate; server_max_window_bits=9",
            "permessage-deflate; server_max_window_bits=9",
        ),
        (
            "permessage-deflate; unknown, permessage-deflate; client_max_window_bits=12",
            "permessage-deflate; client_max_window_bits=12",
        ),
        ("", ""),
        ("x-webkit-deflate-frame", ""),
    ] {
        assert_eq!(answer(OPEN, offers), expected, "{offers}");
    }
    let lines = ["x-other; a=b", "permessage-deflate; bad", "permessage-deflate"];
    assert_eq!(OPEN.answer(lines).as_deref(), Some("permessage-deflate"));
}

/// §7.1: an offer with any of these is declined.
#[test]
fn a_server_declines_an_offer_with_a_wrong_parameter() {
    for parameters in [
        "unknown",
        "server_no_context_takeover=1",
        "client_no_context_takeover=true",
        "server_no_context_takeover; server_no_context_takeover",
        "client_no_context_takeover; client_no_context_takeover",
        "server_max_window_bits",
        "server_max_window_bits=7",
        "server_max_window_bits=16",
        "server_max_window_bits=015",
        "server_max_window_bits=+9",
        "server_max_window_bits=-9",
        "server_max_window_bits=9; server_max_window_bits=9",
        "client_max_window_bits=7",
        "client_max_window_bits=16",
        "client_max_window_bits=08",
        "client_max_window_bits=x",
        "client_max_window_bits=1000000000000000000000",
        "client_max_window_bits; client_max_window_bits=9",
        // Not even a list.
        "client_max_window_bits=",
        "client_max_window_bits=\"9 \"",
    ] {
        assert_eq!(answer(OPEN, &format!("permessage-deflate; {parameters}")), "", "{parameters}");
    }
}

#[test]
fn a_server_has_its_own_way_within_the_offer() {
    let offer = "permessage-deflate; client_max_window_bits";
    assert_eq!(
        answer(Deflate::new(), offer),
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    );
    let small = OPEN.server_max_window_bits(8).client_max_window_bits(8);
    assert_eq!(
        answer(small, offer),
        "permessage-deflate; server_max_window_bits=9; client_max_window_bits=8"
    );
    assert_eq!(
        answer(small, "permessage-deflate; server_max_window_bits=12"),
        "permessage-deflate; server_max_window_bits=9",
        "a client that did not offer to be told is not told"
    );
    assert_eq!(
        answer(OPEN.client_max_window_bits(14), "permessage-deflate; client_max_window_bits=10"),
        "permessage-deflate; client_max_window_bits=10"
    );
}

#[test]
fn a_client_offers_what_it_may_do() {
    assert_eq!(
        OPEN.server_no_context_takeover().offer(),
        "permessage-deflate; server_no_context_takeover; client_max_window_bits"
    );
    let small = Deflate::new().server_max_window_bits(8).client_max_window_bits(3);
    assert_eq!(
        small.offer(),
        "permessage-deflate; client_no_context_takeover; server_max_window_bits=8; \
         client_max_window_bits=9"
    );
}

fn check(deflate: Deflate, answer: &str) -> Result<Option<Agreed>, InvalidExtensions> {
    deflate.check(std::iter::once(answer.as_bytes()))
}

#[test]
fn a_client_takes_every_answer_that_is_within_its_offer() {
    assert_eq!(OPEN.check(std::iter::empty()), Ok(None));
    for (text, server, client) in [
        ("permessage-deflate", (true, 15), (true, 15)),
        ("permessage-deflate; server_no_context_takeover", (false, 15), (true, 15)),
        ("permessage-deflate; client_no_context_takeover", (true, 15), (false, 15)),
        ("permessage-deflate; server_max_window_bits=8", (true, 8), (true, 15)),
        ("permessage-deflate; client_max_window_bits=8", (true, 15), (true, 8)),
    ] {
        let agreed = check(OPEN, text).unwrap().unwrap();
        let direction = |(takeover, bits)| Direction { takeover, bits };
        assert_eq!(agreed.of(Role::Server), direction(server), "{text}");
        assert_eq!(agreed.of(Role::Client), direction(client), "{text}");
        assert_eq!(agreed.to_string(), text);
    }
}

#[test]
fn what_is_wrong_with_an_answer_is_named() {
    let strict = Deflate::new()
        .server_no_context_takeover()
        .server_max_window_bits(10)
        .client_max_window_bits(10);
    let whole = "permessage-deflate; server_no_context_takeover; server_max_window_bits=10";
    assert!(check(strict, whole).is_ok());
    for (deflate, answer, named) in [
        (OPEN, "permessage-deflate; a=b", "`a`"),
        (OPEN, "permessage-deflate; client_max_window_bits", "`client_max_window_bits`"),
        (OPEN, "permessage-deflate; client_max_window_bits=16", "`16`"),
        (OPEN, "permessage-deflate; server_max_window_bits=7", "`7`"),
        (OPEN, "permessage-deflate; server_no_context_takeover=0", "`0`"),
        (
            OPEN,
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "`server_no_context_takeover` stands more than once",
        ),
        (OPEN, "permessage-deflate, permessage-deflate", "more than once"),
        (OPEN, "x-other", "`x-other` is unknown"),
        (OPEN, "permessage-deflate; a=\"", "not a list"),
        (
            strict,
            "permessage-deflate; server_max_window_bits=10",
            "`server_no_context_takeover` is",
        ),
        (strict, "permessage-deflate; server_no_context_takeover", "`server_max_window_bits` is"),
        (strict, &whole.replace("10", "11"), "`11`"),
        (strict, &format!("{whole}; client_max_window_bits=11"), "`11`"),
    ] {
        let fault = check(deflate, answer).unwrap_err().to_string();
        assert!(fault.contains(named), "{answer}: {fault}");
    }
}

#[test]
fn each_end_takes_what_the_other_answers() {
    for server in [Deflate::new(), OPEN, OPEN.server_max_window_bits(9).client_max_window_bits(10)]
    {
        for client in
            [Deflate::new(), OPEN, OPEN.server_no_context_takeover().server_max_window_bits(12)]
        {
            let answer = server.answer([client.offer()]).unwrap();
            let agreed = check(client, &answer).unwrap().unwrap();
            assert_eq!(agreed.to_string(), answer);
        }
    }
}
