"""The commands: one module each, with run(options) -> exit code. What needs the sampler is imported when used."""
