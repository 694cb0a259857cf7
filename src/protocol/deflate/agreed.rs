//! The negotiation: what is offered, answered and agreed on (RFC 7692 §5, §7.1).

use std::fmt;

use crate::protocol::Role;
use crate::protocol::deflate::Deflate;
use crate::protocol::handshake::extension::{Extension, parse};
use crate::protocol::handshake::head::excerpt;

/// The registered name of the extension.
const NAME: &str = "permessage-deflate";

/// Names of parameters (§7.1).
const SERVER_NO_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_BITS: &str = "server_max_window_bits";
const CLIENT_BITS: &str = "client_max_window_bits";

/// The smallest window that this crate's compressor can have; RFC 7692 knows one of 8 bits, too,
/// which a decompressor can always have larger.
pub(super) const LEAST_BITS: u8 = 9;

/// What is wrong with the extensions that were agreed on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidExtensions {
    /// The header is not a list of extensions (RFC 6455 §9.1).
    #[error("`{0}` is not a list of extensions")]
    Syntax(Box<str>),
    /// An extension that this crate does not know.
    #[error("the extension `{0}` is unknown")]
    Unknown(Box<str>),
    /// permessage-deflate stands more than once.
    #[error("permessage-deflate stands more than once")]
    Repeated,
    /// A parameter that permessage-deflate does not have.
    #[error("permessage-deflate has no parameter `{0}`")]
    UnknownParameter(Box<str>),
    /// A parameter stands more than once.
    #[error("the parameter `{0}` stands more than once")]
    RepeatedParameter(Box<str>),
    /// A parameter has a value that it may not have here.
    #[error("the parameter `{parameter}` may not {}", unfit(.value.as_deref()))]
    #[non_exhaustive]
    Value {
        /// Its name.
        parameter: Box<str>,
        /// Its value, if it has one.
        value: Option<Box<str>>,
    },
    /// A parameter that was asked for is missing.
    #[error("the parameter `{0}` is missing, which was asked for")]
    Missing(Box<str>),
}

fn unfit(value: Option<&str>) -> String {
    value.map_or_else(|| "stand without a value".to_owned(), |value| format!("be `{value}` here"))
}

/// The parameters of one offer or answer, each as it stands there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Parameters {
    server_no_takeover: bool,
    client_no_takeover: bool,
    server_bits: Option<u8>,
    /// In an offer it may have no value.
    #[expect(clippy::option_option, reason = "absent, without a value, or with one")]
    client_bits: Option<Option<u8>>,
}

impl Parameters {
    fn parse(extension: &Extension<'_>) -> Result<Self, InvalidExtensions> {
        let mut found = Self::default();
        for (name, value) in &extension.parameters {
            let is = |other: &str| name.eq_ignore_ascii_case(other);
            let unfit = || InvalidExtensions::Value {
                parameter: (*name).into(),
                value: value.as_deref().map(|value| excerpt(value.as_bytes())),
            };
            let bits = || match value.as_deref() {
                None => Ok(None),
                Some(value) => bits(value).map(Some).ok_or_else(unfit),
            };
            let repeated = if is(SERVER_NO_TAKEOVER) {
                std::mem::replace(&mut found.server_no_takeover, true)
            } else if is(CLIENT_NO_TAKEOVER) {
                std::mem::replace(&mut found.client_no_takeover, true)
            } else if is(SERVER_BITS) {
                let bits = bits()?.ok_or_else(unfit)?;
                found.server_bits.replace(bits).is_some()
            } else if is(CLIENT_BITS) {
                found.client_bits.replace(bits()?).is_some()
            } else {
                return Err(InvalidExtensions::UnknownParameter(excerpt(name.as_bytes())));
            };
            if repeated {
                return Err(InvalidExtensions::RepeatedParameter((*name).into()));
            }
            if (is(SERVER_NO_TAKEOVER) || is(CLIENT_NO_TAKEOVER)) && value.is_some() {
                return Err(unfit());
            }
        }
        Ok(found)
    }
}

/// 8 to 15, in decimal without leading zeros (§7.1.2.1).
fn bits(value: &str) -> Option<u8> {
    let bits = value.parse().ok().filter(|bits: &u8| (8..=15).contains(bits))?;
    (value == bits.to_string()).then_some(bits)
}

impl fmt::Display for Parameters {
    /// As in the header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        if self.server_no_takeover {
            write!(f, "; {SERVER_NO_TAKEOVER}")?;
        }
        if self.client_no_takeover {
            write!(f, "; {CLIENT_NO_TAKEOVER}")?;
        }
        if let Some(bits) = self.server_bits {
            write!(f, "; {SERVER_BITS}={bits}")?;
        }
        match self.client_bits {
            Some(Some(bits)) => write!(f, "; {CLIENT_BITS}={bits}"),
            Some(None) => write!(f, "; {CLIENT_BITS}"),
            None => Ok(()),
        }
    }
}

/// What both ends agreed on: the parameters of the server's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreed(Parameters);

/// How one end compresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Direction {
    pub(crate) takeover: bool,
    pub(crate) bits: u8,
}

impl Agreed {
    /// How the end of this role compresses.
    pub(crate) fn of(self, role: Role) -> Direction {
        let Parameters { server_no_takeover, client_no_takeover, server_bits, client_bits } =
            self.0;
        let (no_takeover, bits) = match role {
            Role::Server => (server_no_takeover, server_bits),
            Role::Client => (client_no_takeover, client_bits.flatten()),
        };
        Direction { takeover: !no_takeover, bits: bits.unwrap_or(15) }
    }

