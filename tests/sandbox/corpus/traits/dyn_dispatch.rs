// Trait objects in a vector, summed through dynamic dispatch.
trait Animal {
    fn name(&self) -> String;
    fn legs(&self) -> u32;
}

struct Dog;
struct Bird {
    species: &'static str,
}

impl Animal for Dog {
    fn name(&self) -> String {
        "dog".to_string()
    }
    fn legs(&self) -> u32 {
        4
    }
}

impl Animal for Bird {
    fn name(&self) -> String {
        self.species.to_string()
    }
    fn legs(&self) -> u32 {
        2
    }
}

fn total_legs(animals: &[Box<dyn Animal>]) -> u32 {
    animals.iter().map(|a| a.legs()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zoo() -> Vec<Box<dyn Animal>> {
        vec![Box::new(Dog), Box::new(Bird { species: "wren" }), Box::new(Dog)]
    }

    #[test]
    fn counts_legs() {
        assert_eq!(total_legs(&zoo()), 10);
        assert_eq!(total_legs(&[]), 0);
    }

    #[test]
    fn keeps_names() {
        let names: Vec<_> = zoo().iter().map(|a| a.name()).collect();
        assert_eq!(names, ["dog", "wren", "dog"]);
    }
}
