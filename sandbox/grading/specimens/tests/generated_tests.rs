// A macro that generates one test per case.
fn is_leap(year: u32) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! leap_tests {
        ($($name:ident: $year:literal => $expected:expr,)*) => {
            $(
                #[test]
                fn $name() {
                    assert_eq!(is_leap($year), $expected);
                }
            )*
        };
    }

    leap_tests! {
        common: 2023 => false,
        leap: 2024 => true,
        century: 1900 => false,
        four_centuries: 2000 => true,
    }
}
