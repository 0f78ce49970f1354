// Habits of other languages: ++, ternaries, null, single quotes.
fn count(xs: &[i32]) -> i32 {
    let mut n = 0;
    for x in xs {
        n++;
    }
    n
}

fn label(ok: bool) -> String {
    'yes' + null
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        assert_eq!(count(&[1]), 1);
    }
}
