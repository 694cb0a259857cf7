//! The client's side: the request that is sent, the answer that is checked.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::header::HOST;
use http::{Response, StatusCode};

use crate::protocol::ValidRequest;
#[cfg(feature = "deflate")]
use crate::protocol::deflate::{Agreed, Deflate, InvalidExtensions};
use crate::protocol::handshake::body::Body;
use crate::protocol::handshake::head::{FIELD_LIMIT, Fields, HEAD_LIMIT, HeadEnd, excerpt};
use crate::protocol::handshake::{Handshake, HandshakeError, HandshakeFault, accept_key};
use crate::protocol::header::{write_line, write_lines};

const EXTENSIONS: &str = "sec-websocket-extensions";

/// A request on its way, until its answer is whole.
#[derive(Debug)]
pub(crate) struct ClientOpening {
    request: ValidRequest,
    /// What the server has to answer.
    accept: String,
    end: HeadEnd,
    keep_headers: bool,
    #[cfg(feature = "deflate")]
    deflate: Option<Deflate>,
}

/// What the server's answer comes to.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Its head is not whole yet.
    Partial,
    /// The WebSocket is open.
    Upgraded(Handshake),
    /// It is something else, whose body may follow.
    Refused(RefusedOpening),
}

/// An answer that is not 101, until enough of its body is there.
#[derive(Debug)]
pub(crate) struct RefusedOpening {
    status: StatusCode,
    fields: Fields,
    body: Body,
}

impl ClientOpening {
    /// Returns the bytes to send too. The key is 16 random bytes.
    #[cfg(any(test, not(feature = "deflate")))]
    pub(crate) fn new(request: ValidRequest, key: [u8; 16]) -> (Self, Bytes) {
        Self::with_offer(request, key, None)
    }

    /// The same, with an offer to compress.
    #[cfg(feature = "deflate")]
    pub(crate) fn offering(
        request: ValidRequest,
        key: [u8; 16],
        deflate: Option<Deflate>,
    ) -> (Self, Bytes) {
        let offer = deflate.map(|deflate| deflate.offer());
        let (opening, head) = Self::with_offer(request, key, offer.as_deref());
        (Self { deflate, ..opening }, head)
    }

    fn with_offer(request: ValidRequest, key: [u8; 16], offer: Option<&str>) -> (Self, Bytes) {
        let key = STANDARD.encode(key);
        let head = encode(&request, &key, offer);
        let accept = accept_key(&key);
        let opening = Self {
            request,
            accept,
            end: HeadEnd::default(),
            keep_headers: true,
            #[cfg(feature = "deflate")]
            deflate: None,
        };
        (opening, head.into())
    }

    /// Leaves the response's headers out of the handshake.
    pub(crate) fn discard_headers(&mut self) {
        self.keep_headers = false;
    }

    /// Looks at what has arrived, and takes the head off it once it is whole.
    pub(crate) fn read(&mut self, input: &mut BytesMut) -> Result<Answer, HandshakeError> {
        if !input.iter().zip(b"HTTP/").all(|(byte, expected)| byte == expected) {
            return Err(HandshakeFault::NotHttp.into());
        }
        match self.end.find(input) {
            Some(length) if length <= HEAD_LIMIT => self.parse(&input.split_to(length)),
            None if input.len() < HEAD_LIMIT => Ok(Answer::Partial),
            _ => Err(HandshakeFault::HeadTooLarge.into()),
        }
    }

