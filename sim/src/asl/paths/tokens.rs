//! Splits a JSONPath in Jayway's spelling into its parts, and writes them in that of RFC 9535.

use super::PathSyntaxError;
use super::jayway::{self, Function};

/// One part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Name(String),
    Index(i64),
    /// `.*` or `[*]`
    Wildcard,
    /// `..`: the part after it applies to every depth.
    Descend,
    /// Unions, slices and filters, as written between the brackets.
    Selector(String),
    /// The last part, if it is a call: `.length()`.
    Function(Function),
}

impl Token {
    /// Appends the part in the spelling of RFC 9535.
    pub(super) fn write_rfc(&self, query: &mut String) {
        match self {
            Self::Name(name) => {
                query.push_str("['");
                for c in name.chars() {
                    match c {
                        '\'' | '\\' => query.extend(['\\', c]),
                        c if c < ' ' => query.push_str(&format!("\\u{:04x}", u32::from(c))),
                        c => query.push(c),
                    }
                }
                query.push_str("']");
            }
            Self::Index(index) => query.push_str(&format!("[{index}]")),
            Self::Wildcard => query.push_str("[*]"),
            Self::Descend => query.push_str(".."),
            Self::Selector(text) => {
                query.push('[');
                query.push_str(text);
                query.push(']');
            }
            Self::Function(_) => {}
        }
    }
}

/// More steps than anybody writes, but few enough that what a path makes and what reads it can be walked recursively.
const MAX_STEPS: usize = 200;
const MAX_NESTING: usize = 8;
const MAX_SELECTOR: usize = 1000;

/// Splits what follows the `$`.
pub(super) fn tokenize(body: &str) -> Result<Vec<Token>, PathSyntaxError> {
    let mut tokens = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        if tokens.len() >= MAX_STEPS {
            return Err(error(format!("it has more than {MAX_STEPS} steps")));
        }
        rest = if let Some(after) = rest.strip_prefix("..") {
            tokens.push(Token::Descend);
            if after.starts_with('[') { after } else { member(after, &mut tokens)? }
        } else if let Some(after) = rest.strip_prefix('.') {
            // Jayway takes a dot before a bracket.
            if after.starts_with('[') { after } else { member(after, &mut tokens)? }
        } else if rest.starts_with('[') {
            brackets(rest, &mut tokens)?
        } else {
            return Err(error(format!("expected . or [ before {rest:?}")));
        };
    }
    Ok(tokens)
}

fn error(message: impl Into<String>) -> PathSyntaxError {
    PathSyntaxError(format!("is not a JSONPath: {}", message.into()))
}

fn member<'a>(text: &'a str, tokens: &mut Vec<Token>) -> Result<&'a str, PathSyntaxError> {
    if let Some(after) = text.strip_prefix('*') {
        tokens.push(Token::Wildcard);
        return Ok(after);
    }
    let is_name = |c: char| !c.is_whitespace() && !c.is_control() && !".[]()*,'\"?@&|!<>=".contains(c);
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let (name, after) = text.split_at(end);
    if name.is_empty() {
        return Err(error("a name is missing after the dot"));
    }
    if after.starts_with('(') {
        return match (after, Function::named(name)) {
            ("()", Some(function)) => {
                tokens.push(Token::Function(function));
                Ok("")
            }
            _ => Err(error(format!("{name}(...) is not a function that can end it, such as length()"))),
        };
    }
    tokens.push(Token::Name(name.to_owned()));
    Ok(after)
}

fn brackets<'a>(text: &'a str, tokens: &mut Vec<Token>) -> Result<&'a str, PathSyntaxError> {
    let end = closing(text).ok_or_else(|| error("a [ is not closed"))?;
    let (inside, after) = (text[1..end].trim(), &text[end + 1..]);
    tokens.push(if inside == "*" {
        Token::Wildcard
    } else if let Some(name) = quoted(inside) {
        Token::Name(name)
    } else if let Some(names) = names(inside).filter(|_| after.is_empty()) {
        Token::Function(Function::Pick(names))
    } else if inside.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        Token::Index(inside.parse().map_err(|_| error(format!("[{inside}] is not an index")))?)
    } else if inside.starts_with('(') {
        return Err(error(
            "script expressions such as [(@.length-1)] are not part of it; [-1] is the last element",
        ));
    } else {
        if inside.len() > MAX_SELECTOR || nesting(inside) > MAX_NESTING {
            return Err(error("a filter in it is too long or nests too deeply"));
        }
        Token::Selector(if inside.starts_with('?') { jayway::filter(inside) } else { inside.to_owned() })
    });
    Ok(after)
}

/// How deeply brackets and parentheses nest.
fn nesting(text: &str) -> usize {
    let mut depth = 0_usize;
    let depths = text.bytes().map(|byte| {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth
    });
    depths.max().unwrap_or(0)
}

/// The position of the bracket that closes the one at the start; quotes hide brackets.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (position, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') if depth == 1 => return Some(position),
            (None, ']') => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The names in `'...', '...'`.
fn names(text: &str) -> Option<Vec<String>> {
    text.split(',').map(|name| quoted(name.trim())).collect()
}

/// The name in `'...'` or `"..."`, when that is all there is.
fn quoted(text: &str) -> Option<String> {
    let mut chars = text.chars();
    let quote = chars.next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut name = String::new();
    loop {
        match chars.next()? {
            '\\' => name.push(chars.next()?),
            c if c == quote => return chars.next().is_none().then_some(name),
            c => name.push(c),
        }
    }
}
