// Has the assembler write into the object file that the linker should take a library outside.
// protected: build_error (linking with)
// control: passed
// needs: x86_64

std::arch::global_asm!(".section .deplibs,\"MS\",@llvm_dependent_libraries,1", ".asciz \"OUTSIDE/library.a\"", ".text");

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