    fn parse(&self, head: &[u8]) -> Result<Answer, HandshakeError> {
        let mut headers = [httparse::EMPTY_HEADER; FIELD_LIMIT];
        let mut response = httparse::Response::new(&mut headers);
        match response.parse(head) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Err(HandshakeFault::NotHttp.into()),
            Err(error) => return Err(malformed(error).into()),
        }
        let fields = Fields::new(response.headers);
        let Some(status) = response.code.and_then(|code| StatusCode::from_u16(code).ok()) else {
            return Err(HandshakeFault::Malformed("status code").into());
        };
        if status != StatusCode::SWITCHING_PROTOCOLS {
            let body = Body::new(status.as_u16(), &fields);
            return Ok(Answer::Refused(RefusedOpening { status, fields, body }));
        }
        let checked = self.check(response.version, &fields);
        #[cfg(feature = "deflate")]
        let (checked, agreed) = match self.check_extensions(&fields) {
            Ok(agreed) => (checked, agreed),
            Err(fault) => (checked.and(Err(fault)), None),
        };
        match checked {
            Ok(protocol) => {
                let kept = if self.keep_headers { fields } else { Fields::default() };
                let handshake = Handshake::settled(self.request.url(), protocol, kept);
                #[cfg(feature = "deflate")]
                let handshake = match agreed {
                    Some(agreed) => handshake.with_text_of_extensions(agreed.to_string()),
                    None => handshake,
                };
                Ok(Answer::Upgraded(handshake))
            }
            Err(fault) => Err(answered(fault, status, &fields, Bytes::new())),
        }
    }

    /// The checks of RFC 6455 §4.1 on a 101; returns the subprotocol.
    fn check(
        &self,
        version: Option<u8>,
        fields: &Fields,
    ) -> Result<Option<Box<str>>, HandshakeFault> {
        if version != Some(1) {
            return Err(HandshakeFault::Version);
        }
        if !fields.list_has("upgrade", "websocket") {
            return Err(HandshakeFault::Upgrade);
        }
        if !fields.list_has("connection", "upgrade") {
            return Err(HandshakeFault::Connection);
        }
        if fields.only("sec-websocket-accept") != Ok(self.accept.as_bytes()) {
            return Err(HandshakeFault::Accept);
        }
        #[cfg(not(feature = "deflate"))]
        if let Some(extension) = fields.list(EXTENSIONS).next() {
            return Err(HandshakeFault::Extension(excerpt(extension)));
        }
        self.check_protocol(fields)
    }

    #[cfg(feature = "deflate")]
    fn check_extensions(&self, fields: &Fields) -> Result<Option<Agreed>, HandshakeFault> {
        let answers = fields.all(EXTENSIONS);
        let Some(deflate) = self.deflate else {
            let extension = fields.list(EXTENSIONS).next();
            return extension.map_or(Ok(None), |one| Err(HandshakeFault::Extension(excerpt(one))));
        };
        deflate.check(answers).map_err(|fault| match fault {
            InvalidExtensions::Unknown(extension) => HandshakeFault::Extension(extension),
            fault => HandshakeFault::Extensions(fault),
        })
    }

    fn check_protocol(&self, fields: &Fields) -> Result<Option<Box<str>>, HandshakeFault> {
        let offered = self.request.protocols();
        let mut answers = fields.all("sec-websocket-protocol");
        let Some(answer) = answers.next() else { return Ok(None) };
        let chosen = offered.iter().find(|protocol| protocol.as_bytes() == answer);
        match (chosen, answers.next()) {
            (Some(protocol), None) => Ok(Some(protocol.clone())),
            (_, second) => {
                let answered = second.map_or_else(
                    || excerpt(answer),
                    |second| excerpt(&[answer, b", ", second].concat()),
                );
                Err(HandshakeFault::Protocol { offered: offered.to_vec(), answered })
            }
        }
    }
}

impl RefusedOpening {
    /// Takes what has arrived of the body; tells whether that is all that is wanted.
    pub(crate) fn take_body(&mut self, input: &mut BytesMut) -> bool {
        self.body.take(input)
    }

    /// The error, with what there is of the body.
    pub(crate) fn error(&mut self) -> HandshakeError {
        let fault = HandshakeFault::Status(self.status);
        answered(fault, self.status, &self.fields, self.body.split())
    }
}

fn answered(
    fault: HandshakeFault,
    status: StatusCode,
    fields: &Fields,
    body: Bytes,
) -> HandshakeError {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = fields.to_map();
    HandshakeError::new(fault, Some(answer))
}

fn malformed(error: httparse::Error) -> HandshakeFault {
    HandshakeFault::Malformed(match error {
        httparse::Error::HeaderName => "a header's name has a byte that may not stand there",
        httparse::Error::HeaderValue => "a header's value has a control character",
        httparse::Error::NewLine => "a line break",
        httparse::Error::Status => "the status line",
        httparse::Error::Token => "the status line's token",
        httparse::Error::Version => return HandshakeFault::NotHttp,
        httparse::Error::TooManyHeaders => return HandshakeFault::TooManyHeaders,
    })
}

fn encode(request: &ValidRequest, key: &str, offer: Option<&str>) -> Vec<u8> {
    let mut head = Vec::with_capacity(512);
    head.extend_from_slice(b"GET ");
    head.extend_from_slice(request.target().as_bytes());
    head.extend_from_slice(b" HTTP/1.1\r\n");
    if !request.headers().contains_key(HOST) {
        write_line(&mut head, "Host", request.authority());
    }
    write_line(&mut head, "Connection", "Upgrade");
    write_line(&mut head, "Upgrade", "websocket");
    write_line(&mut head, "Sec-WebSocket-Version", "13");
    write_line(&mut head, "Sec-WebSocket-Key", key);
    if !request.protocols().is_empty() {
        write_line(&mut head, "Sec-WebSocket-Protocol", request.protocols().join(", "));
    }
    if let Some(offer) = offer {
        write_line(&mut head, "Sec-WebSocket-Extensions", offer);
    }
    if let Some(credentials) = request.credentials() {
        write_line(&mut head, "Authorization", credentials);
    }
    write_lines(&mut head, request.headers());
    head.extend_from_slice(b"\r\n");
    head
}

#[cfg(test)]
mod tests;
