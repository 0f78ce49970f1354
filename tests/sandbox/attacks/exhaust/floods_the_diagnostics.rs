// Has the compiler complain without end.
// protected: build_error
// control: build_error
// limits: compile_cpu_s=6 memory_mb=1024
// number: 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5, control 0

macro_rules! complain {
    ([] $($all:tt)*) => { $(compile_error!(stringify!($all));)* };
    ([$first:tt $($rest:tt)*] $($all:tt)*) => {
        complain!([$($rest)*] $($all)* $($all)*);
    };
}

complain!([NUMBER] a);

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
