// An index that can never be right, in a function that nothing calls.
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn weekday(n: usize) -> Option<&'static str> {
    WEEKDAYS.get(n).copied()
}

fn last() -> &'static str {
    WEEKDAYS[7]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monday() {
        assert_eq!(weekday(0), Some("Mon"));
        assert_eq!(weekday(7), None);
    }
}
