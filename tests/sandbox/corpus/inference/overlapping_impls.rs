// A blanket implementation and one that it covers already.
trait Describe {
    fn describe(&self) -> String;
}

impl<T: std::fmt::Debug> Describe for T {
    fn describe(&self) -> String {
        format!("{self:?}")
    }
}

impl Describe for u32 {
    fn describe(&self) -> String {
        "a number".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn describes() {
        assert_eq!(3u32.describe(), "a number");
    }
}
