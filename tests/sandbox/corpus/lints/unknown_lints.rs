// Lints that do not exist, are renamed, or were removed.
#![allow(no_such_lint)]
#![warn(clippy::no_such_lint)]

#[allow(clippy::cyclomatic_complexity, const_err, unused_tuple_struct_fields)]
fn f(x: u32) -> u32 {
    x + 1
}

#[cfg(test)]
mod tests {
    #[test]
    fn f() {
        assert_eq!(super::f(1), 2);
    }
}
