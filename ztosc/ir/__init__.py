"""The intermediate representation: Intent, Network, flows and verdicts, and `decide`, the meaning of a policy.

Guarantees: every type is a frozen, strict model with canonical JSON; nothing in here reads a file, a clock or the environment.
"""
