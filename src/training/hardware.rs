//! The machine: processors, memory, GPUs. On Linux this reads system files and runs no program.

use std::fs;

use crate::recording::Environment;

/// Fills in what is known about the machine.
pub(super) fn describe(environment: &mut Environment) {
    environment.os = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    environment.cpus = std::thread::available_parallelism().ok().map(Into::into);
    (environment.cpu, environment.memory) = processor_and_memory();
    environment.gpus = gpus();
    environment.gpu_driver = fs::read_to_string("/proc/driver/nvidia/version").ok().and_then(|text| {
        let line = text.lines().next()?;
        line.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit())).map(str::to_owned)
    });
}

#[cfg(target_os = "macos")]
fn processor_and_memory() -> (Option<String>, Option<u64>) {
    let ask = |name: &str| {
        let output = std::process::Command::new("/usr/sbin/sysctl").args(["-n", name]).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.success() && !text.is_empty()).then_some(text)
    };
    (ask("machdep.cpu.brand_string"), ask("hw.memsize").and_then(|text| text.parse().ok()))
}

#[cfg(not(target_os = "macos"))]
fn processor_and_memory() -> (Option<String>, Option<u64>) {
    let value = |path: &str, name: &str| {
        let text = fs::read_to_string(path).ok()?;
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let cpu = value("/proc/cpuinfo", "model name").or_else(|| std::env::var("PROCESSOR_IDENTIFIER").ok());
    let memory = value("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()))
        .map(|kib| kib * 1024);
    (cpu, memory)
}

fn gpus() -> Vec<String> {
    let Ok(folders) = fs::read_dir("/proc/driver/nvidia/gpus") else { return Vec::new() };
    let mut gpus: Vec<String> = folders
        .flatten()
        .filter_map(|folder| fs::read_to_string(folder.path().join("information")).ok())
        .filter_map(|text| {
            let line = text.lines().find(|line| line.starts_with("Model"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        })
        .collect();
    gpus.sort();
    gpus
}
