"""Where jobs that hand data on are best run: problem, account and program."""
