// Moving a field out of a type that has a drop.
struct Guard {
    name: String,
}

impl Drop for Guard {
    fn drop(&mut self) {
        println!("{} is gone", self.name);
    }
}

fn name(guard: Guard) -> String {
    guard.name
}

#[cfg(test)]
mod tests {
    #[test]
    fn takes() {
        assert_eq!(super::name(super::Guard { name: "a".into() }), "a");
    }
}
