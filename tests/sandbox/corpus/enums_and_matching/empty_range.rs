// A range that is empty (an error), in the pattern of a function that nothing calls.
fn grade(score: u32) -> char {
    match score {
        90..=100 => 'A',
        80..90 => 'B',
        _ => 'F',
    }
}

fn reversed(score: u32) -> bool {
    matches!(score, 100..=90)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades() {
        assert_eq!(grade(95), 'A');
        assert_eq!(grade(85), 'B');
        assert_eq!(grade(0), 'F');
    }
}
