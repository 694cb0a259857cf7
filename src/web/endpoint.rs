//! What the platform connects to by itself: a URL, or a request.

use url::Url;

use super::connector::{Connect, PlatformChannel};
use crate::{Endpoint, Request};

/// One implementation a type: a blanket one would shut out everybody else's.
macro_rules! endpoints {
    ($($endpoint:ty: $this:ident => $connect:expr;)+) => {
        $(
            impl Endpoint for $endpoint {
                type Channel = PlatformChannel;
                type Connect = Connect;

                fn connect(self) -> Connect {
                    let $this = self;
                    $connect
                }
            }
        )+
    };
}

// What is a URL already is not parsed here, so that a program does not carry a second parser.
endpoints! {
    &str: url => Connect::new(url);
    &String: url => Connect::new(url);
    String: url => Connect::new(url);
    &Url: url => Connect::new(url.as_str());
    Url: url => Connect::new(url);
    &Request: request => Connect::requested(request.clone());
    Request: request => Connect::requested(request);
    http::Request<()>: request => Connect::requested(Request::from(request));
}
