// Warnings of many kinds, and no error.
use std::collections::HashMap;
use std::fmt::{Debug, Display};

fn compute(x: i32, flag: bool) -> i32 {
    let mut total = x;
    let unused = 5;
    let mut result = 0;
    result = total + 1;
    (result);
    return result;
    println!("never");
}

fn parse(s: &str) {
    s.parse::<i32>();
    s.len() == 3;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computes() {
        assert_eq!(compute(1, true), 2);
        parse("x");
    }
}
