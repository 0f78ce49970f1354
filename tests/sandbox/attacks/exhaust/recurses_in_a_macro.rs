// Has a macro use itself without end, as deep as it may say itself.
// protected: timeout (used up its CPU time)
// control: passed
// limits: compile_cpu_s=2
// number: again, control done

#![recursion_limit = "100000000"]

macro_rules! recurse {
    (done) => {};
    (again) => {
        recurse!(again);
    };
}

recurse!(NUMBER);

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
