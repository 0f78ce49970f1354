// Inner attributes where they belong.
#![allow(unused_variables, unused_mut)]
#![doc = "a program"]

fn f(unused: u8) -> u8 {
    let mut x = 1;
    x
}

#[cfg(test)]
mod tests {
    #[test]
    fn one() {
        assert_eq!(super::f(0), 1);
    }
}
