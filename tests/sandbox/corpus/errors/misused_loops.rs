// The linter refuses a condition that never changes and a value that is never read right.
fn wait_for(limit: u32) -> u32 {
    let mut n = 0;
    let done = limit == 0;
    while !done {
        n += 1;
        if n > limit {
            return n;
        }
    }
    n
}

fn swap(mut a: i32, mut b: i32) -> (i32, i32) {
    a = b;
    b = a;
    (a, b)
}

fn absolute(x: u8) -> bool {
    x > 255
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn works() {
        assert_eq!(wait_for(2), 3);
        assert_eq!(swap(1, 2), (2, 2));
        assert!(!absolute(255));
    }
}
