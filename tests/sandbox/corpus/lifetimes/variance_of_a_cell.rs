// A Cell of a reference is invariant: the tests do not compile.
use std::cell::Cell;

fn swap<'a>(cell: &Cell<&'a str>, other: &'a str) -> &'a str {
    cell.replace(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swaps() {
        let cell = Cell::new("static");
        assert_eq!(swap(&cell, "new"), "static");
    }

    #[test]
    fn too_short() {
        let cell: Cell<&'static str> = Cell::new("static");
        let local = String::from("local");
        swap(&cell, &local);
        assert_eq!(cell.get(), "local");
    }
}
