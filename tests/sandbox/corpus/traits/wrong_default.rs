// A default method that is wrong, which the tests notice.
trait Counter {
    fn items(&self) -> Vec<u32>;

    fn average(&self) -> f64 {
        let items = self.items();
        (items.iter().sum::<u32>() / items.len() as u32) as f64
    }
}

struct Fixed;

impl Counter for Fixed {
    fn items(&self) -> Vec<u32> {
        vec![1, 2]
    }
}

struct Nothing;

impl Counter for Nothing {
    fn items(&self) -> Vec<u32> {
        vec![]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn average_of_one_and_two() {
        assert_eq!(Fixed.average(), 1.5);
    }

    #[test]
    #[should_panic(expected = "divide by zero")]
    fn average_of_nothing() {
        Nothing.average();
    }
}
