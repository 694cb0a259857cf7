//! The syntax of `Sec-WebSocket-Extensions` (RFC 6455 §9.1).

use crate::protocol::header::is_token_byte;

/// One element of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extension<'a> {
    pub(crate) name: &'a str,
    /// Names and values, without quotes.
    pub(crate) parameters: Vec<(&'a str, Option<String>)>,
}

/// Parses the value of one header line; `None` if it breaks the grammar.
pub(crate) fn parse(value: &[u8]) -> Option<Vec<Extension<'_>>> {
    let mut rest = Rest(value);
    let mut extensions = Vec::new();
    loop {
        rest.skip_blanks();
        if rest.take(b',') {
            // RFC 9110 §5.6.1.2: empty elements are ignored.
            continue;
        }
        if rest.0.is_empty() {
            return Some(extensions);
        }
        extensions.push(rest.extension()?);
        rest.skip_blanks();
        if !rest.take(b',') && !rest.0.is_empty() {
            return None;
        }
    }
}

/// What has not been parsed yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn extension(&mut self) -> Option<Extension<'a>> {
        let name = self.token()?;
        let mut parameters = Vec::new();
        loop {
            self.skip_blanks();
            if !self.take(b';') {
                return Some(Extension { name, parameters });
            }
            self.skip_blanks();
            let name = self.token()?;
            self.skip_blanks();
            let value = if self.take(b'=') {
                self.skip_blanks();
                Some(self.value()?)
            } else {
                None
            };
            parameters.push((name, value));
        }
    }

    fn token(&mut self) -> Option<&'a str> {
        let length = self.0.iter().take_while(|&&byte| is_token_byte(byte)).count();
        let (token, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        // Token bytes are ASCII.
        std::str::from_utf8(token).ok().filter(|token| !token.is_empty())
    }

    /// A token, or a quoted one (§9.1: what is inside of the quotes has to be a token, too).
    fn value(&mut self) -> Option<String> {
        if !self.take(b'"') {
            return self.token().map(str::to_owned);
        }
        let mut value = String::new();
        loop {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            let byte = match byte {
                b'"' => return Some(value).filter(|value| !value.is_empty()),
                b'\\' => {
                    let (&escaped, rest) = self.0.split_first()?;
                    self.0 = rest;
                    escaped
                }
                byte => byte,
            };
            if !is_token_byte(byte) {
                return None;
            }
            value.push(char::from(byte));
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((&first, rest)) if first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn skip_blanks(&mut self) {
        self.0 = self.0.trim_ascii_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &str) -> Option<String> {
        let extensions = parse(value.as_bytes())?;
        let shown: Vec<String> = extensions
            .into_iter()
            .map(|Extension { name, parameters }| {
                parameters.into_iter().fold(name.to_owned(), |shown, parameter| match parameter {
                    (name, Some(value)) => format!("{shown}; {name}={value}"),
                    (name, None) => format!("{shown}; {name}"),
                })
            })
            .collect();
        Some(shown.join(", "))
    }

    #[test]
    fn lists_parameters_and_quoted_values_are_read() {
        for (value, expected) in [
            ("", ""),
            (" , ,", ""),
            ("a", "a"),
            ("a,b;c ; d=1,, e", "a, b; c; d=1, e"),
            ("a;b=\"c\"", "a; b=c"),
            ("a ; b = \"1\\5\" ", "a; b=15"),
            ("a\t;\tb=2", "a; b=2"),
        ] {
            assert_eq!(shown(value).as_deref(), Some(expected), "{value:?}");
        }
    }

    #[test]
    fn what_breaks_the_grammar_is_refused() {
        for value in [
            ";",
            "a;",
            "a;;b",
            "a;=1",
            "a;b=",
            "a b",
            "a;b c",
            "a;b=\"",
            "a;b=\"\"",
            "a;b=\"c d\"",
            "a;b=\"c\\",
            "a/b",
            "é",
            "a;b=c=d",
            "a;b=\"c\"d",
            "=",
            "a=1",
            "\0",
        ] {
            assert_eq!(shown(value), None, "{value:?}");
        }
    }
}
