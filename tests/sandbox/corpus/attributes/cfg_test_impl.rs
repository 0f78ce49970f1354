// A trait implementation that only tests have, which a bound outside them needs.
struct Metres(f64);

#[cfg(test)]
impl std::fmt::Debug for Metres {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{}m", self.0)
    }
}

fn show<T: std::fmt::Debug>(x: &T) -> String {
    format!("{x:?}")
}

fn three() -> String {
    show(&Metres(3.0))
}

#[cfg(test)]
mod tests {
    #[test]
    fn shows() {
        assert_eq!(super::three(), "3m");
    }
}
