// A println of the program's own, which its main expands: main alone makes the bad instance.
struct Width<const N: usize>;

impl<const N: usize> Width<N> {
    const OK: () = assert!(N <= 80, "too wide");
}

fn rule<const N: usize>() -> String {
    let () = Width::<N>::OK;
    "-".repeat(N)
}

macro_rules! println {
    ($text:literal) => {
        std::print!("{}\n{}\n", $text, rule::<100>())
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten() {
        assert_eq!(rule::<10>().len(), 10);
    }
}
