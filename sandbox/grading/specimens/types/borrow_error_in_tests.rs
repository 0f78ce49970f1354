// Only a test has a borrow error.
struct Log {
    lines: Vec<String>,
}

impl Log {
    fn last(&self) -> Option<&String> {
        self.lines.last()
    }

    fn add(&mut self, line: &str) {
        self.lines.push(line.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last() {
        let mut log = Log { lines: vec![] };
        log.add("one");
        let last = log.last();
        log.add("two");
        assert_eq!(last.unwrap(), "one");
    }
}
