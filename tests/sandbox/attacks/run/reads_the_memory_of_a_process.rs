// Opens the memory of another process, to read and write it.
// protected: test_failed (PermissionDenied)
// control: passed
// phases: test
// needs: ptrace

#[cfg(test)]
mod tests {
    #[test]
    fn reads_the_memory_of_a_process() {
        std::fs::OpenOptions::new().read(true).write(true).open("/proc/VICTIM/mem").unwrap();
    }
}
