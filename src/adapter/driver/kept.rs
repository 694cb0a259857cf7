//! Messages that the sink side met while it looked for control frames.

use std::collections::VecDeque;

use crate::adapter::driver::Driver;
use crate::protocol::receiver::Item;
use crate::protocol::{Message, MessageRef};

/// How many bytes of messages are kept while nobody receives; an empty one counts, too.
const LIMIT: usize = 64 << 10;

/// Messages that the sink side met while it looked for control frames.
#[derive(Debug, Default)]
pub(super) struct Kept {
    messages: VecDeque<Message>,
    bytes: usize,
    /// The one that is lent.
    lent: Option<Message>,
}

impl Kept {
    pub(super) fn push(&mut self, message: Message) {
        self.bytes += size_of::<Message>() + message.len();
        self.messages.push_back(message);
    }

    fn pop(&mut self) -> Option<Message> {
        self.lent = None;
        let message = self.messages.pop_front()?;
        self.bytes -= size_of::<Message>() + message.len();
        Some(message)
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes >= LIMIT
    }

    pub(super) fn lend(&mut self, message: Message) {
        self.lent = Some(message);
    }
}

/// Where the next message is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    Kept,
    Item(Item),
}

impl<S> Driver<S> {
    /// The first of the messages that were kept.
    pub(super) fn pop_kept(&mut self) -> Option<Message> {
        let message = self.kept.as_mut()?.pop();
        if message.is_none() {
            self.kept = None;
        }
        message
    }

    /// The message that `poll_found` found.
    #[inline]
    pub(crate) fn lend(&self, found: Found) -> MessageRef<'_> {
        match found {
            Found::Item(item) => self.connection.message_ref(item),
            Found::Kept => match self.kept.as_ref().and_then(|kept| kept.lent.as_ref()) {
                Some(Message::Text(text)) => MessageRef::Text(text),
                Some(Message::Binary(bytes)) => MessageRef::Binary(bytes),
                None => MessageRef::Binary(&[]),
            },
        }
    }
}
