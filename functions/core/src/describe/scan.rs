//! A scanner for one shape of JSON, an object with a large array of objects in it, read piece by piece.
//!
//! A file of a million snapshots is larger than the memory it should take to read it, and most of it is not wanted. This
//! walks over what is not wanted without making anything of it, and holds one item at a time. It takes what it knows
//! and nothing else: on anything odd it gives up, and whoever calls it reads the file in the ordinary way, which finds
//! words for what is wrong.

use std::borrow::Cow;
use std::io::{self, Read};

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
    pos: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(held: &'a str) -> Self {
        Self { held, pos: 0 }
    }

    /// What is not behind it.
    fn rest(&self) -> Result<&'a [u8], Stop> {
        self.held.as_bytes().get(self.pos..).ok_or(Stop::Short)
    }

    /// How many bytes are behind it.
    pub(super) fn pos(&self) -> usize {
        self.pos
    }

    /// The next byte that is not white space; it stays the next.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8, Stop> {
        // Between two parts there mostly is nothing, or one space.
        match self.rest()? {
            [byte, ..] if *byte > b' ' => Ok(*byte),
            [b' ', byte, ..] if *byte > b' ' => {
                self.pos += 1;
                Ok(*byte)
            }
            _ => self.peek_behind_space(),
        }
    }

    fn peek_behind_space(&mut self) -> Result<u8, Stop> {
        while let Some(byte) = self.held.as_bytes().get(self.pos) {
            match byte {
                // Most of the white space that the AWS CLI prints is indentation.
                b' ' | b'\n' => self.pos += 1 + indentation(self.held.as_bytes(), self.pos + 1),
                b'\r' | b'\t' => self.pos += 1,
                byte => return Ok(*byte),
            }
        }
        Err(Stop::Short)
    }

    /// Goes past `byte` if it is next.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> Result<bool, Stop> {
        let found = self.peek()? == byte;
        self.pos += usize::from(found);
        Ok(found)
    }

    /// Goes past `byte`, which must be next.
    #[inline]
    pub(super) fn need(&mut self, byte: u8) -> Result<(), Stop> {
        if self.take(byte)? { Ok(()) } else { Err(Stop::Odd) }
    }

    /// Goes past a text from behind its opening quote; answers whether there is an escape in it.
    fn end(&mut self) -> Result<bool, Stop> {
        let mut escaped = false;
        loop {
            let rest = self.rest()?;
            let found = special(rest).ok_or(Stop::Short)?;
            self.pos += found + 1;
            match rest.get(found) {
                Some(b'"') => return Ok(escaped),
                Some(b'\\') => escaped = true,
                _ => return Err(Stop::Odd),
            }
            self.pos += 1;
        }
    }

    /// A text as it is written, without its quotes; and whether there is an escape in it.
    fn written(&mut self) -> Result<(&'a str, bool), Stop> {
        self.need(b'"')?;
        let start = self.pos;
        let escaped = self.end()?;
        let written = self.held.get(start..self.pos - 1).ok_or(Stop::Odd)?;
        Ok((written, escaped))
    }

    /// A text.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, Stop> {
        let (written, escaped) = self.written()?;
        if escaped {
            return serde_json::from_str(&format!("\"{written}\"")).map(Cow::Owned).map_err(|_| Stop::Odd);
        }
        Ok(Cow::Borrowed(written))
    }

    /// A key: the one of `known` that it is, if it is one of them. One with an escape in it is odd.
    #[inline]
    fn key<K>(&mut self, known: impl Fn(&[u8]) -> Option<(K, usize)>) -> Result<Option<K>, Stop> {
        self.need(b'"')?;
        if let Some((key, length)) = known(self.rest()?) {
            self.pos += length;
            return Ok(Some(key));
        }
        if self.end()? { Err(Stop::Odd) } else { Ok(None) }
    }

    /// A text or `null`.
    pub(super) fn text_or_null(&mut self) -> Result<Option<Cow<'a, str>>, Stop> {
        if self.peek()? == b'"' {
            return self.text().map(Some);
        }
        let null = self.rest()?.get(..4).ok_or(Stop::Short)?;
        self.pos += 4;
        if null == b"null" { Ok(None) } else { Err(Stop::Odd) }
    }

    /// Goes past a value of any kind.
    pub(super) fn skip(&mut self) -> Result<(), Stop> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.pos += 1;
                    self.end()?;
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.pos += 1;
                    continue;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.pos += 1;
                }
                b',' | b':' if depth > 0 => {
                    self.pos += 1;
                    continue;
                }
                b'-' | b'0'..=b'9' | b'a'..=b'z' => {
                    let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.');
                    self.pos += self.rest()?.iter().position(|byte| !word(byte)).ok_or(Stop::Short)?;
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

/// How many of the bytes from `pos` on are spaces, counted by eights: the rest are left to go past one by one.
#[inline]
fn indentation(bytes: &[u8], pos: usize) -> usize {
    let (eights, _) = bytes.get(pos..).unwrap_or_default().as_chunks::<8>();
    eights.iter().take_while(|eight| **eight == [b' '; 8]).count() * 8
}

/// Where the first quote, backslash or control character of a text is, looked for in eight bytes at a time: most of a
/// file is texts, and most texts are shorter than what a search by vector instructions takes to begin.
fn special(bytes: &[u8]) -> Option<usize> {
    const EACH: u64 = u64::MAX / 0xff;
    const HIGH: u64 = EACH << 7;
    // The high bit of the first byte that is zero, and perhaps of some behind it.
    let zero = |word: u64| word.wrapping_sub(EACH) & !word;
    let (words, _) = bytes.as_chunks::<8>();
    for (n, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(EACH * 0x20) & !word;
        let found =
            (control | zero(word ^ (EACH * u64::from(b'"'))) | zero(word ^ (EACH * u64::from(b'\\')))) & HIGH;
        if found != 0 {
            return Some(n * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let tail = words.len() * 8;
    let found = bytes.get(tail..)?.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..b' '))?;
    Some(tail + found)
}

/// What is held of a file at once, unless an item is larger: so little that it stays near the processor.
const PIECE: usize = 1 << 18;

/// A file of which one part is held at a time.
struct Window<R> {
    reader: R,
    held: String,
    pos: usize,
    /// What is being read; between two pieces the beginning of a character whose end has not been read.
    read: Vec<u8>,
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
        self.held.drain(..self.pos);
        self.pos = 0;
        // At least as much again as is held already, so that a huge item is not read again and again.
        let more = PIECE.max(self.held.len());
        let count = (&mut self.reader).take(more as u64).read_to_end(&mut self.read).map_err(Failed::Io)?;
        self.ended = count == 0;
        match std::str::from_utf8(&self.read) {
            Ok(text) => {
                self.held.push_str(text);
                self.read.clear();
            }
            // An error without a length is a character that the piece ends in.
            Err(error) if error.error_len().is_none() && !self.ended => {
                let (valid, _) = self.read.split_at(error.valid_up_to());
                self.held.push_str(std::str::from_utf8(valid).map_err(|_| Failed::Odd)?);
                self.read.drain(..error.valid_up_to());
            }
            Err(_) => return Err(Failed::Odd),
        }
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
    let mut window = Window { reader, held: String::new(), pos: 0, read: Vec::new(), ended: false };
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
            && self.read.is_empty()
            && rest.bytes().all(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))
    }
}

#[cfg(test)]
mod tests;
