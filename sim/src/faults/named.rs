//! Things with names that stay, and what each means.

/// Declares an enum of names with what each means.
macro_rules! named {
    ($(#[doc = $about:literal])+ $name:ident { $($variant:ident = $text:literal, $doc:literal;)+ }) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $(#[doc = $doc] $variant,)+
        }

        impl $name {
            /// All there are.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// Its name in scenarios.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// What it means, in a sentence.
            pub fn description(self) -> &'static str {
                match self { $(Self::$variant => $doc,)+ }
            }
        }
    };
}
pub(super) use named;
