// Returns a mutable reference out of a collection that may grow.
#[derive(Default)]
struct Interner {
    names: Vec<String>,
}

impl Interner {
    fn intern(&mut self, name: &str) -> usize {
        match self.names.iter().position(|n| n == name) {
            Some(i) => i,
            None => {
                self.names.push(name.to_owned());
                self.names.len() - 1
            }
        }
    }

    fn name_mut<'a>(&'a mut self, name: &str) -> &'a mut String {
        let i = self.intern(name);
        &mut self.names[i]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_per_name() {
        let mut interner = Interner::default();
        assert_eq!(interner.intern("a"), 0);
        assert_eq!(interner.intern("b"), 1);
        assert_eq!(interner.intern("a"), 0);
        interner.name_mut("b").push('!');
        assert_eq!(interner.names, ["a", "b!"]);
    }
}
