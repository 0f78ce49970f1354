// A field, a variant, an arm and an argument that only tests have.
struct Counter {
    n: u32,
    #[cfg(test)]
    log: Vec<u32>,
}

enum Step {
    Up,
    #[cfg(test)]
    Reset,
}

impl Counter {
    fn new() -> Self {
        Counter {
            n: 0,
            #[cfg(test)]
            log: vec![],
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Up => self.n += 1,
            #[cfg(test)]
            Step::Reset => self.n = 0,
        }
        #[cfg(test)]
        self.log.push(self.n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps() {
        let mut c = Counter::new();
        [Step::Up, Step::Up, Step::Reset].iter().for_each(|s| c.step(s));
        assert_eq!(c.log, [1, 2, 0]);
    }
}
