// An inner attribute after an item.
fn f() -> u8 {
    1
}

#![allow(unused_variables)]

#[cfg(test)]
mod tests {
    #[test]
    fn one() {
        assert_eq!(super::f(), 1);
    }
}
