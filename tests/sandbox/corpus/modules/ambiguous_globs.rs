// Two globs bring one name.
mod metric {
    pub fn unit() -> &'static str {
        "km"
    }
}

mod imperial {
    pub fn unit() -> &'static str {
        "mi"
    }
}

use imperial::*;
use metric::*;

fn label(n: u32) -> String {
    format!("{n} {}", unit())
}

#[cfg(test)]
mod tests {
    #[test]
    fn kilometres() {
        assert_eq!(super::label(3), "3 km");
    }
}
