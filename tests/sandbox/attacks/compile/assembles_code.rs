// Has the assembler read instructions from a file outside.
// protected: build_error (Could not find include file)
// control: passed

std::arch::global_asm!(".include \"OUTSIDE/code.s\"");

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
