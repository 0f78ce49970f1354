// Balanced brackets, with positions of errors.
#[derive(Debug, PartialEq, Eq)]
enum Problem {
    Unopened(usize),
    Unclosed(usize),
}

fn check(text: &str) -> Result<(), Problem> {
    let mut open = Vec::new();
    for (i, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => open.push((c, i)),
            ')' | ']' | '}' => match open.pop() {
                Some(('(', _)) if c == ')' => {}
                Some(('[', _)) if c == ']' => {}
                Some(('{', _)) if c == '}' => {}
                _ => return Err(Problem::Unopened(i)),
            },
            _ => {}
        }
    }
    open.pop().map_or(Ok(()), |(_, i)| Err(Problem::Unclosed(i)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced() {
        assert_eq!(check("a(b[c]{d}) \"}\"".trim_end_matches("\"}\"")), Ok(()));
    }

    #[test]
    fn unbalanced() {
        assert_eq!(check("(]"), Err(Problem::Unopened(1)));
        assert_eq!(check("((x)"), Err(Problem::Unclosed(0)));
        assert_eq!(check("}"), Err(Problem::Unopened(0)));
    }
}
