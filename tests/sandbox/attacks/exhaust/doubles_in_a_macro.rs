// Doubles what a macro is given, again and again.
// protected: out_of_memory
// control: passed
// limits: memory_mb=512 compile_cpu_s=6
// number: 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9, control 0 1 2 3 4 5

macro_rules! double {
    ([] $($all:tt)*) => {};
    ([$first:tt $($rest:tt)*] $($all:tt)*) => {
        double!([$($rest)*] $($all)* $($all)*);
    };
}

double!([NUMBER] x);

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
