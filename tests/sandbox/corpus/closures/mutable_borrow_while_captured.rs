// Uses a vector while a closure holds it mutably.
fn push_twice() -> Vec<i32> {
    let mut values = Vec::new();
    let mut push = |x| values.push(x);
    push(1);
    println!("{}", values.len());
    push(2);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_values() {
        assert_eq!(push_twice(), [1, 2]);
    }
}
