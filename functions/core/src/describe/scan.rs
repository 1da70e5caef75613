//! A scanner for one shape of JSON, an object with a large array of objects in it, read piece by piece.
//!
//! A file of a million snapshots is larger than the memory it should take to read it, and most of it is not wanted. This
//! walks over what is not wanted without making anything of it, and holds one item at a time; an item that is wanted whole,
//! serde reads. It takes what it knows and nothing else: on anything odd it gives up, and whoever calls it reads the file in
//! the ordinary way, which finds words for what is wrong.

use std::borrow::Cow;
use std::io::{self, Read};
use std::mem;

use serde::Deserialize;
use wide::u8x16;

/// Why the scanner stopped. It is as small as can be, for it is passed on from each text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// What has been read ends within the item; more has to be read.
    Short,
    /// It is not what the scanner knows.
    Odd,
}

/// Why a file is not read this way.
#[derive(Debug)]
pub(super) enum Failed {
    /// It is not what the scanner knows.
    Odd,
    /// It cannot be read.
    Io(io::Error),
}

/// The rest of what has been read.
pub(super) struct Scanner<'a> {
    held: &'a str,
    /// What is not behind it: the end of what is held.
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    pub(super) fn new(held: &'a str) -> Self {
        Self { held, rest: held.as_bytes() }
    }

    /// How many bytes are behind it.
    #[inline]
    pub(super) fn pos(&self) -> usize {
        self.held.len() - self.rest.len()
    }

    /// Goes past so many bytes, which are there.
    #[inline]
    fn go(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    /// The next byte that is not white space; it stays the next.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8, Stop> {
        // Between two parts there mostly is nothing, or one space.
        match self.rest {
            [byte, ..] if *byte > b' ' => Ok(*byte),
            [b' ', byte, ..] if *byte > b' ' => {
                self.go(1);
                Ok(*byte)
            }
            _ => self.peek_behind_space(),
        }
    }

    #[inline(never)]
    fn peek_behind_space(&mut self) -> Result<u8, Stop> {
        while let [byte, rest @ ..] = self.rest {
            match byte {
                // What the AWS CLI prints is a third indentation.
                b' ' | b'\n' => self.rest = behind_indentation(rest),
                b'\r' | b'\t' => self.rest = rest,
                byte => return Ok(*byte),
            }
        }
        Err(Stop::Short)
    }

    /// Goes past `byte` if it is next.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> Result<bool, Stop> {
        // Between two parts there mostly is nothing, or one space.
        let rest = match self.rest {
            [b' ', rest @ ..] | rest => rest,
        };
        match rest {
            [first, rest @ ..] if *first > b' ' => {
                let found = *first == byte;
                if found {
                    self.rest = rest;
                }
                Ok(found)
            }
            _ => self.take_behind_space(byte),
        }
    }

    #[inline(never)]
    fn take_behind_space(&mut self, byte: u8) -> Result<bool, Stop> {
        let found = self.peek_behind_space()? == byte;
        self.go(usize::from(found));
        Ok(found)
    }

    /// Goes past `byte`, which must be next.
    #[inline]
    pub(super) fn need(&mut self, byte: u8) -> Result<(), Stop> {
        if self.take(byte)? { Ok(()) } else { Err(Stop::Odd) }
    }

    /// Goes past a text from behind its opening quote; answers whether there is an escape in it.
    #[inline]
    fn end(&mut self) -> Result<bool, Stop> {
        let found = special(self.rest).ok_or(Stop::Short)?;
        self.go(found);
        if let [b'"', rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(false);
        }
        self.end_behind_escapes()
    }

    #[cold]
    fn end_behind_escapes(&mut self) -> Result<bool, Stop> {
        loop {
            match self.rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    return Ok(true);
                }
                [b'\\', _, rest @ ..] => self.rest = rest,
                [b'\\'] => return Err(Stop::Short),
                _ => return Err(Stop::Odd),
            }
            self.go(special(self.rest).ok_or(Stop::Short)?);
        }
    }

    /// A text.
    #[inline]
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, Stop> {
        self.need(b'"')?;
        let start = self.pos();
        let escaped = self.end()?;
        let written = self.held.get(start..self.pos() - 1).ok_or(Stop::Odd)?;
        if escaped { unescaped(written) } else { Ok(Cow::Borrowed(written)) }
    }

    /// A key: the one of `known` that it is, if it is one of them. One with an escape in it is odd.
    #[inline]
    fn key<K>(&mut self, known: impl Fn(&[u8]) -> Option<(K, usize)>) -> Result<Option<K>, Stop> {
        self.need(b'"')?;
        if let Some((key, length)) = known(self.rest) {
            self.go(length);
            return Ok(Some(key));
        }
        if self.end()? { Err(Stop::Odd) } else { Ok(None) }
    }

    /// A text or `null`.
    pub(super) fn text_or_null(&mut self) -> Result<Option<Cow<'a, str>>, Stop> {
        if self.peek()? == b'"' {
            return self.text().map(Some);
        }
        let null = self.rest.get(..4).ok_or(Stop::Short)?;
        self.go(4);
        if null == b"null" { Ok(None) } else { Err(Stop::Odd) }
    }

    /// A value, read as serde reads it.
    pub(super) fn value<T: Deserialize<'a>>(&mut self) -> Result<T, Stop> {
        let rest = self.held.get(self.pos()..).ok_or(Stop::Odd)?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter();
        match values.next() {
            Some(Ok(value)) => {
                self.go(values.byte_offset());
                Ok(value)
            }
            Some(Err(error)) if !error.is_eof() => Err(Stop::Odd),
            Some(Err(_)) | None => Err(Stop::Short),
        }
    }

    /// Goes past a value of any kind.
    pub(super) fn skip(&mut self) -> Result<(), Stop> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.go(1);
                    self.end()?;
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.go(1);
                    continue;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.go(1);
                }
                b',' | b':' if depth > 0 => {
                    self.go(1);
                    continue;
                }
                b'-' | b'0'..=b'9' | b'a'..=b'z' => {
                    let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.');
                    self.go(self.rest.iter().position(|byte| !word(byte)).ok_or(Stop::Short)?);
                }
                _ => return Err(Stop::Odd),
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// An object: `field` is told each key, if `known` knows it, and goes past its value. `known` is shown what stands behind
    /// the opening quote of a key, and answers how long the key is with its closing quote: most keys are expected, and
    /// looking whether they stand there is quicker than looking for their ends.
    #[inline]
    pub(super) fn object<K>(
        &mut self,
        known: impl Fn(&[u8]) -> Option<(K, usize)>,
        mut field: impl FnMut(Option<K>, &mut Self) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.need(b'{')?;
        if self.take(b'}')? {
            return Ok(());
        }
        loop {
            let key = self.key(&known)?;
            self.need(b':')?;
            field(key, self)?;
            if self.take(b'}')? {
                return Ok(());
            }
            self.need(b',')?;
        }
    }

    /// An array: `item` goes past each item.
    pub(super) fn array(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), Stop>) -> Result<(), Stop> {
        self.need(b'[')?;
        if self.take(b']')? {
            return Ok(());
        }
        loop {
            item(self)?;
            if self.take(b']')? {
                return Ok(());
            }
            self.need(b',')?;
        }
    }
}

