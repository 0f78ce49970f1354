// A supertrait with Display, and a call by its full path.
use std::fmt::{self, Display};

trait Named {
    fn name() -> &'static str;
    fn id(&self) -> u32;
}

trait Report: Named + Display {
    fn report(&self) -> String {
        format!("{} #{}: {}", Self::name(), self.id(), self)
    }
}

struct Order(u32);

impl Named for Order {
    fn name() -> &'static str {
        "order"
    }
    fn id(&self) -> u32 {
        self.0
    }
}

impl Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("two apples")
    }
}

impl Report for Order {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports() {
        assert_eq!(Order(7).report(), "order #7: two apples");
        assert_eq!(<Order as Named>::name(), "order");
    }
}
