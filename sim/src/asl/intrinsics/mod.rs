//! The 18 intrinsic functions, `States.Format` to `States.UUID`.

use std::cell::RefCell;
use std::fmt;

use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::paths::{Path, PathSyntaxError, Reads, Scope};
use super::template::TemplateError;

mod arrays;
mod functions;
mod syntax;
mod text;

/// What intrinsic functions and templates see.
pub struct Env<'a> {
    /// The data and the context object.
    pub scope: Scope<'a>,
    /// Where `States.UUID` and `States.MathRandom` without a seed draw from.
    pub random: &'a RefCell<ChaCha8Rng>,
}

/// A call of an intrinsic function.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    text: String,
    function: Function,
    arguments: Vec<Argument>,
}

#[derive(Debug, Clone, PartialEq)]
enum Argument {
    Literal(Value),
    Path(Path),
    Call(Call),
}

macro_rules! functions {
    ($($name:ident $text:literal $least:literal ..= $most:expr;)*) => {
        /// The functions, with the numbers of arguments they take.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        enum Function { $($name,)* }

        impl Function {
            const ALL: &'static [(&'static str, Self, usize, usize)] = &[$(($text, Self::$name, $least, $most),)*];

            /// The name, without its `States.`.
            fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

functions! {
    Format "Format" 1 ..= usize::MAX;
    StringToJson "StringToJson" 1 ..= 1;
    JsonToString "JsonToString" 1 ..= 1;
    Array "Array" 0 ..= usize::MAX;
    ArrayPartition "ArrayPartition" 2 ..= 2;
    ArrayContains "ArrayContains" 2 ..= 2;
    ArrayRange "ArrayRange" 3 ..= 3;
    ArrayGetItem "ArrayGetItem" 2 ..= 2;
    ArrayLength "ArrayLength" 1 ..= 1;
    ArrayUnique "ArrayUnique" 1 ..= 1;
    Base64Encode "Base64Encode" 1 ..= 1;
    Base64Decode "Base64Decode" 1 ..= 1;
    Hash "Hash" 2 ..= 2;
    JsonMerge "JsonMerge" 3 ..= 3;
    MathRandom "MathRandom" 2 ..= 3;
    MathAdd "MathAdd" 2 ..= 2;
    StringSplit "StringSplit" 2 ..= 2;
    Uuid "UUID" 0 ..= 0;
}

/// Reads `States.Name(argument, ...)`.
///
/// # Errors
/// Anything else, an unknown function, a wrong number of arguments, or more than 10 calls inside one another (AWS's
/// limit).
pub fn parse(text: &str) -> Result<Call, PathSyntaxError> {
    syntax::parse(text)
}

impl Call {
    /// What the paths in it read of the context object.
    pub fn reads(&self) -> Reads {
        let of = self.arguments.iter().map(|argument| match argument {
            Argument::Literal(_) => Reads::Nothing,
            Argument::Path(path) => path.reads(),
            Argument::Call(call) => call.reads(),
        });
        of.max().unwrap_or_default()
    }

    /// The result of the call.
    ///
    /// # Errors
    /// A path that leads nowhere, or arguments the function does not take.
    pub fn evaluate(&self, env: &Env<'_>) -> Result<Value, TemplateError> {
        self.run(env, &self.text)
    }

    /// AWS names the whole expression, `outermost`, in every cause.
    fn run(&self, env: &Env<'_>, outermost: &str) -> Result<Value, TemplateError> {
        let arguments = self
            .arguments
            .iter()
            .map(|argument| match argument {
                Argument::Literal(value) => Ok(value.clone()),
                Argument::Path(path) => path.get(env.scope).map_err(|_| TemplateError::ArgumentNotFound {
                    call: outermost.to_owned(),
                    path: path.text().to_owned(),
                    input: env.scope.root(path).to_string(),
                }),
                Argument::Call(call) => call.run(env, outermost),
            })
            .collect::<Result<Vec<_>, _>>()?;
        functions::call(self.function, &arguments, env.random).map_err(|reason| TemplateError::Intrinsic {
            call: outermost.to_owned(),
            function: self.function.name(),
            reason,
        })
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
