//! Reading a call of an intrinsic function.

use serde_json::Value;

use super::{Argument, Call, Function};
use crate::asl::paths::{Path, PathSyntaxError};

/// AWS: up to 10 nested intrinsic functions within a field.
const DEPTH: usize = 10;

pub(super) fn parse(text: &str) -> Result<Call, PathSyntaxError> {
    let mut reader = Reader { rest: text.trim() };
    let call = reader.call(1)?;
    match reader.rest {
        "" => Ok(call),
        rest => Err(error(format!("has {rest:?} after the call"))),
    }
}

fn error(message: impl Into<String>) -> PathSyntaxError {
    PathSyntaxError(message.into())
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, c: char) -> bool {
        self.skip_blanks();
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn call(&mut self, depth: usize) -> Result<Call, PathSyntaxError> {
        if depth > DEPTH {
            return Err(error(format!("nests more than {DEPTH} intrinsic functions")));
        }
        let start = self.rest;
        let open = start.find('(').ok_or_else(|| error("is not a call: States.Name(...) is expected"))?;
        let name = start[..open].trim();
        let (_, function, least, most) = name
            .strip_prefix("States.")
            .and_then(|name| Function::ALL.iter().find(|(known, ..)| *known == name))
            .ok_or_else(|| {
                let known: Vec<_> = Function::ALL.iter().map(|(name, ..)| *name).collect();
                error(format!(
                    "calls {name}, which is not an intrinsic function; States. has {}",
                    known.join(", ")
                ))
            })?;
        self.rest = &start[open + 1..];
        let mut arguments = Vec::new();
        if !self.take(')') {
            loop {
                arguments.push(self.argument(depth)?);
                if self.take(')') {
                    break;
                }
                if !self.take(',') {
                    return Err(error(format!(
                        "needs a comma or a closing parenthesis before {:?}",
                        self.rest
                    )));
                }
            }
        }
        if !(*least..=*most).contains(&arguments.len()) {
            let wanted = match (*least, *most) {
                (least, most) if least == most => least.to_string(),
                (least, usize::MAX) => format!("at least {least}"),
                (least, most) => format!("{least} to {most}"),
            };
            return Err(error(format!("gives {name} {} arguments; it takes {wanted}", arguments.len())));
        }
        let text = &start[..start.len() - self.rest.len()];
        Ok(Call { text: text.to_owned(), function: *function, arguments })
    }

    fn argument(&mut self, depth: usize) -> Result<Argument, PathSyntaxError> {
        self.skip_blanks();
        match self.rest.chars().next() {
            None => Err(error("ends inside a call: a closing parenthesis is missing")),
            Some('\'') => Ok(Argument::Literal(Value::String(self.string()?))),
            Some('$') => Ok(Argument::Path(Path::parse(self.path())?)),
            Some('S') if self.rest.starts_with("States.") => Ok(Argument::Call(self.call(depth + 1)?)),
            Some(_) => self.scalar(),
        }
    }

    /// A text in single quotes. A backslash escapes a quote, a brace or a backslash. The escapes of braces are left in,
    /// for `States.Format` to read; the others do their work here.
    fn string(&mut self) -> Result<String, PathSyntaxError> {
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((position, c)) = chars.next() {
            match c {
                '\'' => {
                    self.rest = &self.rest[position + 1..];
                    return Ok(text);
                }
                '\\' => match chars.next() {
                    Some((_, '\'')) => text.push('\''),
                    Some((_, c @ ('{' | '}' | '\\'))) => text.extend(['\\', c]),
                    Some((_, c)) => {
                        return Err(error(format!(
                            "has \\{c} in a text; only ', {{, }} and \\ can be escaped"
                        )));
                    }
                    None => break,
                },
                c => text.push(c),
            }
        }
        Err(error("has a text whose closing quote (') is missing"))
    }

    fn path(&mut self) -> &'a str {
        let mut depth = 0_usize;
        let mut quote = None;
        let end = self
            .rest
            .char_indices()
            .find(|(_, c)| {
                match (quote, c) {
                    (Some(open), c) if open == *c => quote = None,
                    (Some(_), _) => {}
                    (None, '\'' | '"') => quote = Some(*c),
                    (None, '[' | '(') => depth += 1,
                    (None, ',' | ')') if depth == 0 => return true,
                    (None, ']' | ')') => depth = depth.saturating_sub(1),
                    _ => {}
                }
                false
            })
            .map_or(self.rest.len(), |(position, _)| position);
        let (path, rest) = self.rest.split_at(end);
        self.rest = rest;
        path.trim_end()
    }

    fn scalar(&mut self) -> Result<Argument, PathSyntaxError> {
        let end = self.rest.find([',', ')']).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        match serde_json::from_str(text.trim()) {
            Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_))) => {
                self.rest = rest;
                Ok(Argument::Literal(value))
            }
            _ => Err(error(format!(
                "has the argument {:?}; an argument is a text in single quotes, a number, true, false, null, a path or a \
                 call",
                text.trim()
            ))),
        }
    }
}
