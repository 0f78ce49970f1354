// A variant, its match arm and a field for tests alone.
#[derive(Debug, PartialEq)]
enum Clock {
    System,
    #[cfg(test)]
    Fixed(u64),
}

struct Timer {
    clock: Clock,
    #[cfg(test)]
    reads: u32,
}

impl Timer {
    fn now(&mut self) -> u64 {
        #[cfg(test)]
        {
            self.reads += 1;
        }
        match self.clock {
            Clock::System => 0,
            #[cfg(test)]
            Clock::Fixed(t) => t,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_fixed_clock() {
        let mut timer = Timer { clock: Clock::Fixed(9), reads: 0 };
        assert_eq!((timer.now(), timer.reads), (9, 1));
    }
}
