// Wrong format arguments: too few, unused, an unknown trait.
fn report(name: &str, score: u32) -> String {
    format!("{} scored {} of {}", name, score)
}

fn debug(x: u32) -> String {
    format!("{x:y} {}", x, x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports() {
        assert_eq!(report("Ann", 3), "Ann scored 3 of 10");
    }
}
