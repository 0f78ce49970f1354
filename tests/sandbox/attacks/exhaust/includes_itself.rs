// Takes its own source into itself twice, which takes it twice, and so on.
// protected: build_error (recursion limit reached)
// control: passed
// limits: compile_cpu_s=3 memory_mb=1024
// number: not(test), control test

#[cfg(not(test))]
#[cfg(NUMBER)]
mod again {
    include!("main.rs");
}

#[cfg(not(test))]
#[cfg(NUMBER)]
mod once_more {
    include!("main.rs");
}

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