    /// What a server's answer says, given as the values of its header lines; `None` if it names no
    /// extension.
    pub(crate) fn parse<'a>(
        answer: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Option<Self>, InvalidExtensions> {
        let mut agreed = None;
        for line in answer {
            for extension in parse(line).ok_or_else(|| InvalidExtensions::Syntax(excerpt(line)))? {
                if !extension.name.eq_ignore_ascii_case(NAME) {
                    return Err(InvalidExtensions::Unknown(excerpt(extension.name.as_bytes())));
                }
                let found = Parameters::parse(&extension)?;
                if found.client_bits == Some(None) {
                    let parameter = CLIENT_BITS.into();
                    return Err(InvalidExtensions::Value { parameter, value: None });
                }
                if agreed.replace(Self(found)).is_some() {
                    return Err(InvalidExtensions::Repeated);
                }
            }
        }
        Ok(agreed)
    }
}

impl fmt::Display for Agreed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Deflate {
    /// The header `Sec-WebSocket-Extensions` with which a client offers compression.
    ///
    /// For those who send the upgrade's request themselves. What the server answers goes into
    /// [`Handshake::with_extensions`](crate::Handshake::with_extensions).
    ///
    /// ```
    /// let offer = ws_channel::Deflate::new().offer();
    /// assert_eq!(offer, "permessage-deflate; client_no_context_takeover; client_max_window_bits");
    /// ```
    pub fn offer(&self) -> String {
        self.offered().to_string()
    }

    fn offered(self) -> Parameters {
        let below_most = |bits: u8| (bits < 15).then_some(bits);
        Parameters {
            server_no_takeover: !self.server_takeover(Role::Client),
            client_no_takeover: !self.client_takeover(),
            server_bits: below_most(self.server_bits),
            // Always, so that the server may choose.
            client_bits: Some(below_most(self.client_bits.max(LEAST_BITS))),
        }
    }

    /// Judges the answer of a server to the offer (§7.1): it has to be within what was offered.
    pub(crate) fn check<'a>(
        self,
        answer: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Option<Agreed>, InvalidExtensions> {
        let Some(agreed) = Agreed::parse(answer)? else { return Ok(None) };
        let (offered, answered) = (self.offered(), agreed.0);
        if offered.server_no_takeover && !answered.server_no_takeover {
            return Err(InvalidExtensions::Missing(SERVER_NO_TAKEOVER.into()));
        }
        if offered.server_bits.is_some() && answered.server_bits.is_none() {
            return Err(InvalidExtensions::Missing(SERVER_BITS.into()));
        }
        let larger = |parameter: &str, most: Option<u8>, bits: Option<u8>| match bits {
            Some(bits) if most.is_some_and(|most| bits > most) => Err(InvalidExtensions::Value {
                parameter: parameter.into(),
                value: Some(bits.to_string().into()),
            }),
            _ => Ok(()),
        };
        larger(SERVER_BITS, offered.server_bits, answered.server_bits)?;
        larger(CLIENT_BITS, offered.client_bits.flatten(), answered.client_bits.flatten())?;
        Ok(Some(agreed))
    }

    /// The header `Sec-WebSocket-Extensions` with which a server answers these offers; `None` if it
    /// accepts none of them, and then there is no such header.
    ///
    /// For those who write the upgrade's response themselves: what the client sent in that header,
    /// a string a line, becomes the answer, which goes into the response and into
    /// [`Handshake::with_extensions`](crate::Handshake::with_extensions).
    ///
    /// ```
    /// use ws_channel::Deflate;
    ///
    /// let offers = ["permessage-deflate; client_max_window_bits, x-other"];
    /// let answer = Deflate::new().server_context_takeover().client_max_window_bits(10).answer(offers);
    /// assert_eq!(
    ///     answer.as_deref(),
    ///     Some("permessage-deflate; client_no_context_takeover; client_max_window_bits=10")
    /// );
    /// assert_eq!(Deflate::new().answer(["x-other"]), None);
    /// ```
    pub fn answer<I>(&self, offers: I) -> Option<String>
    where
        I: IntoIterator<Item: AsRef<[u8]>>,
    {
        Some(self.accept(offers)?.to_string())
    }

    /// The first offer that can be accepted (§5.1), as the server wants it. What is malformed,
    /// unknown or beyond this compressor is declined.
    pub(crate) fn accept<I>(self, offers: I) -> Option<Agreed>
    where
        I: IntoIterator<Item: AsRef<[u8]>>,
    {
        offers.into_iter().find_map(|line| {
            let extensions = parse(line.as_ref())?;
            let mut offers = extensions.iter().filter(|one| one.name.eq_ignore_ascii_case(NAME));
            offers.find_map(|offer| self.accept_one(Parameters::parse(offer).ok()?))
        })
    }

    fn accept_one(self, offer: Parameters) -> Option<Agreed> {
        let own = self.server_bits.max(LEAST_BITS);
        let server_bits = offer.server_bits.map_or(own, |most| most.min(own));
        if server_bits < LEAST_BITS {
            return None;
        }
        // Only a client that offers to be told can be told (§7.1.2.2).
        let client_bits = offer.client_bits.and_then(|most| {
            let bits = most.unwrap_or(15).min(self.client_bits);
            (bits < 15).then_some(Some(bits))
        });
        Some(Agreed(Parameters {
            server_no_takeover: offer.server_no_takeover || !self.server_takeover(Role::Server),
            client_no_takeover: offer.client_no_takeover || !self.client_takeover(),
            server_bits: (offer.server_bits.is_some() || server_bits < 15).then_some(server_bits),
            client_bits,
        }))
    }
}

#[cfg(test)]
mod tests;
