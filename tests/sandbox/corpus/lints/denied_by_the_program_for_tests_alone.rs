// A level for the test module alone, set from inside.
fn f() -> u8 {
    let mut x = 1;
    x
}

#[cfg(test)]
mod tests {
    #![deny(unused_mut)]

    #[test]
    fn one() {
        assert_eq!(super::f(), 1);
    }
}
