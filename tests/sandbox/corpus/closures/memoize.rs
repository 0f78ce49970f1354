// A memoizing wrapper around a closure.
use std::collections::HashMap;
use std::hash::Hash;

struct Memo<F, A, R> {
    f: F,
    known: HashMap<A, R>,
    calls: usize,
}

impl<F, A, R> Memo<F, A, R>
where
    F: Fn(&A) -> R,
    A: Hash + Eq,
    R: Clone,
{
    fn new(f: F) -> Self {
        Memo { f, known: HashMap::new(), calls: 0 }
    }

    fn get(&mut self, a: A) -> R {
        if let Some(r) = self.known.get(&a) {
            return r.clone();
        }
        self.calls += 1;
        let r = (self.f)(&a);
        self.known.insert(a, r.clone());
        r
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_once_per_argument() {
        let mut square = Memo::new(|x: &u64| x * x);
        assert_eq!(square.get(4), 16);
        assert_eq!(square.get(4), 16);
        assert_eq!(square.get(5), 25);
        assert_eq!(square.calls, 2);
    }
}