#[cold]
fn unescaped(written: &str) -> Result<Cow<'_, str>, Stop> {
    serde_json::from_str(&format!("\"{written}\"")).map(Cow::Owned).map_err(|_| Stop::Odd)
}

/// What is behind spaces, by eights: the rest are left to go past one by one.
#[inline]
fn behind_indentation(mut bytes: &[u8]) -> &[u8] {
    while let Some((b"        ", rest)) = bytes.split_first_chunk::<8>() {
        bytes = rest;
    }
    bytes
}

/// Where the first quote, backslash or control character of a text is, looked for in sixteen bytes at a time: most of a
/// file is texts, and most texts are short.
#[inline]
fn special(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    while let Some((block, behind)) = rest.split_first_chunk::<16>() {
        let block = u8x16::new(*block);
        let text_ends = block.simd_eq(u8x16::splat(b'"')) | block.simd_eq(u8x16::splat(b'\\'));
        let found = (text_ends | block.simd_lt(u8x16::splat(b' '))).to_bitmask();
        if found != 0 {
            return Some(bytes.len() - rest.len() + found.trailing_zeros() as usize);
        }
        rest = behind;
    }
    let found = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..b' '))?;
    Some(bytes.len() - rest.len() + found)
}

/// What is held of a file at once, unless an item is larger: so little that it stays near the processor.
const PIECE: usize = 1 << 18;

