//! The partners service as a process of its own.

fn main() -> std::process::ExitCode {
    chassis_boot::main::<partners::App>()
}
