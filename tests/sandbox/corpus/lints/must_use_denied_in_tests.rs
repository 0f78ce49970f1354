// An unused result is an error in the tests, and a warning outside.
fn twice(x: u32) -> Result<u32, String> {
    check(x);
    Ok(x * 2)
}

fn check(x: u32) -> Result<(), String> {
    if x > 9 { Err("too much".into()) } else { Ok(()) }
}

#[cfg(test)]
#[deny(unused_must_use)]
mod tests {
    use super::*;

    #[test]
    fn twice_two() {
        check(4);
        assert_eq!(twice(2), Ok(4));
    }
}
