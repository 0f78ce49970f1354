// Takes its own source into itself twice, which takes it twice.
// protected: timeout
// control: passed
// limits: compile_cpu_s=2 memory_mb=1024
// number: not(nothing), control nothing

#[cfg(NUMBER)]
mod again {
    include!("main.rs");
}

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
