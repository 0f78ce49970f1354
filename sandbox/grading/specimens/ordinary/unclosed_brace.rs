// A brace of a function is missing.
fn sign(x: i32) -> i32 {
    if x < 0 {
        -1
    } else {
        1

fn absolute(x: i32) -> i32 {
    x * sign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs() {
        assert_eq!(sign(-3), -1);
    }
}