/// A file of which one part is held at a time.
struct Window<R> {
    reader: R,
    held: String,
    pos: usize,
    /// The beginning of a character that what is held ends before.
    cut: Vec<u8>,
    ended: bool,
}

impl<R: Read> Window<R> {
    /// Goes past what `read` reads. It is begun anew, with more to read, when it comes to the end of what is held.
    fn step<T>(&mut self, mut read: impl FnMut(&mut Scanner<'_>) -> Result<T, Stop>) -> Result<T, Failed> {
        loop {
            let mut scanner = Scanner::new(self.held.get(self.pos..).unwrap_or_default());
            match read(&mut scanner) {
                Ok(value) => {
                    self.pos += scanner.pos();
                    return Ok(value);
                }
                Err(Stop::Short) if !self.ended => self.fill()?,
                Err(Stop::Short | Stop::Odd) => return Err(Failed::Odd),
            }
        }
    }

    fn fill(&mut self) -> Result<(), Failed> {
        let mut bytes = mem::take(&mut self.held).into_bytes();
        bytes.drain(..self.pos);
        self.pos = 0;
        // At least as much again as is held already, so that a huge item is not read again and again.
        let more = PIECE.max(bytes.len());
        bytes.append(&mut self.cut);
        let count = (&mut self.reader).take(more as u64).read_to_end(&mut bytes).map_err(Failed::Io)?;
        self.ended = count == 0;
        self.held = String::from_utf8(bytes).or_else(|error| {
            let why = error.utf8_error();
            self.cut = error.into_bytes();
            if why.error_len().is_some() || self.ended {
                return Err(Failed::Odd);
            }
            // An error without a length is a character that the piece ends in.
            let cut = self.cut.split_off(why.valid_up_to());
            String::from_utf8(mem::replace(&mut self.cut, cut)).map_err(|_| Failed::Odd)
        })?;
        Ok(())
    }
}

/// What stands beside the array.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rest {
    /// Whether there is a `NextToken`.
    pub(super) more: bool,
}

/// Reads `{"<array>": [item, …], …}`; `item` goes past each item. It may be told of an item twice, the first time only in
/// part: what it makes of it must be complete only when it answers `Ok`.
pub(super) fn items(
    reader: impl Read,
    array: &str,
    mut item: impl FnMut(&mut Scanner<'_>) -> Result<(), Stop>,
) -> Result<Rest, Failed> {
    let mut window = Window { reader, held: String::new(), pos: 0, cut: Vec::new(), ended: false };
    let mut rest = Rest { more: false };
    let mut seen = false;
    window.step(|scanner| scanner.need(b'{'))?;
    loop {
        let key = window.step(|scanner| {
            let key = scanner.text()?.into_owned();
            scanner.need(b':')?;
            Ok(key)
        })?;
        if key == array && !seen {
            seen = true;
            window.step(|scanner| scanner.need(b'['))?;
            let mut ended = window.step(|scanner| scanner.take(b']'))?;
            while !ended {
                window.step(|scanner| item(scanner))?;
                ended = window.step(|scanner| {
                    let ended = scanner.take(b']')?;
                    if ended { Ok(true) } else { scanner.need(b',').map(|()| false) }
                })?;
            }
        } else if key == "NextToken" {
            rest.more = window.step(|scanner| scanner.text_or_null().map(|token| token.is_some()))?;
        } else if key == array {
            return Err(Failed::Odd);
        } else {
            window.step(|scanner| scanner.skip())?;
        }
        if window.step(|scanner| scanner.take(b'}'))? {
            break;
        }
        window.step(|scanner| scanner.need(b','))?;
    }
    // Nothing but white space may follow.
    let end = window.step(|scanner| match scanner.peek() {
        Ok(_) => Err(Stop::Odd),
        Err(stop) => Err::<(), _>(stop),
    });
    match end {
        Err(Failed::Odd) if seen && window.is_at_end() => Ok(rest),
        Err(Failed::Io(error)) => Err(Failed::Io(error)),
        _ => Err(Failed::Odd),
    }
}

impl<R> Window<R> {
    /// Whether nothing but white space is left.
    fn is_at_end(&self) -> bool {
        let rest = self.held.get(self.pos..).unwrap_or_default();
        self.ended
            && self.cut.is_empty()
            && rest.bytes().all(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))
    }
}

#[cfg(test)]
mod tests;
