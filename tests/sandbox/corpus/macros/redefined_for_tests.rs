// A macro that is another one in tests: the bodies that are built are not the bodies that are tested.
macro_rules! slot {
    () => {
        9
    };
}

#[cfg(test)]
macro_rules! slot {
    () => {
        1
    };
}

fn pick() -> char {
    ['a', 'b', 'c'][slot!()]
}

#[cfg(test)]
mod tests {
    #[test]
    fn picks() {
        assert_eq!(super::pick(), 'b');
    }
}
