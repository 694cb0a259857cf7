//! What the platform connects to by itself: a URL, or a request.

use url::Url;

use super::connector::{Connect, PlatformChannel};
use crate::{Endpoint, Request};

/// One implementation a type: a blanket one over `Into<Request>` would shut out everybody else's.
macro_rules! endpoints {
    ($($endpoint:ty),+) => {
        $(
            impl Endpoint for $endpoint {
                type Channel = PlatformChannel;
                type Connect = Connect;

                fn connect(self) -> Connect {
                    Connect::new(self)
                }
            }
        )+
    };
}

endpoints!(&str, &String, String, &Url, Url, &Request, Request, http::Request<()>);
