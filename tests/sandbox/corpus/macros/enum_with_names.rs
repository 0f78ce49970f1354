// A macro that makes an enum, its names and a module of tests.
macro_rules! named_enum {
    ($name:ident { $($variant:ident = $text:literal),+ $(,)? } tested by $tests:ident) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($variant),+ }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }

            pub fn parse(s: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|v| v.name() == s)
            }
        }

        #[cfg(test)]
        mod $tests {
            use super::$name;

            #[test]
            fn round_trip() {
                for v in $name::ALL {
                    assert_eq!($name::parse(v.name()), Some(*v));
                }
            }
        }
    };
}

named_enum!(Colour { Red = "red", Green = "green" } tested by colour_tests);
named_enum!(Size { Small = "s", Large = "l" } tested by size_tests);

#[cfg(test)]
mod tests {
    #[test]
    fn unknown() {
        assert_eq!(super::Colour::parse("s"), None);
    }
}
