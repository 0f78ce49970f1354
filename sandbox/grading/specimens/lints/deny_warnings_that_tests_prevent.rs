// All warnings are errors; an import that only the tests use is one without them.
#![deny(warnings)]

use std::rc::Rc;

fn double(x: i32) -> i32 {
    x * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles() {
        assert_eq!(double(*Rc::new(2)), 4);
    }
}
