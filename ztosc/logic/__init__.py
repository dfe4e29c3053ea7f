"""Plain sets of integers, ports and addresses, exact and in one normal form each; no knowledge of networks or policy."""
