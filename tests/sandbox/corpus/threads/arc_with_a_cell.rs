// A shared pointer to what cannot be shared: the linter warns.
use std::cell::Cell;
use std::sync::Arc;

fn shared() -> Arc<Cell<u32>> {
    Arc::new(Cell::new(3))
}

#[cfg(test)]
mod tests {
    #[test]
    fn sets() {
        let a = super::shared();
        let b = a.clone();
        a.set(5);
        assert_eq!(b.get(), 5);
    }
}
