// Closures without captures as function pointers.
const STEPS: [fn(i64) -> i64; 3] = [|x| x + 1, |x| x * 10, i64::abs];

fn run(x: i64) -> i64 {
    STEPS.iter().fold(x, |acc, step| step(acc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applies_all_steps() {
        assert_eq!(run(4), 50);
        assert_eq!(run(-4), 30);
    }
}
