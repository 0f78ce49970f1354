// A prelude of re-exports, and a name that hides one of them.
mod units {
    pub mod length {
        #[derive(Debug, PartialEq)]
        pub struct Metres(pub f64);
    }

    pub mod time {
        #[derive(Debug, PartialEq)]
        pub struct Seconds(pub f64);
        pub fn zero() -> Seconds {
            Seconds(0.0)
        }
    }

    pub mod prelude {
        pub use super::length::*;
        pub use super::time::{zero as start, *};
    }
}

use units::prelude::*;

fn zero() -> f64 {
    0.5
}

fn speed(m: Metres, s: Seconds) -> f64 {
    m.0 / s.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds() {
        assert_eq!(speed(Metres(10.0), Seconds(2.0)), 5.0);
    }

    #[test]
    fn the_nearer_name_wins() {
        assert_eq!(zero(), 0.5);
        assert_eq!(start(), Seconds(0.0));
    }
}
