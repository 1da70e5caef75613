//! Intrinsic functions.

use serde_json::Value;

use super::Grower;

/// What can be an argument as it is, in words.
fn literal(word: &str) -> String {
    format!("'{word}'")
}

impl Grower {
    /// A call of an intrinsic function over some data; functions are inside each other `depth` deep.
    pub(super) fn function(&mut self, data: &Value, depth: usize) -> Option<String> {
        let call = match self.chance.within(0..=15) {
            0 => {
                let (one, other) = (self.scalar(data), self.scalar(data));
                format!("States.Format('{{}} and {{}}', {one}, {other})")
            }
            1 => format!("States.JsonToString({})", self.argument(data, depth, |_| true)?),
            2 => {
                format!("States.StringToJson(States.JsonToString({}))", self.argument(data, depth, |_| true)?)
            }
            3 => {
                let inner = self.argument(data, depth, |_| true)?;
                format!("States.Array({inner}, {}, {})", self.scalar(data), self.scalar(data))
            }
            4 => format!("States.ArrayPartition({}, {})", self.list(data, depth)?, self.chance.within(1..=3)),
            5 => format!("States.ArrayContains({}, {})", self.list(data, depth)?, self.text(data)),
            6 => {
                let (from, to, step) =
                    (self.chance.number(), self.chance.number(), self.chance.within(1..=3));
                format!("States.ArrayRange({from}, {to}, {step})")
            }
            7 => format!("States.ArrayGetItem({}, 0)", self.list(data, depth)?),
            8 => format!("States.ArrayLength({})", self.list(data, depth)?),
            9 => {
                let is_plain = |value: &Value| value.is_string() || value.is_i64();
                let list = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(is_plain));
                format!("States.ArrayUnique({})", self.path(data, list)?.0)
            }
            10 => format!("States.Base64Encode({})", self.text(data)),
            11 => format!("States.Base64Decode(States.Base64Encode({}))", self.text(data)),
            12 => {
                let algorithm = self.chance.of(&["MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512"]);
                format!("States.Hash({}, '{algorithm}')", self.text(data))
            }
            13 => {
                let (one, other) =
                    (self.path(data, Value::is_object)?.0, self.path(data, Value::is_object)?.0);
                format!("States.JsonMerge({one}, {other}, false)")
            }
            14 => format!("States.MathAdd({}, {})", self.whole(data), self.chance.number()),
            _ => format!("States.StringSplit({}, '{}')", self.text(data), self.chance.of(&[",", " ", "-,"])),
        };
        Some(call)
    }

    /// A path, or another call.
    fn argument(&mut self, data: &Value, depth: usize, is_wanted: impl Fn(&Value) -> bool) -> Option<String> {
        if depth > 0 && self.chance.one_in(3) {
            return self.function(data, depth - 1);
        }
        self.path(data, is_wanted).map(|(path, _)| path)
    }

    fn list(&mut self, data: &Value, depth: usize) -> Option<String> {
        let found = self.path(data, Value::is_array).map(|(path, _)| path);
        if depth > 0 && self.chance.one_in(3) {
            return Some(format!(
                "States.Array({}, {}, {})",
                self.scalar(data),
                self.scalar(data),
                self.scalar(data)
            ));
        }
        found
    }

    fn scalar(&mut self, data: &Value) -> String {
        let is_scalar = |value: &Value| value.is_i64() || value.is_string() || value.is_boolean();
        match self.path(data, is_scalar) {
            Some((path, _)) if !self.chance.one_in(3) => path,
            _ if self.chance.one_in(2) => self.chance.number().to_string(),
            _ => literal(self.word()),
        }
    }

    fn text(&mut self, data: &Value) -> String {
        match self.path(data, Value::is_string) {
            Some((path, _)) if !self.chance.one_in(3) => path,
            _ => literal(self.word()),
        }
    }

    fn whole(&mut self, data: &Value) -> String {
        match self.path(data, Value::is_i64) {
            Some((path, _)) if !self.chance.one_in(3) => path,
            _ => self.chance.number().to_string(),
        }
    }
}
