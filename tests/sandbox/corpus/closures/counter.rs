// A FnMut that keeps its own state.
fn counter() -> impl FnMut() -> u32 {
    let mut count = 0;
    move || {
        count += 1;
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_counters_are_independent() {
        let mut a = counter();
        let mut b = counter();
        assert_eq!((a(), a(), b()), (1, 2, 1));
    }
}
